"""Pages by key: a page of a long list begins after a row, not after a number of rows.

A cursor is the value of the sorted column and the id of a row, in a form that travels in an address. One that does not
parse counts as none. Page numbers still work for the first rows of a list, for users who type them.
"""

import base64
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import literal, tuple_

from lessonadmin.text.ids import as_id
from lessonadmin.text.texts import storable

MAX_OFFSET = 10_000
MAX_CURSOR_LENGTH = 2_000
Cursor = tuple[Any, uuid.UUID]


@dataclass(frozen=True)
class Order:
    """By one column that is never empty, then by id, both in the same direction."""

    column: Any
    key: Any
    descending: bool

    @property
    def alone(self) -> bool:
        return self.column is self.key

    def clauses(self, *, backwards: bool) -> list[Any]:
        columns = [self.key] if self.alone else [self.column, self.key]
        return [one.desc() if self.descending != backwards else one.asc() for one in columns]

    def beyond(self, cursor: Cursor, *, backwards: bool) -> Any:
        """Rows that come after this one; before it, if `backwards`."""
        value, key = cursor
        if self.alone:
            return self.key < key if self.descending != backwards else self.key > key
        here = tuple_(self.column, self.key)
        there = tuple_(literal(value, self.column.type), literal(key, self.key.type))
        return here < there if self.descending != backwards else here > there

    def cursor_of(self, row: Any) -> str:
        return pack(getattr(row, self.column.key), getattr(row, self.key.key))


def pack(value: Any, key: uuid.UUID) -> str:
    plain = value.isoformat() if isinstance(value, datetime) else str(value)
    text = json.dumps([plain, str(key)], ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def unpack(text: str | None, column: Any) -> Cursor | None:
    """The place that an address names; None for anything that is no cursor of a list in this order."""
    if not text or len(text) > MAX_CURSOR_LENGTH:
        return None
    try:
        plain, key = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        value, row_id = _as(column.type.python_type, plain), as_id(key)
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None
    return (value, row_id) if row_id is not None else None


def _as(kind: type, plain: Any) -> Any:
    if not isinstance(plain, str) or not storable(plain):
        raise ValueError("no value of a cursor")
    if kind is datetime:
        found = datetime.fromisoformat(plain)
        if found.tzinfo is None:
            raise ValueError("a moment without a zone")
        return found
    if kind is int and abs(int(plain)) >= 2**31:
        raise ValueError("too large")
    return kind(plain)


@dataclass(frozen=True)
class Page:
    """A page of rows and where its neighbours begin; None where there is none."""

    rows: list[Any]
    previous: dict[str, str] | None
    next: dict[str, str] | None


def read(query: Any, order: Order, arguments: Mapping[str, str], *, page: int, size: int) -> Page:
    """The page that the arguments of an address ask for: by `after`, `before`, `end`, or by a small number."""
    after = unpack(arguments.get("after"), order.column)
    before = unpack(arguments.get("before"), order.column) if after is None else None
    backwards = after is None and (before is not None or arguments.get("end") == "1")
    offset = 0 if after or backwards else min(page * size, MAX_OFFSET)
    cursor = after or before
    if cursor is not None:
        query = query.filter(order.beyond(cursor, backwards=backwards))
    query = query.order_by(None).order_by(*order.clauses(backwards=backwards)).limit(size + 1)
    rows = (query.offset(offset) if offset else query).all()
    more, rows = len(rows) > size, rows[:size]
    if backwards:
        rows.reverse()
    earlier = more if backwards else bool(after or offset)
    later = before is not None if backwards else more
    return Page(
        rows,
        {"before": order.cursor_of(rows[0])} if rows and earlier else None,
        {"after": order.cursor_of(rows[-1])} if rows and later else None,
    )
