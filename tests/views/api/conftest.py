"""Fixtures for tests of the JSON API: users with bearer tokens, and the simulated Mux in this process."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from lessonadmin.domain.models import User
from muxsim.client import Control
from muxsim.server import Simulator
from tests import factories
from tests.settings import overridden

TOKENS = [("web-token", "web-secret", "high"), ("worker-token", "worker-secret", "low")]


class Person:
    """A user with a bearer token, who calls the API over HTTP."""

    def __init__(self, app: Flask, user: User) -> None:
        self.user = user
        self._app = app
        self.headers = factories.bearer(user)

    def ask(self, method: str, path: str, body: Any = None, **more: Any) -> TestResponse:
        headers = self.headers | more.pop("headers", {})
        if body is not None:
            more["json"] = body
        return self._app.test_client().open(f"/api{path}", method=method, headers=headers, **more)

    def get(self, path: str, **arguments: Any) -> TestResponse:
        return self.ask("GET", path, query_string=arguments)

    def post(self, path: str, body: Any = None, **more: Any) -> TestResponse:
        return self.ask("POST", path, body, **more)

    def patch(self, path: str, body: Any, **more: Any) -> TestResponse:
        return self.ask("PATCH", path, body, **more)

    def delete(self, path: str) -> TestResponse:
        return self.ask("DELETE", path)


class People:
    """One person of each kind, made when first asked for: `people.instructor.get("/lessons")`."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._known: dict[str, Person] = {}

    def named(self, name: str, role: str) -> Person:
        if name not in self._known:
            self._known[name] = Person(self._app, factories.make_user(role=role))
        return self._known[name]

    @property
    def instructor(self) -> Person:
        return self.named("instructor", "instructor")

    @property
    def colleague(self) -> Person:
        return self.named("colleague", "instructor")

    @property
    def student(self) -> Person:
        return self.named("student", "student")

    @property
    def support(self) -> Person:
        return self.named("support", "support")

    @property
    def admin(self) -> Person:
        return self.named("admin", "admin")


@pytest.fixture
def people(app: Flask) -> People:
    return People(app)


@pytest.fixture(scope="session")
def running_mux() -> Iterator[Simulator]:
    with Simulator(tokens=TOKENS, processing_seconds=0, rate_limits=False) as simulator:
        yield simulator


@pytest.fixture
def sim(running_mux: Simulator) -> Iterator[Control]:
    """An empty Mux that the settings point at; it sends no webhooks."""
    running_mux.reset()
    with overridden(mux_api_url=running_mux.url, mux_stream_url="https://stream.example"):
        yield Control(running_mux.url)


def error_of(response: TestResponse) -> dict[str, Any]:
    """The error of an answer, which must have the one shape that all errors have."""
    assert response.is_json, response.data[:300]
    body = response.get_json()
    assert set(body) == {"error"}
    error = dict(body["error"])
    assert {"type", "message"} <= set(error) <= {"type", "message", "fields"}
    assert all(isinstance(error[name], str) and error[name] for name in ("type", "message"))
    return error


def refused(response: TestResponse, status: int, type_: str | None = None) -> dict[str, Any]:
    """The error of an answer with this status and, if given, this type."""
    assert response.status_code == status, response.data[:500]
    error = error_of(response)
    assert type_ is None or error["type"] == type_
    return error
