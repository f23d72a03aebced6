"""Lists over a million rows: counted no further than a ceiling, and few rows found before they are put in order.

PostgreSQL does not know how many rows a search will find; for the beginning of a word that it has no figures on it
guesses one in two hundred. Asked for the first fifty in an order that an index has, it then reads that index to the end
for the five rows there are. So what is few is counted first, and then named: found by its own index, ordered afterwards.
A word of every tenth lesson is the other way round: its index would be read to the end only to say "many".
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Uuid, any_, cast, func, select, text
from sqlalchemy.dialects.postgresql import ARRAY

from lessonadmin.db import db
from lessonadmin.domain.models import in_trash

Conditions = Sequence[ColumnElement[bool]]
# A search that finds so many of the newest rows is counted among the newest, and only to a thousand.
NEWEST, MANY_OF_NEWEST, MAX_OF_MANY = 2_000, 40, 1_000
MAX_NAMED, MAX_IDS = 10_000, 1_000


@dataclass(frozen=True)
class Count:
    """How many rows fit; `more`: there are more than that, uncounted. `ids`: which, if that is known."""

    number: int
    more: bool = False
    ids: tuple[uuid.UUID, ...] | None = None


def plan_by_values() -> None:
    """For the rest of this transaction every statement is planned for what it asks, and never compiled.

    A plan that is kept for a statement cannot know that "published" is nearly everything and "signed" is rare.
    """
    db.session.execute(
        text(
            "SELECT set_config('plan_cache_mode', 'force_custom_plan', true), set_config('jit', 'off', true)"
        )
    )


def count(key: Any, conditions: Conditions, most: int, order: Sequence[Any] = ()) -> Count:
    """`order`: in which the rows are read, so that they are counted as they are read and not by an index that begins
    with all those that do not fit."""
    return count_rows(select(key).where(*conditions).order_by(*order), most)


def count_rows(rows: Select[Any], most: int, *, on: Connection | None = None) -> Count:
    """`on`: a connection, for a caller that does not use the session, which leaves out what is in the trash by itself."""
    counted = select(func.count()).select_from(rows.limit(most + 1).subquery())
    found = db.session.scalar(counted) if on is None else on.scalar(counted.options(*in_trash.OUTSIDE))
    found = found or 0
    return Count(most, more=True) if found > most else Count(found)


def keys(key: Any, conditions: Conditions) -> Select[Any]:
    """The keys of all rows that fit."""
    return select(key).where(*conditions)


def count_each(rows: Sequence[Select[Any]], most: int) -> Select[Any]:
    """One statement for how many rows each of them has, at most so many."""
    some = [one.limit(most).subquery() for one in rows]
    return select(*(select(func.count()).select_from(one).scalar_subquery() for one in some))


def counts(each: Select[Any]) -> list[int]:
    """Its answer."""
    return [int(count) for count in db.session.execute(each).one()]


def count_found(key: Any, conditions: Conditions, most: int) -> Count:
    """The same for conditions with a search among them. The keys must count upwards with time."""
    among_newest = count(key, [*conditions, _newest(key, NEWEST)], NEWEST).number
    if among_newest >= MANY_OF_NEWEST:
        enough = NEWEST * MAX_OF_MANY * 3 // (among_newest * 2)
        if _has_more_rows(key, enough):
            found = count(key, [*conditions, _newest(key, enough)], MAX_OF_MANY)
            if found.more:
                return found
    return _counted_by_name(key, conditions, most)


def _has_more_rows(key: Any, than: int) -> bool:
    """Of a table that has no more, every row would be read: there even a word of many rows is sooner found by its index."""
    return db.session.scalar(select(key).order_by(key.desc()).offset(than).limit(1)) is not None


def _counted_by_name(key: Any, conditions: Conditions, most: int) -> Count:
    """A few ids are no dearer than their number, and need not be looked for again."""
    limit = min(most, MAX_IDS)
    ids = tuple(db.session.scalars(select(key).where(*conditions).limit(limit + 1)))
    if len(ids) > limit:
        return Count(limit, more=True) if limit == most else count(key, conditions, most)
    return Count(len(ids), ids=ids)


def _newest(key: Any, how_many: int) -> ColumnElement[bool]:
    return one_of(key, select(key).order_by(key.desc()).limit(how_many))


def named(key: Any, conditions: Conditions, counted: Count) -> ColumnElement[bool]:
    """The rows that were counted by their ids, found by a query of its own. For so few that an array may hold them."""
    if counted.ids is not None:
        known: ColumnElement[bool] = key == any_(cast(list(counted.ids), ARRAY(Uuid)))
        return known
    return one_of(key, select(key).where(*conditions))


def narrowed(key: Any, conditions: Conditions, wanted: int) -> Conditions:
    """Conditions with a search among them, for a query that reads the newest rows first: as they are if enough of the newest
    fit, so that reading in order finds them soon; else the rows by their ids, unless they are many after all."""
    among_newest = count(key, [*conditions, _newest(key, NEWEST)], wanted)
    if among_newest.more or among_newest.number == wanted:
        return conditions
    counted = _counted_by_name(key, conditions, MAX_NAMED)
    return conditions if counted.more else [named(key, conditions, counted)]


def one_of(key: Any, ids: Any) -> ColumnElement[bool]:
    """The rows with these keys, which are few and found first."""
    found: ColumnElement[bool] = key == any_(func.array(ids.correlate(None).scalar_subquery()))
    return found
