"""How much is left of Mux's rate limits, as far as this process was told by the last answers."""

from collections.abc import Mapping
from dataclasses import dataclass

from lessonadmin.mux import fields
from lessonadmin.mux.transport import Priority, token_of


@dataclass(frozen=True)
class RateLeft:
    """What the last answer said."""

    remaining: int
    limit: int | None


# Mux keeps one bucket for creations and one for the rest, and both belong to the token.
_seen: dict[tuple[str, bool], RateLeft] = {}
MAX_TOKENS = 32


def remember(priority: Priority, headers: Mapping[str, str], *, creating: bool) -> None:
    """Take note of the headers of an answer; other answers are as good as none."""
    remaining, limit = (fields.number(headers.get(f"X-RateLimit-{name}")) for name in ("Remaining", "Limit"))
    if remaining is None:
        return
    if len(_seen) >= MAX_TOKENS:
        _seen.clear()
    whole = None if limit is None else max(0, int(limit))
    _seen[token_of(priority)[0], creating] = RateLeft(max(0, int(remaining)), whole)


def rate_left(priority: Priority, *, creating: bool = False) -> RateLeft | None:
    """The last word on this token's bucket; None before the first answer."""
    return _seen.get((token_of(priority)[0], creating))
