"""Pages of the lessons and courses that a user may see: newest first, filtered, searched, with the total (JSON API).

Never counts or reads further than CEILING rows: who needs more filters by course, status or words.
"""

import uuid
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Select, or_, select

from lessonadmin.database import row_access
from lessonadmin.db import db
from lessonadmin.domain import permissions
from lessonadmin.domain.captions import spoken_words
from lessonadmin.domain.errors import Invalid
from lessonadmin.domain.lessons import search, trash_list
from lessonadmin.domain.models import Course, Lesson, User
from lessonadmin.domain.querying import bounded_count, full_text

Row = TypeVar("Row", Lesson, Course)
MAX_PAGE_SIZE = 100
LAST_PAGE = 1_000_000
CEILING = 10_000


@dataclass(frozen=True)
class Page(Generic[Row]):
    """One page of a list; `total` counts all pages, and with `more` there are more than that."""

    items: list[Row]
    total: int
    page: int
    per_page: int
    more: bool = False

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // self.per_page))


@dataclass(frozen=True, kw_only=True)
class Query:
    """Filters and page; never more than the user may see."""

    page: int = 1
    per_page: int = 20
    q: str = ""
    status: str | None = None
    video_status: str | None = None
    course_id: uuid.UUID | None = None
    trash: bool = False  # the deleted ones, which no other filter narrows
    loosely: bool = False  # also parts of words, instructors' names and wrong letters


def lessons(user: User, query: Query) -> Page[Lesson]:
    if query.trash:
        return _deleted(user, Lesson, query)
    conditions = [permissions.lessons_for(user)]
    if query.status is not None:
        conditions.append(Lesson.status == query.status)
    if query.video_status is not None:
        conditions.append(Lesson.video_processing_status == query.video_status)
    if query.course_id is not None:
        conditions.append(Lesson.course_id == query.course_id)
    return _page(Lesson, conditions, query, spoken=spoken_words.condition(user, query.q))


def courses(user: User, query: Query) -> Page[Course]:
    if query.trash:
        return _deleted(user, Course, query)
    return _page(Course, [permissions.courses_for(user)], query)


def _deleted(user: User, kind: type[Row], query: Query) -> Page[Row]:
    if query.q or query.status or query.video_status or query.course_id:
        raise Invalid.field("trash", "The trash is listed whole: no other filter goes with it.")
    rows, total = trash_list.rows(user, kind, query.page, query.per_page)
    return Page(rows, total, query.page, query.per_page)


def _page(
    kind: type[Row],
    conditions: list[ColumnElement[bool]],
    query: Query,
    *,
    spoken: ColumnElement[bool] | None = None,
) -> Page[Row]:
    """`spoken`: lessons in whose videos the words are said."""
    if query.loosely:
        found = search.condition(kind, query.q, conditions)
    else:
        found = full_text.matches(kind.search, query.q)
        if found is not None and spoken is not None:
            found = or_(found, spoken)
    offset = (query.page - 1) * query.per_page
    if found is None:
        total = bounded_count.count(kind.id, conditions, CEILING)
    else:
        conditions.append(found)
        bounded_count.plan_by_values()
        with row_access.everything():  # the index of words answers no statement that policies narrow
            total = bounded_count.count_found(kind.id, conditions, CEILING)
        if not total.more:
            conditions = [bounded_count.named(kind.id, conditions, total)]
    if total.more and offset >= CEILING:
        raise Invalid.field(
            "page",
            f"A list can be read up to its {CEILING}th row. Narrow it: by words, a status, or a course.",
        )
    if not total.more and offset >= total.number:
        return Page([], total.number, query.page, query.per_page)
    rows: Select[Any] = (
        select(kind)
        .where(*conditions)
        .order_by(kind.created_at.desc(), kind.id.desc())
        .limit(query.per_page)
        .offset(offset)
        .execution_options(populate_existing=True)
    )
    return Page(list(db.session.scalars(rows)), total.number, query.page, query.per_page, more=total.more)
