"""Heartbeats: which processes were seen lately, is the schema current, does Redis answer. For /readyz, dashboard and doctor."""

from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Select, func, or_, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import ProgrammingError

from lessonadmin import queue
from lessonadmin.db import db
from lessonadmin.domain.models import Heartbeat

FRESH_SECONDS = 60
WORKER, CLOCK = "worker:", "clock"
# A proxy that writes where requests come from, and is not believed.
UNHEARD = "unheard"
CHECKS = ("database", "migrations", "redis", "worker", "clock")


def record(name: str, **detail: object) -> None:
    """Write a heartbeat under this name, and delete those that are older than a day."""
    now = func.clock_timestamp()
    row = insert(Heartbeat).values(name=name, at=now, detail=detail)
    db.session.execute(
        row.on_conflict_do_update(index_elements=["name"], set_={"at": now, "detail": row.excluded.detail})
    )
    db.session.execute(text("DELETE FROM heartbeats WHERE at < clock_timestamp() - interval '1 day'"))
    db.session.commit()


def ages(*prefixes: str, on: Connection | None = None) -> dict[str, float]:
    """Seconds since each was seen whose name begins so, within the last day or longer ago."""
    rows = (on or db.session).execute(ages_query(*prefixes))
    return {name: float(seconds) for name, seconds in rows}


def ages_query(*prefixes: str) -> Select[str, Any]:
    """The same, for a caller that asks for more than heartbeats by one statement."""
    age: Any = func.extract("epoch", func.clock_timestamp() - Heartbeat.at)
    return select(Heartbeat.name, age).where(or_(*(Heartbeat.name.startswith(prefix) for prefix in prefixes)))


def unheard(on: Connection, *, within: timedelta) -> dict[str, object] | None:
    """What was remembered of a proxy that is not believed, if one was seen lately."""
    lately = Heartbeat.at > func.clock_timestamp() - within
    found: dict[str, object] | None = on.scalar(
        select(Heartbeat.detail).where(Heartbeat.name == UNHEARD, lately)
    )
    return found


def alive(seen: Mapping[str, float], prefix: str) -> dict[str, float]:
    """Those of a kind that were seen within the last minute."""
    return {name: age for name, age in seen.items() if name.startswith(prefix) and age <= FRESH_SECONDS}


def age(prefix: str) -> float | None:
    """Seconds since any of them was seen; None for never."""
    return min(ages(prefix).values(), default=None)


def worker_and_clock() -> dict[str, bool]:
    """Is there a worker, and a clock?"""
    return worker_and_clock_among(ages(WORKER, CLOCK))


def worker_and_clock_among(seen: Mapping[str, float]) -> dict[str, bool]:
    return {"worker": bool(alive(seen, WORKER)), "clock": bool(alive(seen, CLOCK))}


@cache
def expected_revision() -> str | None:
    """The newest migration in this checkout."""
    settings = Config()
    settings.set_main_option("script_location", str(Path(__file__).parents[2] / "migrations"))
    return ScriptDirectory.from_config(settings).get_current_head()


def revision() -> str | None:
    """The migration that the database stands at; None for an empty database."""
    try:
        found: str | None = db.session.scalar(text("SELECT version_num FROM alembic_version"))
    except ProgrammingError:
        db.session.rollback()
        return None
    return found


def check() -> dict[str, bool]:
    """Everything that must be there so that videos publish themselves."""
    at_head = revision() == expected_revision()
    return {
        "database": _takes_changes(),
        "migrations": at_head,
        "redis": queue.answers(),
        **(worker_and_clock() if at_head else dict.fromkeys(("worker", "clock"), False)),
    }


def _takes_changes() -> bool:
    """A standby, or a server that was made read-only, answers and is of no use."""
    return not db.session.scalar(text("SELECT current_setting('transaction_read_only')::boolean"))


def without_database() -> dict[str, bool]:
    return dict.fromkeys(CHECKS, False) | {"redis": queue.answers()}
