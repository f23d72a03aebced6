"""Lessons by what is said in their videos, for searches: only those that this user may play, so that no search tells the words of others.

A few statements, each bounded: no more than MAX_FOUND lessons are named, and of free ones the first MAX_LOOKED_AT that say it are looked
at, whatever the word. What a user owns or bought is found whole.
"""

import uuid
from typing import Any

from sqlalchemy import ColumnElement, Select, Uuid, and_, any_, cast, select
from sqlalchemy.dialects.postgresql import ARRAY

from lessonadmin.database import row_access
from lessonadmin.db import db
from lessonadmin.domain import permissions
from lessonadmin.domain.models import Lesson, Purchase, Transcript, User
from lessonadmin.domain.querying import bounded_count, full_text

MAX_FOUND = 1_000
MAX_LOOKED_AT = 5_000
Ids = Select[Any]


def condition(user: User, typed: str) -> ColumnElement[bool] | None:
    """Lessons in whose video every word is said, each from its beginning; None if there is none."""
    found = lessons_saying(user, typed)
    if not found:
        return None
    named: ColumnElement[bool] = Lesson.id == any_(cast(found, ARRAY(Uuid)))
    return named


def lessons_saying(user: User, typed: str) -> list[uuid.UUID]:
    """Their ids, in no order."""
    said = full_text.matches(Transcript.search, typed)
    if said is None:
        return []
    bounded_count.plan_by_values()
    # the index of words answers no statement that policies narrow: who may play is asked here
    with row_access.everything():
        found = {one for ids in _wanted(user, said) for one in db.session.scalars(ids.limit(MAX_FOUND))}
    return list(found)[:MAX_FOUND]


def _wanted(user: User, said: ColumnElement[bool]) -> list[Ids]:
    """What they own or bought, and what all users may play."""
    current = and_(Transcript.lesson_id == Lesson.id, Transcript.mux_asset_id == Lesson.mux_asset_id)
    saying = select(Lesson.id).join(Transcript, current).where(said)
    if user.is_staff:
        return [saying]
    if user.role == "instructor":
        return [saying.where(Lesson.creator_id == user.id), _free(said)]
    bought = select(Purchase.lesson_id).where(Purchase.user_id == user.id, Purchase.is_in_force)
    return [saying.where(Lesson.id.in_(bought)), _free(said)]


def _free(said: ColumnElement[bool]) -> Ids:
    """The first that say it are few, however many do."""
    first = select(Transcript.lesson_id, Transcript.mux_asset_id).where(said).limit(MAX_LOOKED_AT).subquery()
    current = and_(first.c.lesson_id == Lesson.id, first.c.mux_asset_id == Lesson.mux_asset_id)
    return select(Lesson.id).join(first, current).where(permissions.on_sale(), Lesson.price_cents == 0)
