"""Signs of life: who beat lately, is the schema ours, does Redis answer. Asked by /readyz, the dashboard and the doctor."""

from functools import cache
from pathlib import Path

from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import ProgrammingError

from lessonadmin import queue
from lessonadmin.db import db
from lessonadmin.domain.models import Heartbeat

FRESH_SECONDS = 60
CHECKS = ("database", "migrations", "redis", "worker", "clock")


def beat(name: str, **detail: object) -> None:
    """Leave a sign of life under this name, and forget names that fell silent a day ago."""
    now = func.clock_timestamp()
    row = insert(Heartbeat).values(name=name, at=now, detail=detail)
    db.session.execute(
        row.on_conflict_do_update(index_elements=["name"], set_={"at": now, "detail": row.excluded.detail})
    )
    db.session.execute(text("DELETE FROM heartbeats WHERE at < clock_timestamp() - interval '1 day'"))
    db.session.commit()


def age(prefix: str) -> float | None:
    """Seconds since anyone whose name begins so was seen; None for never."""
    found: float | None = db.session.scalar(
        select(func.extract("epoch", func.clock_timestamp() - func.max(Heartbeat.at))).where(
            Heartbeat.name.startswith(prefix)
        )
    )
    return None if found is None else float(found)


def fresh(prefix: str) -> bool:
    seconds = age(prefix)
    return seconds is not None and seconds <= FRESH_SECONDS


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
    """Everything that must be there for the promise to hold."""
    at_head = revision() == expected_revision()
    return {
        "database": True,
        "migrations": at_head,
        "redis": queue.answers(),
        "worker": at_head and fresh("worker:"),
        "clock": at_head and fresh("clock"),
    }


def without_database() -> dict[str, bool]:
    return dict.fromkeys(CHECKS, False) | {"redis": queue.answers()}
