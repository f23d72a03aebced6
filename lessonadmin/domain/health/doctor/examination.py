"""What the doctor's checks have in common: what they may use, and the lines that they answer with."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, Engine, text

from lessonadmin.config import Settings

Level = Literal["ok", "warn", "FAIL"]
STATEMENT_SECONDS = 5


@dataclass(frozen=True)
class Line:
    """One thing that was looked at; whatever is not `ok` says what to do."""

    level: Level
    name: str
    says: str
    todo: str = ""


def ok(name: str, says: str) -> Line:
    return Line("ok", name, says)


def warn(name: str, says: str, todo: str) -> Line:
    return Line("warn", name, says, todo)


def fail(name: str, says: str, todo: str) -> Line:
    return Line("FAIL", name, says, todo)


@dataclass(frozen=True)
class DoctorContext:
    """What a check may use. The request's session is not among it: checks run in threads."""

    engine: Engine
    settings: Settings

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """A connection of this check's own, whose statements end in time."""
        with self.engine.connect() as connection:
            connection.execute(text(f"SET LOCAL statement_timeout = '{STATEMENT_SECONDS}s'"))
            yield connection
