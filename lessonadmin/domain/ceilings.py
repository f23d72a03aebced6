"""Lists over a million rows: counted no further than a ceiling, and few rows found before they are put in order.

PostgreSQL does not know how many rows a search will find; for the beginning of a word that it has no figures on it
guesses one in two hundred. Asked for the first fifty in an order that an index has, it then walks that index to the end
for the five rows there are. So what is few is counted first, and then named: found by its own index, ordered afterwards.
A word of every tenth lesson is the other way round: its index would be read to the end only to say "many".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, any_, func, select, text

from lessonadmin.db import db

Conditions = Sequence[ColumnElement[bool]]
# A search that finds so many of the newest rows is counted among the newest, and only to a thousand.
NEWEST, MANY_OF_NEWEST, MOST_OF_MANY = 2_000, 100, 1_000
MOST_NAMED = 10_000


@dataclass(frozen=True)
class Count:
    """How many rows fit; `more`: there are more than that, and nobody counted on."""

    number: int
    more: bool = False


def plan_by_values() -> None:
    """For the rest of this transaction every statement is planned for what it asks, and never compiled.

    A plan that is kept for a statement cannot know that "published" is nearly everything and "signed" is rare.
    """
    db.session.execute(
        text(
            "SELECT set_config('plan_cache_mode', 'force_custom_plan', true), set_config('jit', 'off', true)"
        )
    )


def count(key: Any, conditions: Conditions, most: int) -> Count:
    some = select(key).where(*conditions).limit(most + 1).subquery()
    found = db.session.scalar(select(func.count()).select_from(some)) or 0
    return Count(most, more=True) if found > most else Count(found)


def count_found(key: Any, conditions: Conditions, most: int) -> Count:
    """The same for conditions with a search among them. The keys must count upwards with time."""
    among_newest = count(key, [*conditions, _newest(key, NEWEST)], NEWEST).number
    if among_newest >= MANY_OF_NEWEST:
        enough = 2 * NEWEST * MOST_OF_MANY // among_newest
        found = count(key, [*conditions, _newest(key, enough)], MOST_OF_MANY)
        if found.more:
            return found
    return count(key, conditions, most)


def _newest(key: Any, how_many: int) -> ColumnElement[bool]:
    return _one_of(key, select(key).order_by(key.desc()).limit(how_many))


def named(key: Any, conditions: Conditions) -> ColumnElement[bool]:
    """The same rows by their ids, found by a query of its own. For so few that an array may hold them."""
    return _one_of(key, select(key).where(*conditions))


def narrowed(key: Any, conditions: Conditions, wanted: int) -> Conditions:
    """Conditions with a search among them, for whoever reads the newest rows first: as they are if enough of the newest
    fit, so that reading in order finds them soon; else the rows by their ids, unless they are many after all."""
    among_newest = count(key, [*conditions, _newest(key, NEWEST)], wanted)
    if among_newest.more or among_newest.number == wanted:
        return conditions
    return conditions if count(key, conditions, MOST_NAMED).more else [named(key, conditions)]


def _one_of(key: Any, ids: Any) -> ColumnElement[bool]:
    found: ColumnElement[bool] = key == any_(func.array(ids.correlate(None).scalar_subquery()))
    return found
