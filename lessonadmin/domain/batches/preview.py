"""What a bulk action would do, before it does it: counts per outcome with a few examples, in two or three queries.

The rows are counted where they are, in the database, a million as well as ten. Nothing is changed, locked or asked at
Mux; a row may change before the run, and the run checks again.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, Text, Uuid, bindparam, cast, func, select
from sqlalchemy.dialects.postgresql import ARRAY

from lessonadmin.db import db
from lessonadmin.domain.batches.registry import Action
from lessonadmin.domain.batches.results import DONE, SENTENCES
from lessonadmin.domain.models import Course, Lesson, MuxEvent, Tracking

Source = Sequence[uuid.UUID] | Select[Any]
"""Which rows: their ids, or a SELECT whose first column is their id (its order is kept)."""

NAMES: Mapping[str, Any] = {
    "lesson": Lesson.title,
    "course": Course.title,
    "tracking": func.coalesce(Tracking.upload_id, Tracking.filename),
    "event": MuxEvent.type,
}


@dataclass(frozen=True)
class Example:
    id: uuid.UUID
    name: str


@dataclass(frozen=True)
class Group:
    """Rows with the same result."""

    code: str
    sentence: str
    changes: bool
    count: int
    examples: tuple[Example, ...]


@dataclass(frozen=True)
class Preview:
    """`asked` is how many rows were chosen, `changes` how many the action would touch; the rest is skipped."""

    asked: int
    changes: int
    skipped: int
    groups: tuple[Group, ...]

    @property
    def will_do(self) -> tuple[Group, ...]:
        return tuple(group for group in self.groups if group.changes)

    @property
    def will_skip(self) -> tuple[Group, ...]:
        return tuple(group for group in self.groups if not group.changes)


def as_select(source: Source) -> Select[Any]:
    """Both forms of a choice as one SELECT of ids; ids keep their order."""
    if isinstance(source, Select):
        return source
    ids = bindparam("chosen", list(dict.fromkeys(source)), type_=ARRAY(Uuid), unique=True)
    chosen = func.unnest(ids).column_valued("id")
    return select(chosen.label("id"))


def preview(action: Action, source: Source) -> Preview:
    """Count what would become of every chosen row."""
    chosen = as_select(source).subquery()
    key = next(iter(chosen.c))
    code = action.verdict().label("code")
    judged = select(action.model.id.label("id"), code).where(action.model.id.in_(select(key))).subquery()
    as_text = cast(judged.c.id, Text)
    counted = db.session.execute(
        select(judged.c.code, func.count(), func.min(as_text), func.max(as_text)).group_by(judged.c.code)
    ).all()
    found = sum(row[1] for row in counted)
    asked = len(set(source)) if not isinstance(source, Select) else found
    names = _names(action, [uuid.UUID(text) for row in counted for text in row[2:4]])
    groups = [_group(row[0], row[1], [uuid.UUID(text) for text in row[2:4]], names) for row in counted]
    if asked > found:
        groups.append(_group("missing", asked - found, [], names))
    groups.sort(key=lambda group: (not group.changes, -group.count, group.code))
    changes = sum(group.count for group in groups if group.changes)
    return Preview(asked, changes, asked - changes, tuple(groups))


def _group(code: str, count: int, ids: list[uuid.UUID], names: dict[uuid.UUID, str]) -> Group:
    examples = tuple(Example(one, names[one]) for one in dict.fromkeys(ids) if one in names)
    return Group(code, SENTENCES[code], code in DONE, count, examples)


def names_of(action: Action, ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, str]:
    """The names of an action's targets; deleted ones have none."""
    return _names(action, list(ids))


def _names(action: Action, ids: list[uuid.UUID]) -> dict[uuid.UUID, str]:
    rows = db.session.execute(
        select(action.model.id, NAMES[action.target]).where(action.model.id.in_(ids))
    ).all()
    return {row[0]: str(row[1] or row[0]) for row in rows}
