"""Pages of lessons and courses as somebody may see them: newest first, filtered, searched, with the total."""

import uuid
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Select, func, select

from lessonadmin.db import db
from lessonadmin.domain import access, searching
from lessonadmin.domain.models import Course, Lesson, User

Row = TypeVar("Row", Lesson, Course)
LARGEST_PAGE = 100
LAST_PAGE = 1_000_000


@dataclass(frozen=True)
class Page(Generic[Row]):
    """One page of a list; `total` counts all pages."""

    items: list[Row]
    total: int
    page: int
    per_page: int

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // self.per_page))


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What somebody wants to see, whatever they may see."""

    page: int = 1
    per_page: int = 20
    q: str = ""
    status: str | None = None
    video_status: str | None = None
    course_id: uuid.UUID | None = None


def lessons(user: User, wish: Wish) -> Page[Lesson]:
    conditions = [access.lessons_for(user)]
    if wish.status is not None:
        conditions.append(Lesson.status == wish.status)
    if wish.video_status is not None:
        conditions.append(Lesson.video_processing_status == wish.video_status)
    if wish.course_id is not None:
        conditions.append(Lesson.course_id == wish.course_id)
    return _page(Lesson, conditions, wish)


def courses(user: User, wish: Wish) -> Page[Course]:
    return _page(Course, [access.courses_for(user)], wish)


def _page(kind: type[Row], conditions: list[ColumnElement[bool]], wish: Wish) -> Page[Row]:
    found = searching.matches(kind.search, wish.q)
    if found is not None:
        conditions.append(found)
    total = db.session.scalar(select(func.count()).select_from(kind).where(*conditions)) or 0
    rows: Select[Any] = (
        select(kind)
        .where(*conditions)
        .order_by(kind.created_at.desc(), kind.id.desc())
        .limit(wish.per_page)
        .offset((wish.page - 1) * wish.per_page)
        .execution_options(populate_existing=True)
    )
    items = list(db.session.scalars(rows)) if total else []
    return Page(items, total, wish.page, wish.per_page)
