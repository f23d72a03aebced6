"""How values of a kind look in the panel's tables: moments, yes and no, nothing. Used by every list and page of a row."""

from datetime import datetime
from typing import Any

from flask import current_app
from markupsafe import Markup

from lessonadmin.web import formats


def drawn(macro: str, *values: Any) -> Markup:
    """One of our macros as a cell, such as `drawn("badge.lesson_badge", "draft")`."""
    file, _, name = macro.partition(".")
    template = current_app.jinja_env.get_template(f"macros/{file}.html")
    return Markup(getattr(template.module, name)(*values))  # noqa: S704 - our own template, which escapes


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
