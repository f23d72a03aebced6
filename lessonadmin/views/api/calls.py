"""What every call of the JSON API goes through: who may make it, what it reads, what it answers.

`@call(...)` registers a view and remembers its description, so that the route, the checks and `/api/openapi.json`
come from one place. No call is described here and no rule of the product is known.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any, Literal

from flask import Blueprint, Response
from pydantic import BaseModel

from lessonadmin import auth
from lessonadmin.domain.errors import Forbidden, Problem
from lessonadmin.views.api import reading
from lessonadmin.views.api.refusals import in_words_for

bp = Blueprint("api", __name__, url_prefix="/api")

Method = Literal["GET", "POST", "PATCH", "DELETE"]
Who = Literal["anyone", "teaching", "students", "staff"]
Answer = tuple[int, BaseModel | None]
View = Callable[..., Answer]

REFUSALS: dict[Who, tuple[frozenset[str], str]] = {
    "anyone": (auth.EVERYONE, ""),
    "teaching": (
        frozenset({"instructor", "support", "admin"}),
        "Students cannot change lessons or courses.",
    ),
    "students": (frozenset({"student"}), "Only students buy lessons."),
    "staff": (frozenset({"support", "admin"}), "Only support may do this."),
}


@dataclass(frozen=True, kw_only=True)
class Call:
    """One call as it is documented."""

    name: str
    method: Method
    path: str
    also: tuple[str, ...]
    tag: str
    who: Who
    summary: str
    description: str
    body: type[BaseModel] | None
    query: type[BaseModel] | None
    body_or_query: bool
    answers: Mapping[int, type[BaseModel] | None]
    problems: Mapping[int, str]


CALLS: list[Call] = []


def call(
    method: Method,
    path: str,
    *,
    tag: str,
    answers: Mapping[int, type[BaseModel] | None],
    who: Who = "anyone",
    also: tuple[str, ...] = (),
    body: type[BaseModel] | None = None,
    query: type[BaseModel] | None = None,
    body_or_query: bool = False,
    problems: Mapping[int, str] | None = None,
) -> Callable[[View], Callable[..., Response]]:
    """Make a view a call of the API. Its docstring is what the documentation says about it."""

    def register(view: View) -> Callable[..., Response]:
        @wraps(view)
        def answer(**arguments: Any) -> Response:
            _let_in(who)
            if body is not None:
                arguments["body"] = reading.body(body, or_query=body_or_query)
            elif method != "GET":
                reading.no_body()
            if query is not None:
                arguments["query"] = reading.query(query)
            try:
                return _answer(*view(**arguments))
            except Problem as problem:
                raise in_words_for(problem, staff=auth.current_user().is_staff) from problem

        for address in (path, *also):
            bp.add_url_rule(
                address, endpoint=_endpoint(view, address, path), view_func=answer, methods=[method]
            )
        summary, _, rest = (view.__doc__ or view.__name__).partition("\n")
        CALLS.append(
            Call(
                name=view.__name__,
                method=method,
                path=path,
                also=also,
                tag=tag,
                who=who,
                summary=summary.strip().rstrip("."),
                description=" ".join(rest.split()),
                body=body,
                query=query,
                body_or_query=body_or_query,
                answers=answers,
                problems=problems or {},
            )
        )
        return answer

    return register


def _endpoint(view: View, address: str, path: str) -> str:
    return view.__name__ if address == path else f"{view.__name__}_also"


def _let_in(who: Who) -> None:
    """Before anything is read: who may not make a call learns nothing about its input."""
    roles, sentence = REFUSALS[who]
    if auth.current_user().role not in roles:
        raise Forbidden("forbidden", sentence)


def _answer(status: int, body: BaseModel | None) -> Response:
    if body is None:
        return Response(status=status)
    return Response(body.model_dump_json(), status=status, mimetype="application/json")
