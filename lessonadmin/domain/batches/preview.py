"""What a bulk action would do, before it does it: counts per outcome with a few examples, in two or three queries.

The rows are counted where they are, in the database, a million as well as ten. Nothing is changed, locked or asked at
Mux; a row may change before the run, and the run checks again.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, Text, Uuid, any_, bindparam, cast, func, select
from sqlalchemy.dialects.postgresql import ARRAY

from lessonadmin.db import db
from lessonadmin.domain import buyers
from lessonadmin.domain.batches import own_lessons, registry, targets
from lessonadmin.domain.batches.registry import NO_OPTIONS, Action, Options
from lessonadmin.domain.batches.results import DONE, sentence
from lessonadmin.domain.batches.targets import Source
from lessonadmin.domain.buyers import Bought
from lessonadmin.domain.querying.kept_statements import kept


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
    bought: Bought

    @property
    def is_empty(self) -> bool:
        """None of the chosen rows is there."""
        return all(group.code == "missing" for group in self.groups)

    @property
    def will_do(self) -> tuple[Group, ...]:
        return tuple(group for group in self.groups if group.changes)

    @property
    def will_skip(self) -> tuple[Group, ...]:
        return tuple(group for group in self.groups if not group.changes)


def preview(
    action: Action, source: Source, *, owner: uuid.UUID | None = None, options: Options = NO_OPTIONS
) -> Preview:
    """Count what would become of every chosen row. `owner`: the instructor whose lessons alone are there."""
    judged = _judged(action, source, owner, options).subquery()
    as_text = cast(judged.c.id, Text)
    counted = db.session.execute(
        select(judged.c.code, func.count(), func.min(as_text), func.max(as_text)).group_by(judged.c.code),
        execution_options=targets.reading(action),
    ).all()
    found = sum(row[1] for row in counted)
    asked = len(set(source)) if not isinstance(source, Select) else found
    names = targets.names_of(action, [uuid.UUID(text) for row in counted for text in row[2:4]])
    by_owner = owner is not None
    groups = [
        _group(row[0], row[1], [uuid.UUID(text) for text in row[2:4]], names, by_owner) for row in counted
    ]
    if asked > found:
        groups.append(_group("missing", asked - found, [], names, by_owner))
    groups.sort(key=lambda group: (not group.changes, -group.count, group.code))
    changes = sum(group.count for group in groups if group.changes)
    return Preview(asked, changes, asked - changes, tuple(groups), bought_by(action, source))


def _judged(action: Action, source: Source, owner: uuid.UUID | None, options: Options) -> Select[Any]:
    """The chosen rows that are there, each with its verdict."""
    chosen = targets.as_select(source).subquery()
    wanted = select(action.model.id.label("id"), action.verdict(options).label("code"))
    wanted = wanted.where(action.model.id.in_(select(next(iter(chosen.c)))))
    return wanted if owner is None else wanted.where(own_lessons.are_of(owner))


@dataclass(frozen=True)
class Line:
    """One row and what would become of it."""

    id: uuid.UUID
    name: str
    sentence: str
    changes: bool


def lines(
    action: Action, source: Source, *, owner: uuid.UUID, limit: int, options: Options = NO_OPTIONS
) -> list[Line]:
    """The first of an instructor's rows by name, each with its verdict."""
    judged = _judged(action, source, owner, options).subquery()
    name = targets.NAMES[action.target]
    rows = (
        select(judged.c.id, name, judged.c.code)
        .join(action.model, action.model.id == judged.c.id)
        .order_by(name, judged.c.id)
        .limit(limit)
    )
    return [
        Line(row_id, title, sentence(code, for_owner=True), code in DONE)
        for row_id, title, code in db.session.execute(rows, execution_options=targets.reading(action))
    ]


def bought_by(action: Action, source: Source) -> Bought:
    """Who loses something that was bought; no students if the action takes no video away."""
    return buyers.of_many(targets.lessons_of(action, source)) if action.takes_videos else Bought(0, 0)


def bought_by_now(action: Action, source: Source) -> tuple[datetime, Bought]:
    """The same with the moment before it was counted, from which purchases count as later ones."""
    now: datetime = db.session.execute(select(func.clock_timestamp())).scalar_one()
    return now, bought_by(action, source)


def useful(target: str, row_id: uuid.UUID) -> tuple[Action, ...]:
    """The actions that would do something with this one row, as it is now."""
    names = useful_of_many(target, [row_id]).get(row_id, ())
    return tuple(one for one in registry.of(target) if one.name in names)


def useful_of_many(target: str, row_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, tuple[str, ...]]:
    """The names of those actions for each of a few rows, by one query."""
    offered = registry.of(target)
    rows = db.session.execute(_verdicts(target), {"ids": list(row_ids)})
    return {
        row_id: tuple(one.name for one, code in zip(offered, codes, strict=True) if code in DONE)
        for row_id, *codes in rows
    }


@kept
def _verdicts(target: str) -> Select[Any]:
    model = registry.MODELS[target]
    verdicts = (one.verdict(NO_OPTIONS).label(one.name) for one in registry.of(target))
    return select(model.id, *verdicts).where(model.id == any_(bindparam("ids", type_=ARRAY(Uuid))))


def _group(code: str, count: int, ids: list[uuid.UUID], names: dict[uuid.UUID, str], by_owner: bool) -> Group:
    examples = tuple(Example(one, names[one]) for one in dict.fromkeys(ids) if one in names)
    return Group(code, sentence(code, for_owner=by_owner), code in DONE, count, examples)
