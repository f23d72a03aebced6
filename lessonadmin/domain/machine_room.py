"""Is anybody there to do the work: one query and one ping, for the diagnosis of a lesson."""

from dataclasses import dataclass

from sqlalchemy import func, select

from lessonadmin import queue
from lessonadmin.db import db, later
from lessonadmin.domain.models import Heartbeat
from lessonadmin.domain.vital_signs import FRESH_SECONDS


@dataclass(frozen=True)
class State:
    redis: bool
    worker: bool
    clock: bool


def state() -> State:
    """Who was seen within the last minute, and whether Redis answers."""
    fresh = Heartbeat.at >= later(-FRESH_SECONDS)
    row = db.session.execute(
        select(
            func.count().filter(Heartbeat.name.startswith("worker:"), fresh),
            func.count().filter(Heartbeat.name.startswith("clock"), fresh),
        )
    ).one()
    return State(redis=queue.answers(), worker=row[0] > 0, clock=row[1] > 0)
