"""Lessons with what came of each: those of a span that were watched or sold, the best first, or all of them for a file.

Sorted and paged by PostgreSQL, by views or by sales, and what is equal there by its id. What is in the trash is not listed, and counts in the sums of its days until it is deleted permanently.
"""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from sqlalchemy import ColumnElement, Select, Subquery, func, select
from sqlalchemy.orm import Query

from lessonadmin.db import db
from lessonadmin.domain.figures import kept_sums, scope
from lessonadmin.domain.figures.scope import SALE, Scope, Span
from lessonadmin.domain.models import Lesson, LessonSum, LessonView, Purchase, User
from lessonadmin.domain.querying.slices import slices

PER_PAGE = 20
LAST_PAGE = 500
Sort = Literal["minutes", "plays", "sales", "cents"]
SORTS: tuple[Sort, ...] = ("minutes", "plays", "sales", "cents")


@dataclass(frozen=True)
class Row:
    """A lesson, and what came of it."""

    id: uuid.UUID
    title: str
    instructor: str
    price_cents: int
    minutes: float
    plays: int
    sales: int
    cents: int


@dataclass(frozen=True)
class Page:
    rows: Sequence[Row]
    page: int
    more: bool


def read_sort(text: str) -> Sort:
    """An unknown word sorts by minutes."""
    return text if text in SORTS else "minutes"


def best(which: Scope, span: Span, sort: Sort, number: int) -> Page:
    """A page of the lessons that were watched or sold in the span: first those that have what is sorted by, then the others.

    Views alone are added up for an order by views, and sales alone for one by sales; the other sums are asked for of the page's lessons.
    A whole page of the school's most watched ones is read from the sums that are kept."""
    first, skip = scope.first_day(span, scope.today()), (number - 1) * PER_PAGE
    ids = _kept(span, first, sort, skip) if which == Scope() and sort in ("minutes", "plays") else []
    if len(ids) <= PER_PAGE:
        ids = _added_up(which, first, sort, skip)
    lessons = {one.id: one for one in db.session.scalars(select(Lesson).where(Lesson.id.in_(ids)))}
    found = _rows([lessons[one] for one in ids if one in lessons], first)
    return Page(found[:PER_PAGE], number, len(found) > PER_PAGE)


def _kept(span: Span, first: date | None, sort: Sort, skip: int) -> list[uuid.UUID]:
    """None at all, if the sums are not current."""
    by = (LessonSum.seconds.desc(), LessonSum.plays.desc())
    order = by if sort == "minutes" else tuple(reversed(by))
    best_first = (
        select(Lesson.id)
        .join(LessonSum, LessonSum.lesson_id == Lesson.id)
        .where(LessonSum.span == span, kept_sums.current(span, first))
        .order_by(*order, LessonSum.lesson_id)
    )
    return list(db.session.scalars(best_first.offset(skip).limit(PER_PAGE + 1)))


def _added_up(which: Scope, first: date | None, sort: Sort, skip: int) -> list[uuid.UUID]:
    watched, sold = _watched(which.views(), first), _sold(which.purchases(), first)
    by_views = (watched.c.minutes, watched.c.plays)
    by_sales = (sold.c.sales, sold.c.cents)
    has, other = (watched, sold) if sort in ("minutes", "plays") else (sold, watched)
    order, other_order = (by_views, by_sales) if has is watched else (by_sales, by_views)
    leading = select(Lesson.id).join(has, has.c.lesson_id == Lesson.id)
    ids = _some(leading, _first_of(sort, order), skip)
    if len(ids) <= PER_PAGE:
        behind = skip - (db.session.scalar(select(func.count()).select_from(leading.subquery())) or 0)
        rest = select(Lesson.id).join(other, other.c.lesson_id == Lesson.id)
        without = rest.where(Lesson.id.not_in(select(has.c.lesson_id)))
        ids += _some(without, other_order, max(behind, 0))[: PER_PAGE + 1 - len(ids)]
    return ids


def _first_of(sort: Sort, columns: tuple[ColumnElement[Any], ...]) -> tuple[ColumnElement[Any], ...]:
    return tuple(sorted(columns, key=lambda column: column.key != sort))


def _some(ids: Select[Any], order: tuple[ColumnElement[Any], ...], skip: int) -> list[uuid.UUID]:
    best_first = ids.order_by(*(column.desc() for column in order), Lesson.id)
    return list(db.session.scalars(best_first.offset(skip).limit(PER_PAGE + 1)))


def count(which: Scope) -> int:
    """How many lessons `every` has."""
    return _lessons(which).count()


def every(which: Scope, span: Span) -> Iterator[list[Row]]:
    """All lessons, also those of which nothing came, newest first and in slices."""
    first = scope.first_day(span, scope.today())
    for lessons in slices(_lessons(which), Lesson.id):
        yield _rows(lessons, first)


def _lessons(which: Scope) -> Query[Lesson]:
    query = db.session.query(Lesson)
    return query if which.owner_id is None else query.filter(Lesson.creator_id == which.owner_id)


def _rows(lessons: Sequence[Lesson], first: date | None) -> list[Row]:
    ids = [lesson.id for lesson in lessons]
    watched, sold = _watched(LessonView.lesson_id.in_(ids), first), _sold(Purchase.lesson_id.in_(ids), first)
    views = {row[0]: row[1:] for row in db.session.execute(select(watched))}
    sales = {row[0]: row[1:] for row in db.session.execute(select(sold))}
    people = select(User.id, User.name).where(User.id.in_({lesson.creator_id for lesson in lessons}))
    names = {row[0]: row[1] for row in db.session.execute(people)}
    return [
        Row(
            one.id,
            one.title,
            names.get(one.creator_id, ""),
            one.price_cents,
            *views.get(one.id, (0.0, 0)),
            *sales.get(one.id, (0, 0)),
        )
        for one in lessons
    ]


def _watched(condition: ColumnElement[bool], first: date | None) -> Subquery:
    return (
        select(
            LessonView.lesson_id,
            (func.sum(LessonView.seconds) / 60).label("minutes"),
            func.sum(LessonView.plays).label("plays"),
        )
        .where(condition, scope.viewed_since(first))
        .group_by(LessonView.lesson_id)
        .subquery()
    )


def _sold(condition: ColumnElement[bool], first: date | None) -> Subquery:
    return (
        select(Purchase.lesson_id, func.count().label("sales"), func.sum(Purchase.price_cents).label("cents"))
        .where(condition, SALE, scope.bought_since(first))
        .group_by(Purchase.lesson_id)
        .subquery()
    )
