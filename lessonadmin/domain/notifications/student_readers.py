"""Which students an announcement is for, a batch after another by their keys, and whether what it says is still true.

Whether a lesson is one that students may have is asked of `permissions`. Nothing in here writes.
"""

import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    any_,
    case,
    exists,
    func,
    literal,
    not_,
    select,
    true,
    union,
)

from lessonadmin.db import db
from lessonadmin.domain import permissions
from lessonadmin.domain.models import (
    Announcement,
    Lesson,
    LessonProgress,
    Notification,
    Purchase,
    User,
)

Told = type[Announcement] | type[Notification]


def still_true(told: Told) -> ColumnElement[bool]:
    """Is the lesson still what was to be told of it? For queries that join it; of other kinds of notices nothing is asked."""
    found = case(
        (told.kind == "course_new_lesson", and_(permissions.on_sale(), Lesson.course_id == told.course_id)),
        (told.kind == "lesson_new_video", Lesson.is_playable),
        (told.kind == "lesson_withdrawn", not_(permissions.on_sale())),
        else_=true(),
    )
    return func.coalesce(found, False)


def still_theirs() -> ColumnElement[bool]:
    """Has the student of a notice still got the lesson? Asked of what is told to buyers alone."""
    bought = exists().where(
        Purchase.lesson_id == Lesson.id, Purchase.user_id == Notification.user_id, Purchase.is_in_force
    )
    return case((Notification.kind.in_(("lesson_new_video", "lesson_withdrawn")), bought), else_=true())


def following(announcement: Announcement, most: int) -> Sequence[uuid.UUID]:
    """The next accounts that have the lesson or something of the course, by their keys, behind those that were told."""
    query = _of_course(announcement, most) if announcement.course_id else _of_lesson(announcement, most)
    return db.session.scalars(query).all()


def _of_lesson(announcement: Announcement, most: int) -> Select[uuid.UUID]:
    return _next_of(Purchase, announcement, most).where(
        Purchase.lesson_id == announcement.lesson_id, Purchase.is_in_force
    )


def _of_course(announcement: Announcement, most: int) -> Select[Any]:
    """From each lesson no more than are wanted at all, so that no batch reads every sale of the course."""
    bought = (
        _next_of(Purchase, announcement, most)
        .where(Purchase.lesson_id == Lesson.id, Purchase.is_in_force)
        .lateral()
    )
    began = (
        _next_of(LessonProgress, announcement, most).where(LessonProgress.lesson_id == Lesson.id).lateral()
    )
    in_course = Lesson.course_id == announcement.course_id
    is_free = and_(permissions.on_sale(), Lesson.price_cents == 0)
    found = union(
        select(bought.c.user_id).select_from(Lesson).join(bought, true()).where(in_course),
        select(began.c.user_id).select_from(Lesson).join(began, true()).where(in_course, is_free),
    ).subquery()
    return select(found.c.user_id).order_by(found.c.user_id).limit(most)


def _next_of(
    having: type[Purchase] | type[LessonProgress], announcement: Announcement, most: int
) -> Select[uuid.UUID]:
    told_up_to = announcement.told_up_to or permissions.OF_NO_ROW
    return select(having.user_id).where(having.user_id > told_up_to).order_by(having.user_id).limit(most)


def who_want_it(
    announcement: Announcement, ids: Sequence[uuid.UUID], *, but: Sequence[uuid.UUID | None]
) -> Sequence[uuid.UUID]:
    """Of these the active students who have not turned this kind off, in order, `but` those whose lesson or course it is."""
    muted = literal(announcement.kind) == any_(User.muted_notices)
    wanted = select(User.id).where(User.id.in_(ids), User.active, User.role == "student", not_(muted))
    return db.session.scalars(
        wanted.where(User.id.not_in([one for one in but if one])).order_by(User.id)
    ).all()
