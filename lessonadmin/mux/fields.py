"""Single fields out of untrusted JSON: the value if it is what it should be, else None.

Nothing in here raises, whatever it is given.
"""

import math
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from lessonadmin.text.texts import has_control, plain

MAX_ID_LENGTH = 255
WEB_ADDRESS = re.compile(r"https?://[^\s\"'<>\\]{1,8000}")


def mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def items(value: object, *, most: int = 100) -> list[Any]:
    return value[:most] if isinstance(value, list) else []


def identifier(value: object) -> str | None:
    """An id: text that is not empty, not too long and free of control characters."""
    if not isinstance(value, str) or not value.strip() or len(value) > MAX_ID_LENGTH:
        return None
    return None if has_control(value) or "\ufffd" in value else value


def short_text(value: object, *, max_length: int = 500) -> str | None:
    """Text for people, on one line; None if nothing is left of it."""
    return (plain(value, max_length=max_length) or None) if isinstance(value, str) else None


def error_text(error: dict[str, Any]) -> str:
    """What an error says: `messages`, a list or a single text, and `message`, in any mixture; "" for an error without words."""
    several = error.get("messages")
    given = [several] if isinstance(several, str) else items(several, most=20)
    return "; ".join(text for text in map(short_text, [*given, error.get("message")]) if text)


def number(value: object) -> float | None:
    """A finite number, also when it came as text."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value[:40] if isinstance(value, str) else value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def moment(value: object) -> datetime | None:
    """A time: Mux writes seconds as a number, seconds as text, and ISO 8601, depending on the place."""
    try:
        seconds = number(value)
        if seconds is not None:
            return datetime.fromtimestamp(seconds, UTC)
        if not isinstance(value, str) or len(value) > 64:
            return None
        found = datetime.fromisoformat(value)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None


def http_date(value: object) -> datetime | None:
    """The time that an answer carries in its head."""
    try:
        found = parsedate_to_datetime(value if isinstance(value, str) else "")
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return found if found.tzinfo is not None else None


def web_address(value: object) -> str | None:
    return value if isinstance(value, str) and WEB_ADDRESS.fullmatch(value) else None
