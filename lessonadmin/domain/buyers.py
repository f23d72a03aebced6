"""Who bought a lesson or was given it: asked before its video is taken away from them. Revoked purchases count no more.

Purchases hold the lesson's lock, so a count under that lock stays true until the transaction ends. Names are for staff
alone: no page shows an instructor who the students are, and none of them has agreed to that.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select

from lessonadmin.db import db
from lessonadmin.domain.errors import Conflict
from lessonadmin.domain.models import Purchase, User

MAX_NAMED = 3


def count(lesson_id: uuid.UUID) -> int:
    """How many students bought this lesson."""
    counted = (
        select(func.count())
        .select_from(Purchase)
        .where(Purchase.lesson_id == lesson_id, Purchase.is_in_force)
    )
    return db.session.scalar(counted) or 0


def first_names(lesson_ids: Select[Any] | list[uuid.UUID]) -> list[str]:
    """The first few students who bought any of these lessons, for staff."""
    return list(
        db.session.scalars(
            select(User.name)
            .join(Purchase, Purchase.user_id == User.id)
            .where(Purchase.lesson_id.in_(lesson_ids), Purchase.is_in_force)
            .group_by(User.id)
            .order_by(func.min(Purchase.created_at))
            .limit(MAX_NAMED)
        )
    )


def confirm(lesson_id: uuid.UUID, known: int | None) -> None:
    """Under the lesson's lock: go on only with a person who knows how many bought it."""
    found = count(lesson_id)
    if found and found != known:
        students = "1 student has" if found == 1 else f"{found} students have"
        raise Conflict(
            "buyers_changed", f"{students} bought this lesson. Type that number to remove its video."
        )


@dataclass(frozen=True)
class Bought:
    """How many lessons of a choice were bought, and by how many students."""

    lessons: int
    students: int


def of_many(lesson_ids: Select[Any]) -> Bought:
    """Counted in the database, a million as well as ten."""
    counted = select(
        func.count(Purchase.lesson_id.distinct()), func.count(Purchase.user_id.distinct())
    ).where(Purchase.lesson_id.in_(lesson_ids), Purchase.is_in_force)
    return Bought(*db.session.execute(counted).one())


def bought_after(lesson_id: uuid.UUID, moment: datetime) -> bool:
    """Has a student bought it since, or been given it, or got it again?"""
    since = func.coalesce(Purchase.restored_at, Purchase.created_at)
    later = select(Purchase.id).where(Purchase.lesson_id == lesson_id, since > moment, Purchase.is_in_force)
    return db.session.scalar(later.limit(1)) is not None
