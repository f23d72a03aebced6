"""How values look in the panel's tables: moments, yes and no, nothing, and the cells of `templates/admin/cells.html`."""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from flask import current_app, request, url_for
from jinja2 import Environment
from markupsafe import Markup

from lessonadmin.domain.models import User
from lessonadmin.domain.support.names import Names
from lessonadmin.web import formats


def drawn(macro: str, *values: Any) -> Markup:
    """A macro as a cell, such as `drawn("badge.lesson_badge", "draft")`."""
    file, _, name = macro.partition(".")
    return _macro(f"macros/{file}.html", name, *values)


def cell(name: str, *values: Any, **named: Any) -> Markup:
    """A macro of `admin/cells.html`."""
    if name in STILL and not named:
        return _still(current_app.jinja_env, name, values)
    return _macro("admin/cells.html", name, *values, **named)


def _macro(file: str, name: str, *values: Any, **named: Any) -> Markup:
    return _call(current_app.jinja_env, file, name, *values, **named)


def _call(environment: Environment, file: str, name: str, *values: Any, **named: Any) -> Markup:
    template = environment.get_template(file)
    return Markup(getattr(template.module, name)(*values, **named))  # noqa: S704 - a template of the panel, which escapes # nosec B704


# Cells that say a state: of a few words each, the same for every viewer at any time, and a hundred of them on a page.
STILL = frozenset(
    {
        "lesson_state",
        "video_state",
        "tracking_state",
        "outcome",
        "batch_state",
        "row_state",
        "account_state",
        "purchase_state",
    }
)


@lru_cache(maxsize=1000)
def _still(environment: Environment, name: str, values: tuple[Any, ...]) -> Markup:
    return _call(environment, "admin/cells.html", name, *values)


Formatter = Callable[[Any, Any, Any, str], Any]


def of_row(show: Callable[[Any], Any]) -> Formatter:
    """A formatter that needs only the row."""
    return lambda _view, _context, row, _name: show(row)


def with_details(show: Callable[[Any, Any], Any]) -> Formatter:
    """A formatter that needs the row and what the view's `prepare` found for all rows."""
    return lambda _view, context, row, _name: show(row, context["data"].details)


def page_link(
    words: Callable[[Any], str], notes: Callable[[Any, Any], Sequence[Any]] = lambda _row, _details: ()
) -> Formatter:
    """The formatter of a row's first cell: its words lead to its page; below them its notes, as far as it has any."""

    def show(view: Any, context: Any, row: Any, _name: str) -> Any:
        said = notes(row, context["data"].details)
        return cell("titled", words(row), page_of(view, row), None, [note for note in said if note])

    return show


def address(endpoint: str, argument: str, value: object) -> str:
    """The address of one of many things that differ in this argument, a local id. Flask makes it for the first only."""
    return f"{_prefix(current_app.jinja_env, request.script_root, endpoint, argument)}{value}"


@lru_cache(maxsize=1000)
def _prefix(_environment: Environment, _script_root: str, endpoint: str, argument: str) -> str:
    """The same for every request to an application at the same place."""
    nothing: dict[str, Any] = {argument: ""}
    return url_for(endpoint, **nothing)


def page_of(view: Any, row: Any) -> str:
    """The page of a row of this view."""
    return address(f"{view.endpoint}.details_view", "id", row.id)


def link_to(kind: str | None, row_id: Any) -> str | None:
    """Where the panel shows a thing of this kind; None if it shows none."""
    slug = SLUGS_BY_KIND.get(kind or "")
    return address(f"admin_{slug}.details_view", "id", row_id) if slug and row_id else None


SLUGS_BY_KIND = {
    "lesson": "lesson",
    "course": "course",
    "tracking": "tracking",
    "event": "event",
    "deletion": "deletion",
    "batch": "batch",
    "purchase": "purchase",
    "user": "person",
}


def person(user: User | None) -> Markup:
    """A user, with a link to the page of that user."""
    return cell("person", user, link_to("user", user.id) if user is not None else "")


def account(user_id: Any, names: Names) -> Any:
    """Who did something: the address of an account, with a link to their page; nothing for none."""
    address = names.email(user_id)
    return cell("email", address, link_to("user", user_id)) if address else ""


def target(row: Any, names: Names) -> Any:
    """The lesson or course that a row is about."""
    if row.target_id is None:
        return ""
    title = names.title(row)
    words = title or f"deleted {row.target_type}"
    return cell("linked", words, link_to(row.target_type, row.target_id) if title else None)


def moment(_view: Any, value: datetime, _name: str) -> Markup:
    return drawn("time.when", value)


def yes_no(_view: Any, value: bool, _name: str) -> Markup:
    return drawn("badge.badge", "Yes" if value else "No", "check" if value else "close")


def nothing(_view: Any, _value: None, _name: str) -> str:
    return "–"


def listed(_view: Any, values: list[Any], _name: str) -> str:
    return ", ".join(str(value) for value in values)


IN_PAGES = {datetime: moment, bool: yes_no, type(None): nothing, list: listed}
IN_EXPORTS = {
    datetime: lambda _view, value, _name: formats.iso(value),
    bool: lambda _view, value, _name: "yes" if value else "no",
    type(None): lambda _view, _value, _name: "",
    list: listed,
}
