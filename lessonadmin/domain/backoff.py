"""How long to wait before something that failed is tried again: one formula, for Python and for queries."""

from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, func

MAX_PAUSE_SECONDS = 3_600.0


def pause(
    attempts: int, *, first: float, max_seconds: float = MAX_PAUSE_SECONDS, retry_after: float | None = None
) -> float:
    """Seconds after so many failed attempts: `first` after one, then twice as long each time.

    `retry_after`: what the other side asked for (Retry-After); it wins.
    """
    return retry_after or min(first * 2.0 ** min(max(attempts, 1) - 1, 30), max_seconds)


def delta(attempts: int, *, first: float, retry_after: float | None = None) -> timedelta:
    """The same as a span of time."""
    return timedelta(seconds=pause(attempts, first=first, retry_after=retry_after))


def pause_of(
    attempts: ColumnElement[int] | Any, *, first: float, max_seconds: float = MAX_PAUSE_SECONDS
) -> ColumnElement[float]:
    """The same for a column that counts attempts."""
    doubled = first * func.power(2.0, func.least(func.greatest(attempts, 1) - 1, 30))
    found: ColumnElement[float] = func.least(doubled, max_seconds)
    return found
