"""What is in the trash, for those who may restore it: an instructor their own, staff everyone's. Changes nothing."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, func, literal, select, true, union_all

from lessonadmin.db import db, transaction_time
from lessonadmin.domain import permissions
from lessonadmin.domain.errors import Missing
from lessonadmin.domain.lessons import edit_history, trash
from lessonadmin.domain.models import Course, Kind, Lesson, Owner, User, in_trash, owners
from lessonadmin.domain.videos.locking import Target

PER_PAGE = 50
LAST_PAGE = 10_000
Row = TypeVar("Row", Lesson, Course)


@dataclass(frozen=True)
class Deleted:
    """One line of the trash. `was_published`: it can be published again by restoring it. `lessons`: of a course, how many come back
    into it."""

    kind: Kind
    id: uuid.UUID
    title: str
    owner: str
    deleted_at: datetime
    deleted_by: str
    until: datetime
    was_published: bool
    lessons: int


@dataclass(frozen=True)
class Trash:
    """A page of it, the newest first."""

    items: list[Deleted]
    page: int
    more: bool


def page(user: User, number: int = 1) -> Trash:
    """What this user may restore: an instructor their own, staff everyone's."""
    wanted = union_all(*(_keys(user, kind) for kind in owners.MODELS)).subquery()
    newest = select(wanted.c.kind, wanted.c.id).order_by(wanted.c.deleted_at.desc(), wanted.c.id.desc())
    rows = db.session.execute(
        newest.limit(PER_PAGE + 1).offset((number - 1) * PER_PAGE), execution_options=in_trash.too()
    ).all()
    found = {
        one.id: one for kind in owners.MODELS for one in _rows(kind, [row.id for row in rows[:PER_PAGE]])
    }
    items = _shown(user, [found[row.id] for row in rows[:PER_PAGE] if row.id in found])
    return Trash(items, number, len(rows) > PER_PAGE)


def one(user: User, kind: Kind, owner_id: uuid.UUID) -> Deleted:
    """The same of one, for the question before it is ended; Missing if it is not in the trash."""
    owner = permissions.deleted_by_now(user, kind, owner_id)
    if owner.deleted_at is None:
        raise Missing()
    return _shown(user, [owner])[0]


def chosen(user: User, targets: Iterable[Target]) -> list[Deleted]:
    """The same of those among these that this user may restore: courses first, by title."""
    wanted = list(targets)
    found = [
        row
        for kind in owners.MODELS
        for row in _rows(kind, [owner_id for of_kind, owner_id in wanted if of_kind == kind])
        if permissions.owns(user, row)
    ]
    return sorted(_shown(user, found), key=lambda one: (one.kind, one.title, one.id))


def rows(user: User, model: type[Row], number: int, per_page: int) -> tuple[list[Row], int]:
    """A page of the deleted lessons, or of the courses, and how many there are, for the API."""
    conditions = [model.deleted_at.is_not(None), _theirs(user, model.kind)]
    counted = select(func.count()).select_from(model).where(*conditions)
    total = db.session.scalar(counted, execution_options=in_trash.too()) or 0
    newest = select(model).where(*conditions).order_by(model.deleted_at.desc(), model.id.desc())
    found = newest.limit(per_page).offset((number - 1) * per_page)
    options = {"populate_existing": True, **in_trash.too()}
    return list(db.session.scalars(found, execution_options=options)), total


def _theirs(user: User, kind: Kind) -> ColumnElement[bool]:
    permissions.teaches(user)
    if user.is_staff:
        return true()
    return (Lesson.creator_id if kind == "lesson" else Course.instructor_id) == user.id


def _keys(user: User, kind: Kind) -> Select[Any]:
    model = owners.MODELS[kind]
    deleted = select(literal(kind).label("kind"), model.id.label("id"), model.deleted_at.label("deleted_at"))
    return deleted.where(model.deleted_at.is_not(None), _theirs(user, kind))


def _rows(kind: Kind, ids: list[uuid.UUID]) -> list[Owner]:
    model = owners.MODELS[kind]
    found = select(model).where(model.id.in_(ids), model.deleted_at.is_not(None))
    return list(db.session.scalars(found.execution_options(populate_existing=True, **in_trash.too())))


def _shown(user: User, rows: list[Owner]) -> list[Deleted]:
    ids = {row.owner_id for row in rows} | {row.deleted_by for row in rows if row.deleted_by}
    people = {one.id: one for one in db.session.scalars(select(User).where(User.id.in_(ids)))}
    inside = _lessons_in([row.id for row in rows if isinstance(row, Course)])
    return [_line(user, row, people, inside) for row in rows]


def _lessons_in(course_ids: list[uuid.UUID]) -> dict[uuid.UUID, int]:
    counted = (
        select(Lesson.trashed_course_id, func.count())
        .where(Lesson.trashed_course_id.in_(course_ids))
        .group_by(Lesson.trashed_course_id)
    )
    return {course_id: count for course_id, count in db.session.execute(counted).all() if course_id} if course_ids else {}  # fmt: skip


def _line(user: User, row: Owner, people: dict[uuid.UUID, User], inside: dict[uuid.UUID, int]) -> Deleted:
    by = people.get(row.deleted_by) if row.deleted_by else None
    deleted_at = row.deleted_at or transaction_time()
    return Deleted(
        kind=row.kind,
        id=row.id,
        title=row.title,
        owner=str(people[row.owner_id]) if row.owner_id != user.id and row.owner_id in people else "",
        deleted_at=deleted_at,
        deleted_by=_who(user, row, by),
        until=trash.end_of(deleted_at),
        was_published=trash.can_publish(row),
        lessons=inside.get(row.id, 0),
    )


def _who(user: User, row: Owner, by: User | None) -> str:
    if by is None:
        return "Lessonadmin"
    return "you" if by.id == user.id else edit_history.editor_name(user, row, by)
