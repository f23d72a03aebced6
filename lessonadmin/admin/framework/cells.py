"""How values look in the panel's tables: moments, yes and no, nothing, and the cells of `templates/admin/cells.html`."""

from datetime import datetime
from functools import lru_cache
from typing import Any

from flask import current_app, g, url_for
from jinja2 import Environment
from markupsafe import Markup

from lessonadmin import auth
from lessonadmin.domain.models import User
from lessonadmin.web import formats


def drawn(macro: str, *values: Any) -> Markup:
    """One of our macros as a cell, such as `drawn("badge.lesson_badge", "draft")`."""
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
    return Markup(getattr(template.module, name)(*values, **named))  # noqa: S704 - our own template, which escapes


# Cells that say a state: of a few words each, the same whoever looks and whenever, and a hundred of them on a page.
STILL = frozenset({"lesson_state", "video_state", "tracking_state", "outcome", "batch_state", "row_state"})


@lru_cache(maxsize=1000)
def _still(environment: Environment, name: str, values: tuple[Any, ...]) -> Markup:
    return _call(environment, "admin/cells.html", name, *values)


def address(endpoint: str, argument: str, value: object) -> str:
    """The address of one of many things that differ in this argument, an id of ours. Flask makes it once a request."""
    known: dict[tuple[str, str], str] = g.setdefault("panel_addresses", {})
    if (endpoint, argument) not in known:
        nothing: dict[str, Any] = {argument: ""}
        known[endpoint, argument] = url_for(endpoint, **nothing)
    return f"{known[endpoint, argument]}{value}"


def page_of(view: Any, row: Any) -> str:
    """The page of a row of this view."""
    return address(f"{view.endpoint}.details_view", "id", row.id)


def link_to(kind: str | None, row_id: Any) -> str | None:
    """Where the panel shows a thing of this kind; None if it shows none to this person."""
    room = ROOMS.get(kind or "")
    if room == "user" and not auth.allows("admin_user"):
        return None
    return address(f"admin_{room}.details_view", "id", row_id) if room and row_id else None


ROOMS = {
    "lesson": "lesson",
    "course": "course",
    "tracking": "tracking",
    "event": "event",
    "deletion": "deletion",
    "batch": "batch",
    "user": "user",
}


def person(user: User | None) -> Markup:
    """Somebody, with a link to the lessons that are theirs."""
    href = address("admin_lesson.index_view", "flt0_owner_is", user.id) if user is not None else ""
    return cell("person", user, href)


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
