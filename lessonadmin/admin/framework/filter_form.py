"""The filters of a list as a plain form: what it offers, what is chosen, and the address that it leads to.

The form sends `op-3` and `value-3`, of a range `op-3-1` and `op-3-2` with their values; the list answers with a redirect to its own bookmarkable form of the same
(`flt0_status_equals=draft`), so filters work without a script.
"""

from dataclasses import dataclass, field
from typing import Any

from flask import request
from flask_admin.model.base import ViewArgs

from lessonadmin.admin.framework.filters import Where

OPTIONS, DATE, MOMENT, RANGE, TEXT = "options", "date", "moment", "range", "text"
KINDS = {
    "datepicker": DATE,
    "datetimepicker": MOMENT,
    "daterangepicker": RANGE,
    "datetimerangepicker": RANGE,
}


@dataclass(frozen=True)
class Operation:
    arg: str
    label: str
    kind: str
    options: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Bound:
    """One end of a range, as a field of its own."""

    number: str
    operation: Operation
    value: str


@dataclass
class FilterRow:
    """One thing that can be filtered by. `bounds`: both ends of it, if it is a range."""

    number: int
    label: str
    operations: list[Operation] = field(default_factory=list)
    chosen: str = ""
    value: str = ""
    bounds: list[Bound] = field(default_factory=list)

    @property
    def kinds(self) -> list[Operation]:
        """One operation of each kind of input, in order: each is drawn once, the one in use is shown."""
        seen: dict[tuple[str, tuple[tuple[str, str], ...]], Operation] = {}
        for operation in self.operations:
            seen.setdefault((operation.kind, operation.options), operation)
        return list(seen.values())

    @property
    def current(self) -> Operation:
        return next((found for found in self.operations if found.arg == self.chosen), self.operations[0])


@dataclass(frozen=True)
class Chip:
    label: str
    remove_url: str


def rows(view: Any, active: list[tuple[int, str, str]] | None) -> list[FilterRow]:
    """What the form offers, filled in with what is chosen."""
    groups = view._get_filter_groups() or {}
    chosen = {index: value for index, _, value in active or []}
    found = []
    for number, (label, entries) in enumerate(groups.items()):
        row = FilterRow(number, label)
        for entry in entries:
            operation = _operation(entry)
            row.operations.append(operation)
            value = chosen.get(entry["index"], "")
            if getattr(view._filters[entry["index"]], "bound", False):
                row.bounds.append(Bound(f"{number}-{len(row.bounds) + 1}", operation, value))
            if value:
                row.chosen, row.value = operation.arg, value
        found.append(row)
    return found


def _operation(entry: dict[str, Any]) -> Operation:
    options = tuple((str(key), str(text)) for key, text in entry["options"] or ())
    tags = entry["type"] == "select2-tags"
    kind = OPTIONS if options and not tags else KINDS.get(entry["type"] or "", TEXT)
    return Operation(entry["arg"], str(entry["operation"]), kind, options if kind == OPTIONS else ())


def chips(view: Any, arguments: ViewArgs) -> list[Chip]:
    """What is chosen, in words, each with the address of the list without it.

    `arguments`: as the list has read them. To read them again would say again which filter is not understood.
    """
    found = []
    active = list(arguments.filters or ())
    for index, name, value in active:
        wanted = view._filters[index]
        rest = [other for other in active if other != (index, name, value)]
        url = view._get_list_url(arguments.clone(page=0, filters=rest))
        found.append(Chip(_said(view, wanted, value), url))
    return found


def _said(view: Any, wanted: Any, value: str) -> str:
    if isinstance(wanted, Where):
        return wanted.said(value)
    words = {str(key): str(text) for key, text in wanted.get_options(view) or ()}
    return f"{wanted.name} {wanted.operation()} {words.get(value, value)}"


def canonical(view: Any) -> str | None:
    """Where a sent form leads; None for an address that is no form's."""
    numbers = [name.removeprefix("op-") for name in request.args if name.startswith("op-")]
    if not numbers:
        return None
    by_arg = view._filter_args or {}
    chosen = []
    for number in numbers:
        index, wanted = by_arg.get(request.args[f"op-{number}"], (None, None))
        value = request.args.get(f"value-{number}", "").replace("T", " ", 1) if index is not None else ""
        value = value if _is_moment(wanted) else request.args.get(f"value-{number}", "")
        if index is not None and value.strip():
            chosen.append((index, str(wanted.name), value.strip()))
    return str(view._get_list_url(view._get_list_extra_args().clone(page=0, filters=chosen)))


def _is_moment(wanted: Any) -> bool:
    return KINDS.get(getattr(wanted, "data_type", None) or "") == MOMENT
