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
from lessonadmin.domain.batches import registry, targets
from lessonadmin.domain.batches.registry import Action
from lessonadmin.domain.batches.results import DONE, SENTENCES
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
    def will_do(self) -> tuple[Group, ...]:
        return tuple(group for group in self.groups if group.changes)

    @property
    def will_skip(self) -> tuple[Group, ...]:
        return tuple(group for group in self.groups if not group.changes)


def preview(action: Action, source: Source) -> Preview:
    """Count what would become of every chosen row."""
    chosen = targets.as_select(source).subquery()
    key = next(iter(chosen.c))
    code = action.verdict().label("code")
    judged = select(action.model.id.label("id"), code).where(action.model.id.in_(select(key))).subquery()
    as_text = cast(judged.c.id, Text)
    counted = db.session.execute(
        select(judged.c.code, func.count(), func.min(as_text), func.max(as_text)).group_by(judged.c.code)
    ).all()
    found = sum(row[1] for row in counted)
    asked = len(set(source)) if not isinstance(source, Select) else found
    names = targets.names_of(action, [uuid.UUID(text) for row in counted for text in row[2:4]])
    groups = [_group(row[0], row[1], [uuid.UUID(text) for text in row[2:4]], names) for row in counted]
    if asked > found:
        groups.append(_group("missing", asked - found, [], names))
    groups.sort(key=lambda group: (not group.changes, -group.count, group.code))
    changes = sum(group.count for group in groups if group.changes)
    return Preview(asked, changes, asked - changes, tuple(groups), bought_by(action, source))


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
    verdicts = (one.verdict().label(one.name) for one in registry.of(target))
    return select(model.id, *verdicts).where(model.id == any_(bindparam("ids", type_=ARRAY(Uuid))))


def _group(code: str, count: int, ids: list[uuid.UUID], names: dict[uuid.UUID, str]) -> Group:
    examples = tuple(Example(one, names[one]) for one in dict.fromkeys(ids) if one in names)
    return Group(code, SENTENCES[code], code in DONE, count, examples)
