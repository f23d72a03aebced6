"""How deep a JSON value is, and whether PostgreSQL takes it."""

import math
from typing import Any


def storable(value: Any) -> bool:
    """What PostgreSQL's jsonb and UTF-8 take."""
    if isinstance(value, str):
        return "\x00" not in value and value.encode("utf-8", "replace").decode() == value
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, dict):
        return all(storable(key) and storable(inner) for key, inner in value.items())
    return all(map(storable, value)) if isinstance(value, list) else True


def levels(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(levels, inner), default=0)
