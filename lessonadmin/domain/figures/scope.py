"""Whose figures: those of one lesson, of an instructor's lessons, or of the whole school; and of which days.

What counts as a sale is said here alone: a purchase in force that a student paid for. Revoked ones and given ones are no money.
Who may see whose figures is asked here as well.
"""

import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal

from sqlalchemy import ColumnElement, and_, func, literal_column, select, true

from lessonadmin.db import db
from lessonadmin.domain.errors import Missing
from lessonadmin.domain.models import LessonView, Purchase, User

Span = Literal["7", "30", "90", "all"]
SPANS: tuple[Span, ...] = ("7", "30", "90", "all")
USUAL: Span = "30"
# As the indexes of sales have it: a condition that hands the number over as a parameter may miss them.
SALE = and_(
    Purchase.revoked_at.is_(None), Purchase.given_by.is_(None), Purchase.price_cents > literal_column("0")
)


@dataclass(frozen=True)
class Scope:
    """One of the two, or neither for the school."""

    lesson_id: uuid.UUID | None = None
    owner_id: uuid.UUID | None = None

    def views(self) -> ColumnElement[bool]:
        if self.lesson_id is not None:
            return LessonView.lesson_id == self.lesson_id
        return LessonView.owner_id == self.owner_id if self.owner_id is not None else true()

    def purchases(self) -> ColumnElement[bool]:
        if self.lesson_id is not None:
            return Purchase.lesson_id == self.lesson_id
        return Purchase.owner_id == self.owner_id if self.owner_id is not None else true()


def of_user(user: User, instructor_id: uuid.UUID | None) -> tuple[Scope, User | None]:
    """An instructor has their own figures, staff those of any instructor or of the school; with the instructor, if it is another one."""
    if not user.is_staff:
        if instructor_id not in (None, user.id):
            raise Missing
        return Scope(owner_id=user.id), None
    if instructor_id is None:
        return Scope(), None
    instructor = db.session.get(User, instructor_id)
    if instructor is None:
        raise Missing
    return Scope(owner_id=instructor_id), instructor


def read_span(text: str) -> Span:
    """An unknown word is the usual one."""
    return text if text in SPANS else USUAL


def today() -> date:
    now: datetime = db.session.execute(select(func.clock_timestamp())).scalar_one()
    return now.astimezone(UTC).date()


def first_day(span: Span, until: date) -> date | None:
    """None: as far as is kept."""
    return None if span == "all" else until - timedelta(days=int(span) - 1)


def viewed_since(first: date | None) -> ColumnElement[bool]:
    return LessonView.day >= first if first is not None else true()


def bought_since(first: date | None) -> ColumnElement[bool]:
    if first is None:
        return true()
    return Purchase.created_at >= datetime(first.year, first.month, first.day, tzinfo=UTC)
