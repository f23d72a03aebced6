"""Lengths of time as people say them: one way for sentences, one for estimates, one for measured figures. Pure."""

import math
from collections.abc import Callable

UNITS = (
    ("year", 365 * 86_400),
    ("month", 30 * 86_400),
    ("day", 86_400),
    ("hour", 3_600),
    ("minute", 60),
    ("second", 1),
)


def in_words(seconds: float, *, whole: Callable[[float], int] = math.floor) -> str:
    """`3 minutes`: in the largest unit that fits. `whole` makes a count of what is left over."""
    seconds = max(0.0, seconds)
    name, size = next((unit for unit in UNITS if seconds >= unit[1]), UNITS[-1])
    count = whole(seconds / size)
    return f"{count} {name}{'' if count == 1 else 's'}"


def about(seconds: float) -> str:
    """`20 seconds`, `4 minutes`, `1.5 hours`: a guess, which pretends to no more than it knows."""
    if seconds < 50:
        return in_words(max(5, math.ceil(round(seconds) / 5) * 5))
    if seconds < 3_000:
        minutes = math.ceil(seconds / 60)
        return f"{minutes} minute{'' if minutes == 1 else 's'}"
    return f"{round(seconds / 3_600, 1)} hours"


def measured(seconds: float) -> str:
    """How long something took, with its units: `0.4 s`, `1 min 3 s`, `2 h 5 min`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    (large, rest), (big, small) = (
        (divmod(whole, 60), ("min", "s")) if whole < 3600 else (divmod(round(whole / 60), 60), ("h", "min"))
    )
    return f"{large} {big} {rest} {small}" if rest else f"{large} {big}"
