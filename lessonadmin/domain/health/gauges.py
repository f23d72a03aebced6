"""What `/metrics` and the dashboard say of this moment: counted from rows and queues when somebody asks."""

import uuid

from sqlalchemy import Select, func, select

from lessonadmin import queue
from lessonadmin.db import db
from lessonadmin.domain.health import alarms as alarm_kinds
from lessonadmin.domain.models import AssetDeletion, Lesson
from lessonadmin.domain.videos import conditions


def lessons_stuck() -> int:
    """Lessons whose videos take longer than they should; they are still watched."""
    return _count(conditions.stuck_ids(Lesson))


def deletions_pending() -> int:
    return _count(select(AssetDeletion.id).where(AssetDeletion.done_at.is_(None)))


def _count(rows: Select[uuid.UUID]) -> int:
    return db.session.execute(select(func.count()).select_from(rows.subquery())).scalar_one()


def queue_jobs() -> dict[str, dict[str, int]]:
    """How many jobs each queue has in each state."""
    return queue.counts()


def alarms() -> dict[str, bool]:
    """Every kind of alarm, and whether it stands."""
    standing = {one.kind for one in alarm_kinds.standing()}
    return {kind: kind in standing for kind in alarm_kinds.BY_NAME}
