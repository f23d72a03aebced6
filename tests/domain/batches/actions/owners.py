"""Set-up of the tests of actions that instructors have: one of them, and a bulk action of theirs, run and undone."""

import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from lessonadmin.db import Actor, db
from lessonadmin.domain.batches import batches, own_lessons, preview, registry, scheduling
from lessonadmin.domain.batches.batches import Item
from lessonadmin.domain.models import Lesson, User, in_trash
from tests.domain.batches.support import begin, finish


def run(teacher: User, name: str, ids: Sequence[uuid.UUID], **options: object) -> uuid.UUID:
    """Its id, once it is done."""
    given = own_lessons.bound(teacher) | options
    batch_id = begin(registry.find("lesson", name), list(ids), Actor.user(teacher.id), options=given)
    finish(batch_id)
    return batch_id


def undone(teacher: User, batch_id: uuid.UUID) -> uuid.UUID:
    return scheduling.undo(batch_id, actor=Actor.user(teacher.id)).batch_id


def statuses(batch_id: uuid.UUID) -> dict[uuid.UUID, str]:
    return {item.target_id: item.status for item in batches.items(batch_id)}


def items(batch_id: uuid.UUID) -> dict[uuid.UUID, Item]:
    return {item.target_id: item for item in batches.items(batch_id)}


def verdicts(teacher: User, name: str, ids: Sequence[uuid.UUID], **options: object) -> dict[uuid.UUID, bool]:
    """Which of them the preview says would change."""
    action = registry.find("lesson", name)
    lines = preview.lines(action, list(ids), owner=teacher.id, limit=99, options=options)
    return {line.id: line.changes for line in lines}


def lesson(lesson_id: uuid.UUID) -> Any:
    """As it stands in the database, in the trash or not."""
    db.session.rollback()
    wanted = select(Lesson).where(Lesson.id == lesson_id)
    options = {"populate_existing": True, **in_trash.too()}
    return db.session.scalars(wanted, execution_options=options).one()
