"""What is known of Mux, its messages and the processes, whichever video is looked at: read by one statement for all outages.

Each part of the statement is answered by an index or by a table of a few rows. Mux is not asked.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import DateTime, Float, Select, Text, cast, func, literal, select, union_all

from lessonadmin.db import db
from lessonadmin.domain import heartbeats
from lessonadmin.domain.models import Alarm, MuxEvent, Rollup

LATELY = timedelta(minutes=15)
MUX = "mux:"  # how the heartbeats begin that say what Mux last answered to background work
SIGNATURE_REASONS = ("mismatch", "stale", "future", "missing", "malformed")
REFUSED_AT_LEAST = 3


@dataclass(frozen=True)
class Signals:
    """`alarms`: the kinds of those that stand. `seen`: seconds since each heartbeat of Mux, workers and clock. `refused`: how
    many messages of Mux were refused lately for their signature."""

    alarms: frozenset[str]
    seen: Mapping[str, float]
    refused: int


def read_signals() -> Signals:
    rows = db.session.execute(union_all(_alarms(), _heartbeats(), _refused(), _accepted())).all()
    refused = next(row for row in rows if row.source == "refused")
    accepted = next((row.at for row in rows if row.source == "accepted"), None)
    return Signals(
        frozenset(row.name for row in rows if row.source == "alarm"),
        {row.name: row.number for row in rows if row.source == "heartbeat"},
        _refused_lately(int(refused.number), refused.at, accepted),
    )


def _refused_lately(count: int, last: datetime | None, accepted: datetime | None) -> int:
    """How many were refused, if none was accepted since; a stranger's few tries are no outage."""
    if count < REFUSED_AT_LEAST or last is None:
        return 0
    return 0 if accepted is not None and accepted > last else count


def _part(source: str, name: Any = None, number: Any = None, at: Any = None) -> Select[Any]:
    """A part of the statement; all have the same columns."""
    return select(
        literal(source).label("source"),
        (literal(None, Text) if name is None else name).label("name"),
        (literal(None, Float) if number is None else cast(number, Float)).label("number"),
        (literal(None, DateTime(timezone=True)) if at is None else at).label("at"),
    )


def _alarms() -> Select[Any]:
    return _part("alarm", name=Alarm.kind).where(Alarm.ended_at.is_(None))


def _heartbeats() -> Select[Any]:
    seen = heartbeats.ages_query(MUX, heartbeats.WORKER, heartbeats.CLOCK).subquery()
    name, age = seen.c
    return _part("heartbeat", name=name, number=age)


def _refused() -> Select[Any]:
    return _part(
        "refused", number=func.coalesce(func.sum(Rollup.count), 0), at=func.max(Rollup.updated_at)
    ).where(
        Rollup.figure == "rejected",
        Rollup.label.in_(SIGNATURE_REASONS),
        # An index is not compared with a clock that moves while the statement runs.
        Rollup.hour > func.now() - LATELY - timedelta(hours=1),
        Rollup.updated_at > func.clock_timestamp() - LATELY,
    )


def _accepted() -> Select[Any]:
    """When the newest message was accepted."""
    return _part("accepted", at=MuxEvent.received_at).order_by(MuxEvent.received_at.desc()).limit(1)
