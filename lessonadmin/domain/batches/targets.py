"""The rows that a bulk action is for: how they are chosen, and what they are called. Changes nothing.

A choice is a list of ids or a query, and both are one SELECT here, so preview and batch count and write the same rows.
"""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Select, Uuid, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY

from lessonadmin.db import db
from lessonadmin.domain.batches.registry import Action
from lessonadmin.domain.models import Course, Lesson, MuxEvent, Tracking, in_trash

Source = Sequence[uuid.UUID] | Select[Any]
"""Which rows: their ids, or a SELECT whose first column is their id (its order is kept)."""

NAMES: Mapping[str, Any] = {
    "lesson": Lesson.title,
    "course": Course.title,
    "tracking": func.coalesce(Tracking.upload_id, Tracking.filename),
    "event": MuxEvent.type,
}


def as_select(source: Source) -> Select[Any]:
    """Both forms of a choice as one SELECT of ids; ids keep their order."""
    if isinstance(source, Select):
        return source
    ids = bindparam("chosen", list(dict.fromkeys(source)), type_=ARRAY(Uuid), unique=True)
    chosen = func.unnest(ids).column_valued("id")
    return select(chosen.label("id"))


def lessons_of(action: Action, source: Source) -> Select[Any]:
    """The lessons whose video is meant: the chosen ones, or those of the chosen uploads."""
    chosen = as_select(source).subquery()
    ids = select(next(iter(chosen.c)))
    if action.target != "tracking":
        return ids
    uploads = Tracking.id.in_(ids) & Tracking.is_current & Tracking.lesson_id.is_not(None)
    return select(Tracking.lesson_id).where(uploads)


def reading(action: Action) -> dict[str, Any]:
    """The option of a statement about an action's rows: those of some are in the trash."""
    return in_trash.too() if action.for_owners == "trash" else {}


def names_of(action: Action, ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, str]:
    """The names of an action's targets; deleted ones have none."""
    wanted = select(action.model.id, NAMES[action.target]).where(action.model.id.in_(ids))
    rows = db.session.execute(wanted, execution_options=reading(action)).all()
    return {row[0]: str(row[1] or row[0]) for row in rows}
