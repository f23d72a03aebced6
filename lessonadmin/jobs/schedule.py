"""The one periodic table: what the clock does, and how often. Everything in it is safe to do twice at once."""

from collections.abc import Callable
from dataclasses import dataclass

from lessonadmin import config
from lessonadmin.domain import sweeping


@dataclass(frozen=True)
class Periodic:
    """Something that is done every so many seconds."""

    name: str
    seconds: Callable[[], float]
    run: Callable[[Callable[[], None]], object]


TABLE = (Periodic("sweep", lambda: config.current().sweep_every_seconds, sweeping.sweep),)
