"""The page "Lessons" of an instructor (staff: of all): what needs attention first, filtered and searched.

Read-only. Every order ends with the id, so that no row is shown twice or left out; totals stop counting at a ceiling, so
that a million lessons open as quickly as ten.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from sqlalchemy import ColumnElement, Select, and_, not_, or_, select
from sqlalchemy.orm import joinedload

from lessonadmin.db import db
from lessonadmin.domain import attention, permissions
from lessonadmin.domain.captions import spoken_words
from lessonadmin.domain.lessons import search
from lessonadmin.domain.models import Lesson, Tracking, User
from lessonadmin.domain.querying import bounded_count

State = Literal["", "attention", "moving", "draft", "published"]
STATES: tuple[State, ...] = ("", "attention", "moving", "draft", "published")
CEILING = 10_000
PER_PAGE = 20
LAST_PAGE = CEILING // PER_PAGE
Sort = Literal["", "title", "-title", "price", "-price", "created", "-created"]
ORDERS: dict[str, tuple[ColumnElement[Any], ...]] = {
    "title": (Lesson.title.asc(), Lesson.id.asc()),
    "-title": (Lesson.title.desc(), Lesson.id.desc()),
    "price": (Lesson.price_cents.asc(), Lesson.id.asc()),
    "-price": (Lesson.price_cents.desc(), Lesson.id.desc()),
    "created": (Lesson.created_at.asc(), Lesson.id.asc()),
    "-created": (Lesson.created_at.desc(), Lesson.id.desc()),
}
NEWEST = ORDERS["-created"]


@dataclass(frozen=True, kw_only=True)
class Query:
    """Filters, order and page; the empty sort is "what needs attention first, then the newest"."""

    state: State = ""
    q: str = ""
    sort: Sort = ""
    page: int = 1


@dataclass(frozen=True, kw_only=True)
class Page:
    lessons: list[Lesson]
    total: int
    capped: bool
    page: int
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // PER_PAGE))

    @property
    def first(self) -> int:
        return (self.page - 1) * PER_PAGE + 1


def _needs_attention(user: User) -> ColumnElement[bool]:
    """Of a school's lessons all that need a person are listed; of an instructor's, each is asked."""
    return attention.needed(Lesson) if user.is_staff else attention.needed_by_each(Lesson)


def _moving(_user: User) -> ColumnElement[bool]:
    """An upload is on its way, also beside a video that plays."""
    coming = select(Tracking.lesson_id).where(
        Tracking.is_current, Tracking.is_open, Tracking.lesson_id.is_not(None)
    )
    return or_(Lesson.video_processing_status == "deleting", Lesson.id.in_(coming))


FILTERS: dict[str, Any] = {
    "attention": _needs_attention,
    "moving": _moving,
    "draft": lambda _user: Lesson.status == "draft",
    "published": lambda _user: Lesson.status == "published",
}


def _conditions(user: User, query: Query) -> list[ColumnElement[bool]]:
    conditions = [permissions.lessons_for(user)]
    if query.state:
        conditions.append(FILTERS[query.state](user))
    found = search.condition(Lesson, query.q, conditions, spoken=spoken_words.condition(user, query.q))
    if found is not None:
        conditions.append(found)
    return conditions


def matching(user: User, query: Query) -> Select[Any]:
    """The ids of all lessons that the list shows on its pages together, the oldest first."""
    return select(Lesson.id).where(*_conditions(user, query)).order_by(*ORDERS["created"])


def page(user: User, query: Query) -> Page:
    mine = permissions.lessons_for(user)
    conditions = _conditions(user, query)
    total = _count(conditions)
    number = min(query.page, max(1, -(-total.number // PER_PAGE)))
    offset = (number - 1) * PER_PAGE
    if query.sort:
        lessons = _rows(conditions, ORDERS[query.sort], offset, PER_PAGE)
    else:
        lessons = _attention_first(user, conditions, offset)
    return Page(
        lessons=lessons,
        total=total.number,
        capped=total.more,
        page=number,
        counts={name: _count([mine, FILTERS[name](user)]).number for name in ("attention", "moving")},
    )


def _attention_first(user: User, conditions: Sequence[ColumnElement[bool]], offset: int) -> list[Lesson]:
    """In two steps, each along an index: one order over everything would sort every lesson for every page."""
    urgent = _needs_attention(user)
    count = _count([*conditions, urgent]).number
    rows: list[Lesson] = []
    if offset < count:
        rows = _rows([*conditions, urgent], NEWEST, offset, PER_PAGE)
    if len(rows) < PER_PAGE:
        rest = and_(*conditions, not_(attention.needed_by_each(Lesson)))
        rows += _rows([rest], NEWEST, max(0, offset - count), PER_PAGE - len(rows))
    return rows


def _count(conditions: Sequence[ColumnElement[bool]]) -> bounded_count.Count:
    return bounded_count.count(Lesson.id, conditions, CEILING)


def _rows(
    conditions: Sequence[ColumnElement[bool]], order: tuple[ColumnElement[Any], ...], offset: int, limit: int
) -> list[Lesson]:
    found = db.session.scalars(
        select(Lesson)
        .where(*conditions)
        .options(joinedload(Lesson.course), joinedload(Lesson.creator))
        .order_by(*order)
        .offset(offset)
        .limit(limit)
        .execution_options(populate_existing=True)
    )
    return list(found)


def has_any(user: User) -> bool:
    return db.session.scalar(select(Lesson.id).where(permissions.lessons_for(user)).limit(1)) is not None


def read_state(text: str) -> State:
    """An unknown word filters nothing."""
    return text if text in STATES else ""


def read_sort(text: str) -> Sort:
    return cast(Sort, text) if text in ORDERS else ""
