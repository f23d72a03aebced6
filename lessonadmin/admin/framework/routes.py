"""Flask-Admin's `expose` with types."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import flask_admin

View = TypeVar("View", bound=Callable[..., Any])


def expose(url: str, methods: Iterable[str] = ("GET",)) -> Callable[[View], View]:
    """Give a method of a panel's view an address below the view's own."""
    return flask_admin.expose(url, tuple(methods))  # type: ignore[no-any-return]  # Flask-Admin's types are partial
