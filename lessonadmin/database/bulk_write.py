"""What changed in a session's objects, written by one UPDATE a table where a flush would send one for each row.

Afterwards the rows are what a flush would have made of them, and the objects are clean, with the new values and the times that
the database gave them. Only columns that changed are written. Rows that share a value of a unique index are written one
after another in the order of their keys, as a flush does it. A row that is gone raises StaleDataError.

What cannot be written this way (new and deleted objects, changed keys and relationships, values that are SQL, types that
JSON does not carry exactly, anything inside a savepoint) makes the whole session flush instead, so that the order of changes stays right. It takes no
lock and commits nothing: a caller that changes many rows has locked them before.
"""

from collections import defaultdict
from collections.abc import Iterable, Set
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any, cast
from uuid import UUID

from sqlalchemy import (
    JSON,
    Column,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    Update,
    any_,
    bindparam,
    case,
    column,
    func,
    inspect,
    literal,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import InstanceState, Mapper, Session
from sqlalchemy.orm.attributes import get_history, set_committed_value
from sqlalchemy.orm.base import NO_VALUE
from sqlalchemy.orm.exc import StaleDataError
from sqlalchemy.schema import ColumnDefault

# Which values of a column's type travel as JSON and come back as what they were.
CARRIED: dict[type, tuple[type, ...]] = {
    str: (str,),
    bool: (bool,),
    int: (int,),
    float: (float, int),
    Decimal: (Decimal, int),
    UUID: (UUID,),
    datetime: (datetime,),
}
# The names of the columns that changed travel beside the values. No column has a space in its name.
CHANGED = "changed columns"
Values = set[tuple[Any, ...]]


class _NeedsFlush(Exception):
    """No error: something here is for a flush."""


@dataclass
class _Row:
    """One object that changed: its key, the new values by attribute, and what it takes and gives up in unique indexes."""

    changed: Any
    key: Any
    values: dict[str, Any]
    takes: Values
    gives: Values


def write(session: Session) -> None:
    """Send everything that is dirty; what is left undone by it is nothing."""
    try:
        by_mapper = _changes(session)
    except _NeedsFlush:
        session.flush()
        return
    for mapper in sorted(by_mapper, key=lambda one: _table(one).name):
        changed = [row for row in by_mapper[mapper] if row.values]
        for rows in _one_after_another(changed):
            _update(session, mapper, rows)
        _forget_changes(session, mapper, by_mapper[mapper])


def _changes(session: Session) -> dict[Mapper[Any], list[_Row]]:
    # What is rolled back with a savepoint is forgotten of objects that a flush has written in it, and of no others.
    if session.new or session.deleted or session.in_nested_transaction():
        raise _NeedsFlush
    found: dict[Mapper[Any], list[_Row]] = defaultdict(list)
    with session.no_autoflush:
        for one in session.dirty:
            found[inspect(one).mapper].append(_row_of(one))
    return found


def _row_of(changed: Any) -> _Row:
    state: InstanceState[Any] = inspect(changed)
    columns = _columns(state.mapper)
    (key,) = state.identity or (None,)
    values, before = {}, {}
    for name, old in state.committed_state.items():  # of what was set, and not read since
        if name not in columns or name not in state.dict:
            if get_history(changed, name).has_changes():
                raise _NeedsFlush
            continue
        new = state.dict[name]
        if old is not NO_VALUE:
            if old == new:
                continue
            before[name] = old
        values[name] = _as_json(columns[name], new)
    takes, gives = _unique_values(changed, values.keys(), before)
    return _Row(changed, key, values, takes, gives)


def _table(mapper: Mapper[Any]) -> Table:
    return cast("Table", mapper.local_table)  # it is one, in every class of a declarative base


@cache
def _columns(mapper: Mapper[Any]) -> dict[str, Column[Any]]:
    """What may be written of a class, by attribute; it must be of one table, with one key and no counter of versions."""
    table = _table(mapper)
    if len(mapper.tables) > 1 or len(mapper.primary_key) != 1 or mapper.version_id_col is not None:
        raise _NeedsFlush
    if any(one.onupdate is not None and not one.onupdate.is_clause_element for one in table.columns):
        raise _NeedsFlush  # made in Python, for each row
    return {
        name: one
        for name, one in mapper.columns.items()
        if isinstance(one, Column) and not one.primary_key and _is_carried(one)
    }


def _is_carried(of: Column[Any]) -> bool:
    if isinstance(of.type, TypeDecorator) or of.computed is not None:
        return False
    return isinstance(of.type, JSON) or of.type.python_type in CARRIED


def _as_json(of: Column[Any], value: Any) -> Any:
    if isinstance(of.type, JSON):
        if not isinstance(value, dict | list | str | int | float):
            raise _NeedsFlush  # SQL, or None: JSON's null is not the database's
        return value
    if value is None:
        return None
    carried = CARRIED[of.type.python_type]
    if not isinstance(value, carried) or (isinstance(value, bool) and bool not in carried):
        raise _NeedsFlush
    return str(value) if isinstance(value, UUID | datetime | Decimal | float) else value


@cache
def _unique(mapper: Mapper[Any]) -> list[tuple[str, list[str], set[str]]]:
    """Every unique index of a table: its name, its attributes, and all that decide whether a row stands in it."""
    names = {one: name for name, one in mapper.columns.items()}
    found = []
    for index in (one for one in _table(mapper).indexes if one.unique):
        if not all(isinstance(one, Column) for one in index.expressions):
            raise _NeedsFlush  # over an expression: there are no values to compare
        condition = str(index.dialect_options["postgresql"]["where"])
        deciding = {name for one, name in names.items() if one.name in condition}
        attributes = [names[one] for one in index.columns]
        found.append((str(index.name), attributes, deciding.union(attributes)))
    for constraint in _table(mapper).constraints:
        if isinstance(constraint, UniqueConstraint):
            attributes = [names[one] for one in constraint.columns]
            found.append((str(constraint.name), attributes, set(attributes)))
    return found


def _unique_values(changed: Any, names: Set[str], before: dict[str, Any]) -> tuple[Values, Values]:
    """What the changes of a row take in the unique indexes of its table, and what they give up."""
    takes, gives = set(), set()
    for index, attributes, deciding in _unique(inspect(changed).mapper):
        if deciding.isdisjoint(names):
            continue
        if not names & set(attributes) <= before.keys():
            raise _NeedsFlush  # what it was before was never read
        now = {name: getattr(changed, name) for name in attributes}
        takes.add((index, *now.values()))
        gives.add((index, *(before.get(name, value) for name, value in now.items())))
    return takes, gives


def _one_after_another(rows: Iterable[_Row]) -> list[list[_Row]]:
    """As few lots as can be in which no row takes a value that another row of the lot has or had."""
    lots: list[list[_Row]] = []
    taken: dict[tuple[Any, ...], int] = {}
    given: dict[tuple[Any, ...], int] = {}
    for row in sorted(rows, key=lambda one: one.key):
        takes = [value for value in row.takes if None not in value]
        gives = [value for value in row.gives if None not in value]
        number = 0
        for value in takes:
            number = max(number, taken.get(value, 0), given.get(value, 0))
        for value in gives:
            number = max(number, taken.get(value, 0))
        if number == len(lots):
            lots.append([])
        lots[number].append(row)
        taken |= dict.fromkeys(takes, number + 1)
        for value in gives:
            given[value] = max(given.get(value, 0), number + 1)
    return lots


def _update(session: Session, mapper: Mapper[Any], rows: list[_Row]) -> None:
    """Write these rows, and take over what the database made of them."""
    columns = _columns(mapper)
    statement, made = _statement(mapper, frozenset(name for row in rows for name in row.values))
    sent = [
        {columns[name].name: value for name, value in row.values.items()}
        | {mapper.primary_key[0].name: str(row.key), CHANGED: [columns[name].name for name in row.values]}
        for row in rows
    ]
    # Over the session itself it would be preceded by the flush that it is there to spare.
    connection = session.connection(bind_arguments={"mapper": mapper})
    answers = {key: values for key, *values in connection.execute(statement, {"rows": sent})}
    if len(answers) != len(rows):
        raise StaleDataError(f"of {len(rows)} rows of {_table(mapper).name} {len(answers)} are there")
    for row in rows:
        for name, value in zip(made, answers[row.key], strict=True):
            set_committed_value(row.changed, name, value)


@cache
def _statement(mapper: Mapper[Any], names: frozenset[str]) -> tuple[Update, list[str]]:
    """The UPDATE of these attributes, and the attributes that it answers with after the key."""
    table, key = _table(mapper), mapper.primary_key[0]
    made = [
        name for name, one in mapper.columns.items() if isinstance(one, Column) and one.onupdate is not None
    ]
    written = {mapper.columns[name] for name in names.union(made)}
    given = [column(one.name, one.type) for one in (key, *sorted(written, key=lambda one: one.name))]
    rows = (
        func.jsonb_to_recordset(bindparam("rows", type_=JSONB))
        .table_valued(*given, column(CHANGED, ARRAY(Text)))
        .render_derived(name="given", with_types=True)
    )
    values = {
        one: case((literal(one.name) == any_(rows.c[CHANGED]), rows.c[one.name]), else_=_otherwise(one))
        for one in written
    }
    answer = [key, *(mapper.columns[name] for name in made)]
    return update(table).where(key == rows.c[key.name]).values(values).returning(*answer), made


def _otherwise(of: Column[Any]) -> Any:
    return of if of.onupdate is None else cast("ColumnDefault", of.onupdate).arg


def _forget_changes(session: Session, mapper: Mapper[Any], rows: list[_Row]) -> None:
    """Each object is as if it had been read just now. What the database computes is read when it is asked for."""
    key = mapper.get_property_by_column(mapper.primary_key[0]).key
    computed = _computed(mapper)
    for row in rows:
        set_committed_value(row.changed, key, row.key)  # after a rollback it may not be loaded
        state: InstanceState[Any] = inspect(row.changed)
        # What a flush calls at its end. Set back one by one the values would be clean too, but a flush would still ask for
        # what is not loaded.
        state._commit_all(state.dict, session.identity_map)
        old = computed.intersection(state.dict)
        if row.values and old:
            session.expire(row.changed, old)


@cache
def _computed(mapper: Mapper[Any]) -> frozenset[str]:
    return frozenset(
        name for name, one in mapper.columns.items() if getattr(one, "computed", None) is not None
    )
