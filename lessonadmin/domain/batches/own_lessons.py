"""Bulk actions that an instructor begins: bound to lessons of their own, from the preview to the undo.

A lesson is theirs if it is so when its row runs, under its lock: that it was theirs in the preview counts for nothing. Two walls
say it, as everywhere: `permissions`, and the database, which shows the transaction no lesson of another instructor
before the lock is held. What is not theirs is as if it were missing. Bulk actions of the panel have no such bound.
"""

import uuid
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import joinedload

from lessonadmin.database import row_access
from lessonadmin.database.row_access import RowAccess
from lessonadmin.db import actor, db
from lessonadmin.domain import permissions
from lessonadmin.domain.errors import Forbidden, Missing
from lessonadmin.domain.models import Batch, Lesson, Owner, User, in_trash
from lessonadmin.domain.videos import locking
from lessonadmin.text.ids import as_id

# The option that names the instructor. The author of a batch is not enough: with a deleted account it is forgotten.
OWN = "own"


def bound(user: User) -> dict[str, object]:
    """The option of a batch of this instructor. Staff have the panel, where a reason is asked for."""
    if user.is_staff:
        raise Forbidden("forbidden", "Staff change many lessons at once in the panel, with a reason.")
    permissions.teaches(user)
    return {OWN: str(user.id)}


def bound_of_undo(batch: Batch) -> dict[str, object]:
    """The undo by the instructor is bound like what it undoes; staff undo with the rights of staff."""
    owner = owner_of(batch.options)
    return {OWN: str(owner)} if owner is not None and owner == actor().id else {}


def owner_of(options: Mapping[str, object]) -> uuid.UUID | None:
    """Whose lessons a batch is bound to; None for one of the panel."""
    return as_id(str(options[OWN])) if OWN in options else None


def are_of(owner: uuid.UUID) -> ColumnElement[bool]:
    return Lesson.creator_id == owner


def rows_of(owner: uuid.UUID | None) -> AbstractContextManager[None]:
    """In this block statements see what this instructor may see, also in a worker."""
    return nullcontext() if owner is None else row_access.within(RowAccess(owner))


def locked(owner: uuid.UUID, lesson_ids: Sequence[uuid.UUID]) -> set[uuid.UUID]:
    """Lock those of these lessons that are theirs, and that the open transaction may change in their name."""
    if actor().id != owner:
        return set()
    permissions.acting_user()
    found = locking.lock_many(("lesson", one) for one in lesson_ids)
    theirs = {video.owner.id for video in found.videos.values() if _is_of(owner, video.owner)}
    if theirs:
        row_access.everything_until_commit(db.session())
    return theirs


def _is_of(user_id: uuid.UUID, lesson: Owner) -> bool:
    """Also of an instructor who has become staff meanwhile, and may change what is others'."""
    return lesson.owner_id == user_id and permissions.is_theirs(lesson)


def batch_of(user: User, batch_id: uuid.UUID) -> Batch:
    """A bulk action that this instructor has begun; any other one is missing."""
    batch = db.session.get(Batch, batch_id, populate_existing=True)
    if batch is None or owner_of(batch.options) != user.id:
        raise Missing()
    return batch


@dataclass(frozen=True)
class Press:
    """One press of a button, however often it is sent: it names the batch that it begins.

    `key` is of the page that was shown. The batch's id is made of it and the person, so no one names the batch of another."""

    user_id: uuid.UUID
    key: str

    @property
    def batch_id(self) -> uuid.UUID:
        return uuid.uuid5(self.user_id, self.key)

    def is_the_first(self) -> bool:
        """Has it begun no batch yet? Presses of one person wait for each other until the open transaction ends."""
        mine = select(User.id).where(User.id == self.user_id)
        db.session.execute(mine.with_for_update(key_share=True))
        return db.session.get(Batch, self.batch_id) is None


def any_among(owner: uuid.UUID, lesson_ids: Select[Any]) -> bool:
    """Is any of these lessons theirs, in the trash or not?"""
    wanted = select(Lesson.id).where(Lesson.id.in_(lesson_ids), are_of(owner)).limit(1)
    return db.session.scalar(wanted, execution_options=in_trash.too()) is not None


def now(owner: uuid.UUID, lesson_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, Lesson]:
    """Those of these lessons that are theirs, with their courses, as they are now, in the trash or not."""
    wanted = select(Lesson).where(Lesson.id.in_(lesson_ids), are_of(owner)).options(joinedload(Lesson.course))
    found = db.session.scalars(wanted.execution_options(populate_existing=True, **in_trash.too()))
    return {lesson.id: lesson for lesson in found}
