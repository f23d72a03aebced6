"""Filters of the panel's lists: each is a name, an operation and a condition that an index can answer.

They are Flask-Admin filters to the outside (addresses, form, chips) and plain conditions to the queries; none of them
joins, and none loads the rows of another table as options.
"""

import uuid
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from flask_admin.contrib.sqla.filters import BaseSQLAFilter
from sqlalchemy import ColumnElement, Select, false, or_

from lessonadmin.domain import prices
from lessonadmin.domain.support import lookup
from lessonadmin.domain.support.names import names_of
from lessonadmin.text.ids import as_id

Condition = Callable[[Any], ColumnElement[bool]]
YES_NO = (("yes", "Yes"), ("no", "No"))


class Where(BaseSQLAFilter):  # type: ignore[misc]  # Flask-Admin's types are partial
    """`condition` makes the WHERE of a value. `ordered_by`: a list narrowed by this is read in that column's order,
    since then one index answers both. `counted_as`: of a value and a limit, rows of another table that are as many, and more quickly counted.
    `by_each`: the same condition asked of one row after the other, for so many that they are found on the way.
    `bound`: one end of a range, whose other end may be asked for as well. `words`: a value as people read it."""

    def __init__(
        self,
        name: str,
        operation: str,
        condition: Condition,
        *,
        column: Any,
        options: Iterable[tuple[str, str]] | None = None,
        read: Callable[[str], Any] = str,
        kind: str | None = None,
        ordered_by: Any = None,
        counted_as: Callable[[Any, int], Select[Any] | None] = lambda _value, _most: None,
        by_each: Callable[[Any], ColumnElement[bool] | None] = lambda _value: None,
        bound: bool = False,
        words: Callable[[str], str] | None = None,
    ) -> None:
        super().__init__(column, name, tuple(options) if options else None, kind)
        self._operation = operation
        self._read = read
        self.condition = condition
        self.ordered_by = ordered_by
        self.counted_as = counted_as
        self.by_each = by_each
        self.bound = bound
        self._words = words

    def bind(self, model: type) -> None:
        """Nothing to look up: the condition knows its columns."""

    def operation(self) -> str:
        return self._operation

    def said(self, value: str) -> str:
        """The filter with this value in plain words."""
        if self.options == YES_NO:
            return f"{self.name}: {value}"
        words = self._words(value) if self._words else dict(self.options or ()).get(value, value)
        return f"{self.name} {self._operation} {words}"

    def clean(self, value: str) -> Any:
        return self._read(value)

    def apply(self, query: Any, value: Any, alias: Any = None) -> Any:
        return query.filter(self.condition(value))


def choice(name: str, column: Any, options: Iterable[tuple[str, str]]) -> list[Where]:
    """One of a few words."""
    options = tuple(options)

    def others(value: str) -> ColumnElement[bool]:
        """Named one by one, for an index knows where these are and not where the one is not."""
        found: ColumnElement[bool] = column.in_([key for key, _ in options if key != value])
        return or_(found, column.is_(None)) if column.nullable else found

    return [
        Where(name, "is", lambda value: column == value, column=column, options=options),
        Where(name, "is not", others, column=column, options=options),
    ]


def only(name: str, column: Any, options: Iterable[tuple[str, str]]) -> list[Where]:
    """One of a few words, where everything but one of them would be nearly everything."""
    return choice(name, column, options)[:1]


def flag(
    name: str,
    condition: ColumnElement[bool] | Callable[[], ColumnElement[bool]],
    *,
    otherwise: Callable[[], ColumnElement[bool]] | None = None,
    counted_as: Callable[[int], Select[Any]] | None = None,
    by_each: Callable[[], ColumnElement[bool]] | None = None,
) -> list[Where]:
    """Yes or no. `otherwise`: the condition for no, if there is a quicker one than that the first is not so."""

    def where(value: str) -> ColumnElement[bool]:
        if value != "yes" and otherwise is not None:
            return otherwise()
        found = condition() if callable(condition) else condition
        return found if value == "yes" else ~found

    def rows(value: str, most: int) -> Select[Any] | None:
        return counted_as(most) if counted_as is not None and value == "yes" else None

    def each(value: str) -> ColumnElement[bool] | None:
        return by_each() if by_each is not None and value == "yes" else None

    return [Where(name, "is", where, column=None, options=YES_NO, counted_as=rows, by_each=each)]


def text(name: str, column: Any) -> list[Where]:
    """Exactly this text."""
    return [Where(name, "is", lambda value: column == value, column=column)]


def price(name: str, column: Any) -> list[Where]:
    return [
        _end(name, "at least", lambda value: column >= value, column, prices.parse_price, _price_words),
        _end(name, "at most", lambda value: column <= value, column, prices.parse_price, _price_words),
    ]


def day(name: str, column: Any) -> list[Where]:
    """From and until a day, both included, by UTC."""
    after = timedelta(days=1)
    return [
        _end(name, "from", lambda value: column >= _midnight(value), column, _day, _day_words, "datepicker"),
        _end(
            name,
            "until",
            lambda value: column < _midnight(value) + after,
            column,
            _day,
            _day_words,
            "datepicker",
        ),
    ]


def _end(
    name: str,
    operation: str,
    condition: Condition,
    column: Any,
    read: Callable[[str], Any],
    words: Callable[[str], str],
    kind: str | None = None,
) -> Where:
    """One end of a range of a column, in whose order the list is then read."""
    return Where(
        name,
        operation,
        condition,
        column=column,
        read=read,
        kind=kind,
        ordered_by=column,
        bound=True,
        words=words,
    )


def _price_words(value: str) -> str:
    return f"{prices.currency()}\u00a0{prices.price_text(prices.parse_price(value))}"


def _day_words(value: str) -> str:
    found = _day(value)
    return f"{found.day} {found:%b %Y}"


def _day(value: str) -> date:
    found = date.fromisoformat(value[:10])
    if not 1900 <= found.year <= 9000:
        raise ValueError("not a day")
    return found


def _midnight(value: date) -> datetime:
    return datetime(value.year, value.month, value.day, tzinfo=UTC)


def person(name: str, column: Any) -> list[Where]:
    """A user by e-mail address, name or id. The account is looked up first, so that the list's own index is used."""

    def words(value: str) -> str:
        user_id = as_id(value)
        return names_of(users=[user_id]).email(user_id) or value

    return [
        Where(name, "is", lambda value: _in(column, lookup.account_ids(value)), column=column, words=words)
    ]


def course(name: str, column: Any) -> list[Where]:
    """A course by its id or the words of its title."""
    return [Where(name, "is", lambda value: _in(column, lookup.titled_course_ids(value)), column=column)]


def _in(column: Any, ids: list[uuid.UUID]) -> ColumnElement[bool]:
    if not ids:
        return false()
    found: ColumnElement[bool] = column == ids[0] if len(ids) == 1 else column.in_(ids)
    return found


def identified(name: str, column: Any) -> list[Where]:
    """Exactly this local id."""
    return [Where(name, "is", lambda value: column == value, column=column, read=uuid.UUID)]
