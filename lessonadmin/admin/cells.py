"""How values look in the panel's tables: moments, yes and no, nothing, and the cells of `templates/admin/cells.html`."""

from datetime import datetime
from typing import Any

from flask import current_app, url_for
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
    return _macro("admin/cells.html", name, *values, **named)


def _macro(file: str, name: str, *values: Any, **named: Any) -> Markup:
    template = current_app.jinja_env.get_template(file)
    return Markup(getattr(template.module, name)(*values, **named))  # noqa: S704 - our own template, which escapes


def link_to(kind: str | None, row_id: Any) -> str | None:
    """Where the panel shows a thing of this kind; None if it shows none to this person."""
    room = ROOMS.get(kind or "")
    if room == "user" and not auth.allows("admin_user"):
        return None
    return url_for(f"admin_{room}.details_view", id=row_id) if room and row_id else None


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
    href = url_for("admin_lesson.index_view", flt0_owner_is=str(user.id)) if user is not None else ""
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
