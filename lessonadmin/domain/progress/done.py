"""What a user has done of many lessons, what they began last, and what they say themselves: done, or not done.

Nothing here is told to an instructor; what they see is counted in `counts`.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, exists, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import joinedload

from lessonadmin.db import db
from lessonadmin.domain import permissions
from lessonadmin.domain.models import Lesson, LessonProgress, User
from lessonadmin.domain.progress import watching
from lessonadmin.domain.progress.watching import FIRST_SECONDS

MAX_BEGUN = 12  # of those that were watched last


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How one lesson stands for a user; `goes_on_at`: the second at which its video goes on, None: at its beginning."""

    done: bool = False
    goes_on_at: float | None = None

    def percent(self, duration: float | None) -> int:
        """How far a video of this length was watched."""
        return round(100 * self.goes_on_at / duration) if self.goes_on_at and duration else 0


UNTOUCHED = Standing()


def mark(user: User, lesson_id: uuid.UUID, *, done: bool) -> datetime | None:
    """A user says that a lesson is done, or that it is not; since when it is done. The position stays."""
    lesson = permissions.lesson_to_play(user, lesson_id)
    if not done:
        db.session.execute(
            update(LessonProgress)
            .where(LessonProgress.user_id == user.id, LessonProgress.lesson_id == lesson.id)
            .values(done_at=None)
        )
        return None
    new = insert(LessonProgress).values(
        user_id=user.id, lesson_id=lesson.id, seconds=0, duration=0, done_at=func.now(), updated_at=func.now()
    )
    marked = new.on_conflict_do_update(
        index_elements=[LessonProgress.user_id, LessonProgress.lesson_id],
        set_={"done_at": func.coalesce(LessonProgress.done_at, new.excluded.done_at)},
    ).returning(LessonProgress.done_at)
    return db.session.scalar(marked)


def among(user: User, lessons: Sequence[Lesson]) -> dict[uuid.UUID, Standing]:
    """How these lessons stand, with one query; those that are not there are untouched."""
    by_id = {lesson.id: lesson for lesson in lessons}
    if not by_id:
        return {}
    rows = db.session.scalars(
        select(LessonProgress)
        .where(LessonProgress.user_id == user.id, LessonProgress.lesson_id.in_(by_id))
        .execution_options(populate_existing=True)
    )
    return {
        row.lesson_id: Standing(
            done=row.done_at is not None,
            goes_on_at=watching.going_on(by_id[row.lesson_id], seconds=row.seconds, duration=row.duration),
        )
        for row in rows
    }


def begun(user: User) -> list[Lesson]:
    """What the user began and has not done, and still sees, the one that was watched last first; a few."""
    return list(
        db.session.scalars(
            select(Lesson)
            .join(LessonProgress, LessonProgress.lesson_id == Lesson.id)
            .where(
                LessonProgress.user_id == user.id,
                LessonProgress.done_at.is_(None),
                LessonProgress.seconds > FIRST_SECONDS,
                permissions.on_sale_or_bought_by(user),
            )
            .options(joinedload(Lesson.course), joinedload(Lesson.creator))
            .order_by(LessonProgress.updated_at.desc())
            .limit(MAX_BEGUN)
            .execution_options(populate_existing=True)
        )
    )


def done_by(user: User) -> ColumnElement[bool]:
    """A condition on lessons: the user has done it."""
    return exists().where(
        LessonProgress.user_id == user.id,
        LessonProgress.lesson_id == Lesson.id,
        LessonProgress.done_at.is_not(None),
    )
