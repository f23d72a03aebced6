"""What the manager must know of a program: its command, how one sees that it is ready, how it is stopped.

A value only: `supervisor` keeps programs running for a person, `servers` starts the two that the tests need.
"""

import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from devstack.servers import privileges


def _at_once() -> bool:
    return True


def _nothing() -> None:
    pass


@dataclass(frozen=True, kw_only=True)
class Program:
    """One long-running process."""

    name: str
    command: tuple[str, ...]
    # what is set beside the environment that everything gets
    settings: Mapping[str, str] = field(default_factory=dict)
    folder: Path = Path("/")
    preexec: Callable[[], None] = field(default_factory=lambda: privileges.tied(signal.SIGTERM))
    ready: Callable[[], bool] = _at_once
    # what must be put in order before each start
    before: Callable[[], None] = _nothing
    # programs of one stage are stopped together, those of a higher stage before those of a lower
    stage: int = 0
    # lines with one of these are routine: kept, and not shown
    noise: tuple[str, ...] = ()
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = 10
