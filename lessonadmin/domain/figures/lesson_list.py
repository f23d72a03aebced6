"""Lessons with what came of each: those of a span that were watched or sold, the best first, or all of them for a file.

Sorted and paged by PostgreSQL. What is in the trash is not listed, and counts in the sums of its days until it is deleted permanently.
"""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from sqlalchemy import ColumnElement, Subquery, func, select
from sqlalchemy.orm import Query

from lessonadmin.db import db
from lessonadmin.domain.figures import scope
from lessonadmin.domain.figures.scope import SALE, Scope, Span
from lessonadmin.domain.models import Lesson, LessonView, Purchase, User
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
    """A page of the lessons that were watched or sold in the span."""
    first = scope.first_day(span, scope.today())
    watched, sold = _watched(which.views(), first), _sold(which.purchases(), first)
    key = func.coalesce(watched.c.lesson_id, sold.c.lesson_id)
    amounts: dict[str, ColumnElement[Any]] = {
        "minutes": func.coalesce(watched.c.minutes, 0.0),
        "plays": func.coalesce(watched.c.plays, 0),
        "sales": func.coalesce(sold.c.sales, 0),
        "cents": func.coalesce(sold.c.cents, 0),
    }
    query = (
        select(Lesson.id, Lesson.title, User.name, Lesson.price_cents, *amounts.values())
        .select_from(watched.outerjoin(sold, watched.c.lesson_id == sold.c.lesson_id, full=True))
        .join(Lesson, Lesson.id == key)
        .join(User, User.id == Lesson.creator_id)
        .order_by(amounts[sort].desc(), amounts["minutes"].desc(), Lesson.id)
        .offset((number - 1) * PER_PAGE)
        .limit(PER_PAGE + 1)
    )
    found = [Row(*row) for row in db.session.execute(query)]
    return Page(found[:PER_PAGE], number, len(found) > PER_PAGE)


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
