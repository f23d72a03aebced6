"""Statements that are built once a process: to put one of several conditions together takes longer than PostgreSQL needs
for its answer.

What changes from one call to the next is a bound value, never a part of the statement. A setting may stand
in it: with other settings it is built again.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from lessonadmin import config

Asked = ParamSpec("Asked")
Built = TypeVar("Built")


def kept(build: Callable[Asked, Built]) -> Callable[Asked, Built]:
    """Of few arguments, each of them hashable: a model, a name, a list of the panel."""
    made: dict[Any, tuple[config.Settings, Built]] = {}

    @wraps(build)
    def once(*args: Asked.args, **named: Asked.kwargs) -> Built:
        key, settings = (args, tuple(named.items())), config.current()
        known = made.get(key)
        if known is None or known[0] is not settings:
            known = made[key] = settings, build(*args, **named)
        return known[1]

    return once
