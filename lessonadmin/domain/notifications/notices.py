"""Notices to users about their lessons, as rows: reading, counting, marking as read. Mail is sent by `delivery`.

What failed for one cause on one day is shown as one digest, however many lessons it hit, and read as one.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Date, Uuid, and_, case, cast, func, or_, select, true, update
from sqlalchemy.dialects.postgresql import aggregate_order_by

from lessonadmin.db import db
from lessonadmin.domain import permissions
from lessonadmin.domain.models import Course, Lesson, Notification, User
from lessonadmin.domain.models.notifications import TO_STUDENTS

PER_PAGE = 20
MAX_SHOWN = 25  # of one digest; the rest is counted


@dataclass(frozen=True, kw_only=True)
class Item:
    """One notice; `lesson_id` or `course_id` is where to go, if this reader may still see it. `is_theirs`: it is their own."""

    id: uuid.UUID
    message: str
    at: datetime
    lesson_id: uuid.UUID | None
    course_id: uuid.UUID | None
    title: str
    is_theirs: bool


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One line of the list: a notice, or a digest of several. `id` is that of the newest."""

    id: uuid.UUID
    kind: str
    cause: str | None
    count: int
    unread: bool
    items: list[Item]

    @property
    def at(self) -> datetime:
        return self.items[0].at

    @property
    def hidden(self) -> int:
        """How many of a digest are not listed."""
        return self.count - len(self.items)


@dataclass(frozen=True, kw_only=True)
class Page:
    """One page; `older` is where the next one begins."""

    entries: list[Entry]
    older: uuid.UUID | None


def unread_count(user_id: uuid.UUID) -> int:
    """How many notices this user has not read; answered from an index that holds only unread ones."""
    return (
        db.session.scalar(
            select(func.count())
            .select_from(Notification)
            .where(Notification.user_id == user_id, Notification.read_at.is_(None))
        )
        or 0
    )


def page(user: User, *, unread_only: bool = False, before: uuid.UUID | None = None) -> Page:
    """The newest first, each digest as one entry; with two queries however long it is."""
    ids = func.array_agg(
        aggregate_order_by(Notification.id, Notification.id.desc()), type_=ARRAY(Uuid(as_uuid=True))
    )
    newest, unread = ids[1], Notification.read_at.is_(None)
    groups = (
        select(
            *(Notification.kind, Notification.cause, unread.label("unread")),
            *(func.count().label("count"), newest.label("newest"), ids[1:MAX_SHOWN].label("ids")),
        )
        .where(Notification.user_id == user.id)
        .group_by(Notification.kind, Notification.cause, _day(), _alone(), unread)
        .order_by(newest.desc())
        .limit(PER_PAGE + 1)
    )
    if unread_only:
        groups = groups.where(unread)
    if before is not None:
        groups = groups.having(newest < before)
    found = db.session.execute(groups).all()
    items = _items(user, [one for group in found[:PER_PAGE] for one in group.ids])
    entries = [
        Entry(
            id=group.newest,
            kind=group.kind,
            cause=group.cause,
            count=group._mapping["count"],
            unread=group.unread,
            items=[items[one] for one in group.ids if one in items],
        )
        for group in found[:PER_PAGE]
    ]
    more = len(found) > PER_PAGE
    return Page(
        entries=[one for one in entries if one.items], older=found[PER_PAGE - 1].newest if more else None
    )


def _day() -> ColumnElement[Any]:
    return cast(func.timezone("UTC", Notification.created_at), Date)


def _alone() -> ColumnElement[Any]:
    """What has no cause in common with anything is a group of its own."""
    return case((Notification.cause.is_(None), Notification.id))


def _items(user: User, ids: list[uuid.UUID]) -> dict[uuid.UUID, Item]:
    if not ids:
        return {}
    # of a lesson of another person's a student is told where the catalogue opens it for them
    theirs = and_(Notification.kind.in_(TO_STUDENTS), permissions.on_sale_or_bought_by(user))
    mine = true() if user.is_staff else or_(Lesson.creator_id == user.id, theirs)
    their_course = and_(Notification.kind.in_(TO_STUDENTS), permissions.has_lessons_on_sale())
    my_course = true() if user.is_staff else or_(Course.instructor_id == user.id, their_course)
    rows = db.session.execute(
        select(
            *(Notification.id, Notification.message, Notification.created_at),
            *(Lesson.id.label("lesson_id"), Course.id.label("course_id")),
            func.coalesce(Lesson.title, Course.title, "").label("title"),
            func.coalesce(Lesson.creator_id, Course.instructor_id).label("owner_id"),
        )
        .select_from(Notification)
        .outerjoin(Lesson, (Lesson.id == Notification.lesson_id) & mine)
        .outerjoin(Course, (Course.id == Notification.course_id) & my_course)
        .where(Notification.id.in_(ids))
    )
    return {
        row.id: Item(
            id=row.id,
            message=row.message,
            at=row.created_at,
            lesson_id=row.lesson_id,
            course_id=row.course_id,
            title=row.title,
            is_theirs=row.owner_id == user.id,
        )
        for row in rows
    }


def one(user: User, notice_id: uuid.UUID) -> tuple[str, Item]:
    """Of which kind a notice is, and what it is about."""
    kind = db.session.scalars(select(Notification.kind).where(Notification.id == notice_id)).one()
    return kind, _items(user, [notice_id])[notice_id]


def mark_read(user: User, notice_id: uuid.UUID) -> bool:
    """Mark a notice as read, with the older ones of its digest; False if this person has no such notice."""
    notice = db.session.scalar(
        select(Notification).where(Notification.id == notice_id, Notification.user_id == user.id)
    )
    if notice is None:
        return False
    same: list[ColumnElement[bool]] = [Notification.id == notice_id]
    if notice.cause is not None:
        day = select(_day()).where(Notification.id == notice_id).scalar_subquery()
        same = [
            Notification.kind == notice.kind,
            Notification.cause == notice.cause,
            Notification.id <= notice_id,
            _day() == day,
        ]
    _mark(user, *same)
    return True


def mark_all_read(user: User, *, until: uuid.UUID | None = None) -> int:
    """Mark everything as read that this person can have seen: what came after `until` stays unread."""
    return _mark(user, *([Notification.id <= until] if until is not None else []))


def _mark(user: User, *which: ColumnElement[bool]) -> int:
    marked = db.session.scalars(
        update(Notification)
        .where(Notification.user_id == user.id, Notification.read_at.is_(None), *which)
        .values(read_at=func.clock_timestamp())
        .returning(Notification.id)
        .execution_options(synchronize_session=False)
    )
    return len(marked.all())
