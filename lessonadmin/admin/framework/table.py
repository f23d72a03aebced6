"""A list of the panel that stays quick with a million rows: read by key, counted up to a ceiling, searched by index.

class LessonView(TableView):
    saved_views = (SavedView("stuck", "Stuck", conditions.lesson_stuck),)
    def found(self, text): ...      # the condition of the search box
    def prepare(self, rows): ...    # what the cells need of all rows at once: the `details` of the Listing
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlencode

from flask import abort, flash, request
from flask_admin.model.base import ViewArgs
from sqlalchemy import ColumnElement, Select
from sqlalchemy.orm import joinedload
from werkzeug.datastructures import ImmutableMultiDict

from lessonadmin.admin.framework.base import PanelView
from lessonadmin.admin.framework.filters import Where
from lessonadmin.admin.framework.listing import PageOfRows
from lessonadmin.admin.framework.saved_filters import KeepsFilters, narrowing
from lessonadmin.domain.querying import bounded_count, keyset
from lessonadmin.domain.querying.kept_statements import kept
from lessonadmin.text.texts import storable
from lessonadmin.web.requests import NOT_STORABLE

# How far is counted. Of rows that a filter leaves, few are told from many, and how many is said no further; where the
# rows are put in an order of their own, or found by their words, they are counted on: if they are not too many to be
# named, that is quicker than to read them in that order.
MAX_COUNTED, MAX_FILTERED = 5_000, 1_000
MAX_IN_TAB = 999
MAX_PINNED = 10
MAX_QUERY_LENGTH = 8_000
PLACE = ("after", "before", "end")
KNOWN = frozenset({"page", "page_size", "sort", "desc", "search", "view", "url", *PLACE})


@dataclass(frozen=True)
class SavedView:
    """A tab above the list. `counted`: how many there are is worth a look from afar, and quickly known, or more
    quickly from `counted_as`, whose rows are the keys of the same rows, as far as they are to be counted. `by_each`: the same
    condition asked of one row after the other, for so many that they are found on the way."""

    name: str
    label: str
    condition: Callable[[], ColumnElement[bool]]
    counted: bool = True
    counted_as: Callable[[int], Select[Any]] | None = None
    by_each: Callable[[], ColumnElement[bool]] | None = None


class TableView(KeepsFilters, PanelView):
    """A list of rows that may be many."""

    kept_arguments = frozenset({"view"})
    saved_views: tuple[SavedView, ...] = ()
    search_hint = ""
    # What a row says on a phone besides its first column: the class of a column's cell. Any other is left out there.
    on_phones: ClassVar[Mapping[str, str]] = {}
    searches_words = False  # and not only ids and names, of which few rows have one
    empty_hint = ""  # what an empty list says about how its rows come about
    # The column of whose order, newest first, the list is where no other is asked for; empty: of its key. The indexes
    # for its filters go on with this column, so that one index answers a filter, a filter of a time, and the order.
    usual_order = ""
    offers = frozenset({"details_view", "export"})
    column_default_sort = ("id", True)
    column_formatters_export: dict[str, Any] = {}
    list_template = "admin/table.html"
    export_max_rows = 0

    # Flask-Admin asks these at the start

    def init_search(self) -> bool:
        return bool(self.search_hint)

    def search_placeholder(self) -> str:
        return self.search_hint

    # What a subclass fills in

    def found(self, text: str) -> ColumnElement[bool] | None:
        """What the search box finds; None for everything."""
        return None

    def pinned(self, most: int) -> Select[Any] | None:
        """Keys of at most so many rows that stand first where the whole list begins; None for none."""
        return None

    def listed(self) -> Any:
        """The rows of the list with what its cells need, before any condition."""
        return self.get_query()

    # Reading

    def get_list(
        self,
        page: int | None,
        sort_column: Any,
        sort_desc: bool,
        search: str | None,
        filters: Sequence[tuple[int, str, str]] | None,
        execute: bool = True,
        page_size: int | None = None,
    ) -> tuple[int | None, Any]:
        conditions = self._conditions(search, filters)
        query = self.listed()
        if not execute:
            return None, query.filter(*conditions)
        bounded_count.plan_by_values()
        in_default_order = bool(conditions) and not search and sort_column is None
        most = MAX_FILTERED if in_default_order else MAX_COUNTED
        counted = self._count(search, conditions, filters, most)
        if conditions:
            query = query.filter(*self._narrowed(conditions, counted, filters))
        for relation in self._auto_joins:
            query = query.options(self._loading(relation))
        order = self._order(sort_column, sort_desc, filters)
        found = keyset.read(query, order, request.args, page=page or 0, size=page_size or self.page_size)
        first = (
            [] if conditions or sort_column is not None or found.previous else self._pinned_rows(query, order)
        )
        rows = [*first, *(row for row in found.rows if row not in first)]
        return counted.number, PageOfRows(rows, self.prepare(rows), found, counted, pinned=len(first))

    def _pinned_rows(self, query: Any, order: keyset.Order) -> list[Any]:
        wanted = self.pinned(MAX_PINNED)
        if wanted is None:
            return []
        pinned = query.filter(bounded_count.one_of(self._key, wanted)).order_by(None)
        return list(pinned.order_by(*order.clauses(backwards=False)))

    def _narrowed(
        self, conditions: list[ColumnElement[bool]], counted: bounded_count.Count, filters: Any
    ) -> list[ColumnElement[bool]]:
        """Few rows are named, many are found on the way through the list's order."""
        if not counted.more:
            return [bounded_count.named(self._key, conditions, counted)]
        by_each = self._by_each(filters) if len(conditions) == 1 else None
        return conditions if by_each is None else [by_each]

    def _by_each(self, filters: Any) -> ColumnElement[bool] | None:
        """The one condition there is, asked of one row after the other, if it is written in that form."""
        for index, _, value in filters or ():
            wanted = self._filters[index]
            return wanted.by_each(wanted.clean(value)) if isinstance(wanted, Where) else None
        chosen = self.saved_view()
        return chosen.by_each() if chosen is not None and chosen.by_each is not None else None

    def _count(
        self, search: str | None, conditions: list[ColumnElement[bool]], filters: Any, most: int
    ) -> bounded_count.Count:
        if search:
            count = bounded_count.count_found if self.searches_words else bounded_count.count
            return count(self._key, conditions, most)
        rows = self._counted_as(filters, most + 1) if len(conditions) == 1 else None
        if rows is not None:
            return bounded_count.count_rows(rows, most)
        column = self._filtered_by_order(filters)
        order = () if column is None else keyset.Order(column, self._key, True).clauses(backwards=False)
        return bounded_count.count(self._key, conditions, most, order)

    def _counted_as(self, filters: Any, most: int) -> Select[Any] | None:
        """Other rows that are as many as those of the one condition there is."""
        for index, _, value in filters or ():
            wanted = self._filters[index]
            return wanted.counted_as(value, most) if isinstance(wanted, Where) else None
        chosen = self.saved_view()
        return chosen.counted_as(most) if chosen is not None and chosen.counted_as is not None else None

    @property
    def _key(self) -> Any:
        return getattr(self.model, self._primary_key)

    def _loading(self, relation: Any) -> Any:
        return joinedload(relation)

    def _conditions(self, search: str | None, filters: Any) -> list[ColumnElement[bool]]:
        """A search or a filter may ask the database which account is meant, so this is called once a request."""
        found = self.found(search) if search else None
        conditions = [] if found is None else [found]
        for index, _, value in filters or ():
            wanted = self._filters[index]
            conditions.append(wanted.condition(wanted.clean(value)))
        chosen = self.saved_view()
        return conditions if chosen is None else [*conditions, chosen.condition()]

    def saved_view(self) -> SavedView | None:
        name = request.args.get("view")
        return next((one for one in self.saved_views if one.name == name), None)

    def _order(self, sort_column: Any, sort_desc: bool, filters: Any) -> keyset.Order:
        key = self._key
        if sort_column is not None:
            return keyset.Order(getattr(self.model, sort_column), key, bool(sort_desc))
        usual = getattr(self.model, self.usual_order) if self.usual_order else key
        column = self._filtered_by_order(filters)
        return keyset.Order(usual if column is None else column, key, True)

    def _filtered_by_order(self, filters: Any) -> Any:
        """The column in whose order the list is read because a filter narrows that order; None if none does."""
        chosen = (self._filters[index] for index, _, _ in filters or ())
        columns = (wanted.ordered_by for wanted in chosen if isinstance(wanted, Where))
        return next((column for column in columns if column is not None), None)

    # Everything that matches, for actions

    @contextmanager
    def reading(self, query: str) -> Iterator[ViewArgs]:
        """Read a list's query string as if it were this request's. An action on all rows that match must not act
        on more than was meant, so nothing in it may be unknown or not understood."""
        if len(query) > MAX_QUERY_LENGTH:
            abort(400, "This filter is too long.")
        pairs = parse_qsl(query.removeprefix("?"), keep_blank_values=True)
        for name, value in pairs:
            if not storable(value):
                abort(400, NOT_STORABLE)
            if name not in KNOWN and not name.startswith("flt"):
                abort(400, f"The list knows no “{name[:60]}”, so nothing was done.")
        before = request.args
        request.args = ImmutableMultiDict(pairs)
        try:
            wanted = [name for name, _ in pairs if name.startswith("flt")]
            arguments = self._get_list_extra_args()
            if len(arguments.filters or ()) != len(wanted):
                abort(400, "A part of this filter is not understood, so nothing was done.")
            if request.args.get("view") and self.saved_view() is None:
                abort(400, "There is no such view, so nothing was done.")
            yield arguments
        finally:
            request.args = before

    def matching_ids(self, query: str) -> Select[Any]:
        """The ids of all rows that a list's query string matches, in the order of their making."""
        key = self._key
        with self.reading(query) as arguments:
            return bounded_count.keys(key, self._conditions(arguments.search, arguments.filters)).order_by(
                key
            )

    # Drawing

    def render(self, template: str, **values: Any) -> str:
        if template == self.list_template:
            self._say_unknown_view()
            values |= self._drawn(values)
        return super().render(template, **values)

    def _drawn(self, values: dict[str, Any]) -> dict[str, Any]:
        listing: PageOfRows = values["data"]
        count, page, capped = listing.counted.number, listing.page, listing.counted.more
        address = values["return_url"]
        there = not (page.previous or page.next)
        query = request.query_string.decode("utf-8", "replace")
        return {
            "narrowed": narrowing(query),
            "offered_filters": self.offered_filters(query),
            "num_pages": None,
            "capped": capped,
            "count": None if capped and not listing else count,
            "count_words": f"more than {count:,}" if capped else f"{count:,}",
            "tabs_of_view": self._tabs(),
            "previous_page": _with(address, page.previous),
            "next_page": _with(address, page.next),
            "first_page": address if page.previous else "",
            "last_page": "" if there or not page.next else _with(address, {"end": "1"}),
            "here": _with(address, {name: request.args[name] for name in PLACE if name in request.args}),
        }

    def _say_unknown_view(self) -> None:
        name = request.args.get("view")
        if name and self.saved_view() is None:
            flash(f"This list has no view “{name[:60]}”, so it is left out.", "warning")

    def _tabs(self) -> list[tuple[str, str, str | None, bool]]:
        """All, and the saved views with how many each holds."""
        if not self.saved_views:
            return []
        chosen = self.saved_view()
        counts = self._tab_counts()
        tabs: list[tuple[str, str, str | None, bool]] = [
            ("All", self.get_url(".index_view"), None, chosen is None)
        ]
        for one in self.saved_views:
            count = counts.get(one.name)
            words = None if count is None else (f"{MAX_IN_TAB}+" if count > MAX_IN_TAB else str(count))
            tabs.append((one.label, self.get_url(".index_view", view=one.name), words, one is chosen))
        return tabs

    def _tab_counts(self) -> dict[str, int]:
        """One statement for all tabs; none of them counts on for ever."""
        counted = [one for one in self.saved_views if one.counted]
        if not counted:
            return {}
        counts = bounded_count.counts(_counts_of_tabs(self))
        return {one.name: count for one, count in zip(counted, counts, strict=True)}


@kept
def _counts_of_tabs(view: TableView) -> Select[Any]:
    most = MAX_IN_TAB + 1
    return bounded_count.count_each(
        [
            one.counted_as(most) if one.counted_as else bounded_count.keys(view._key, [one.condition()])
            for one in view.saved_views
            if one.counted
        ],
        most,
    )


def _with(address: str, more: dict[str, str] | None) -> str:
    if not more:
        return address if more is not None else ""
    return f"{address}{'&' if '?' in address else '?'}{urlencode(more)}"
