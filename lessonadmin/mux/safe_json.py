"""JSON from outside, made safe to keep: whatever this module returns can be stored in PostgreSQL and shown.

It bounds numbers and nesting, and replaces characters that a database refuses. It knows nothing of Mux's fields.
"""

import json
import math
import re
from collections.abc import Collection
from typing import Any

from lessonadmin.text.texts import made_storable

MAX_DEPTH = 32
MAX_DIGITS = 19
HIDDEN = "[removed]"
# The closing quote is optional, so that an unfinished string is one token too and the scan stays linear.
TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[{]|[\]}]|[^"\[\]{}]++', re.DOTALL)


def _whole_number(text: str) -> int | float:
    # Python refuses to read thousands of digits, and none is meant: such a number loses precision instead.
    return int(text) if len(text) <= MAX_DIGITS else float(text)


def _load(text: str) -> Any:
    return json.loads(text, parse_int=_whole_number)


def _flattened(text: str) -> str:
    """The same text with `null` for everything that is nested deeper than is read."""
    kept: list[str] = []
    depth = 0
    for match in TOKEN.finditer(text):
        token = match.group()
        if token in ("[", "{"):
            depth += 1
            if depth == MAX_DEPTH + 1:
                kept.append("null")
        if depth <= MAX_DEPTH:
            kept.append(token)
        if token in ("]", "}"):
            depth -= 1
    return "".join(kept)


def load(text: str) -> Any:
    """Read JSON of any depth; raises ValueError when it is none."""
    try:
        return _load(text)
    except RecursionError:
        try:
            return _load(_flattened(text))
        except RecursionError:  # the stack was nearly full before
            raise ValueError("nested too deeply") from None


def clean(value: Any, *, hide: Collection[str] = ()) -> Any:
    """The same value, storable; text under a key of `hide` does not stay."""
    return _clean(value, hide, 0)


def _clean(value: Any, hide: Collection[str], depth: int) -> Any:
    kind = type(
        value
    )  # of what JSON knows, and nothing else gets here: a chain of isinstance takes twice as long
    if kind is str:
        return value if value.isprintable() else made_storable(value)
    if kind is float:
        return value if math.isfinite(value) else None
    if kind is dict:
        if depth >= MAX_DEPTH:
            return None
        return {
            made_storable(key): HIDDEN
            if key in hide and type(inner) is str
            else _clean(inner, hide, depth + 1)
            for key, inner in value.items()
        }
    if kind is list:
        return None if depth >= MAX_DEPTH else [_clean(inner, hide, depth + 1) for inner in value]
    return value
