"""What every endpoint of the JSON API shares: who may call it, what it reads, what it answers.

`@endpoint(...)` registers a view and remembers its description, so that the route, the checks and `/api/openapi.json`
come from one place. No endpoint is described here and no rule of the product is known.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from flask import Blueprint, Response
from pydantic import BaseModel

from lessonadmin import auth
from lessonadmin.db import transaction
from lessonadmin.domain import permissions
from lessonadmin.domain.accounts import rate_limits
from lessonadmin.domain.errors import Forbidden, Problem
from lessonadmin.views.api import request_parsing
from lessonadmin.views.api.mux_problems import worded_for
from lessonadmin.views.api.responses import Versioned

bp = Blueprint("api", __name__, url_prefix="/api")

Method = Literal["GET", "POST", "PATCH", "DELETE"]
Who = Literal["anyone", "teaching", "students", "staff"]
Answer = tuple[int, BaseModel | None]
View = Callable[..., Answer]

ROLES_AND_REFUSALS: dict[Who, tuple[frozenset[str], str]] = {
    "anyone": (auth.EVERYONE, ""),
    "teaching": (auth.TEACHING.roles, permissions.ONLY_TEACHERS_CHANGE),
    "students": (frozenset({"student"}), permissions.ONLY_STUDENTS_BUY),
    "staff": (auth.STAFF.roles, "Only support may do this."),
}
TOO_OFTEN = {
    429: f"More than {rate_limits.MAX_LISTS} lists within {rate_limits.LISTS_SECONDS} seconds; `Retry-After` says when to come back."
}


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """How an endpoint is described, and how a request is answered."""

    view: View
    method: Method
    path: str
    also: tuple[str, ...]
    tag: str
    who: Who
    body: type[BaseModel] | None
    query: type[BaseModel] | None
    body_or_query: bool
    answers: Mapping[int, type[BaseModel] | None]
    problems: Mapping[int, str]
    changes: bool
    is_list: bool

    @property
    def name(self) -> str:
        return self.view.__name__

    @property
    def summary(self) -> str:
        return (self.view.__doc__ or self.name).partition("\n")[0].strip().rstrip(".")

    @property
    def description(self) -> str:
        return " ".join((self.view.__doc__ or "").partition("\n")[2].split())

    def name_of(self, address: str) -> str:
        return self.name if address == self.path else f"{self.name}_also"

    def answer(self, **arguments: Any) -> Response:
        """Who may not call an endpoint learns nothing about its input; then read, do, answer."""
        if self.changes:
            auth.need_write()
        _require_role(self.who)
        if self.is_list:
            with transaction(auth.current_actor()):
                rate_limits.read_list(auth.current_user().id)
        if self.body is not None:
            arguments["body"] = request_parsing.body(self.body, or_query=self.body_or_query)
        elif self.method != "GET":
            request_parsing.no_body()
        if self.query is not None:
            arguments["query"] = request_parsing.query(self.query)
        try:
            return _answer(*self.view(**arguments))
        except Problem as problem:
            raise worded_for(problem, staff=auth.current_user().is_staff) from problem


ENDPOINTS: list[Endpoint] = []


def endpoint(
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
    changes: bool | None = None,
    is_list: bool = False,
) -> Callable[[View], View]:
    """Make a view an endpoint of the API. Its docstring is what the documentation says about it.

    `changes` is for a GET that changes something all the same: a token that may only read is refused. `is_list`: it is
    dear to answer, so a user may ask only so often.
    """

    def register(view: View) -> View:
        made = Endpoint(
            view=view, method=method, path=path, also=also, tag=tag, who=who, body=body, query=query,
            body_or_query=body_or_query, answers=answers,
            problems={**(problems or {}), **(TOO_OFTEN if is_list else {})},
            changes=method != "GET" if changes is None else changes, is_list=is_list,
        )  # fmt: skip
        for address in (path, *also):
            bp.add_url_rule(address, endpoint=made.name_of(address), view_func=made.answer, methods=[method])
        ENDPOINTS.append(made)
        return view

    return register


def _require_role(who: Who) -> None:
    roles, sentence = ROLES_AND_REFUSALS[who]
    if auth.current_user().role not in roles:
        raise Forbidden("forbidden", sentence)


def _answer(status: int, body: BaseModel | None) -> Response:
    if body is None:
        return Response(status=status)
    response = Response(body.model_dump_json(), status=status, mimetype="application/json")
    if isinstance(body, Versioned):
        response.set_etag(str(body.version))
    return response
