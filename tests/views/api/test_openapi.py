"""The description of the API is valid, complete and true: generated calls find no fault in the server."""

import copy
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from openapi_spec_validator import validate
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from lessonadmin.domain import permissions
from lessonadmin.views.api import openapi, responses
from muxsim.client import Control
from tests import factories
from tests.settings import overridden
from tests.views.api.conftest import People, refused

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
OPERATIONS = [
    (method, path) for path, operations in openapi.document()["paths"].items() for method in operations
]
# Those of a line get the same generated calls, since making one costs as much as answering it.
ROLES = (("student", "instructor"), ("support", "admin"), ("none",))
MIN_CASES = 100  # of each role, so at least 500
QUICK = settings(
    max_examples=4,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def test_it_is_valid_openapi() -> None:
    validate(openapi.document())


def test_it_is_for_anyone_signed_in(people: People, app: Flask) -> None:
    refused(app.test_client().get("/api/openapi.json"), 401, "not_signed_in")
    refused(app.test_client().get("/api/docs"), 401, "not_signed_in")
    browser = app.test_client().get("/api/docs", headers={"Accept": "text/html,*/*;q=0.8"})
    assert browser.location == "/login?next=/api/docs", "a person signs in"
    answer = people.student.get("/openapi.json")
    assert answer.status_code == 200
    assert answer.get_json() == openapi.document()


def test_every_address_under_api_is_described(app: Flask) -> None:
    served = {
        (method.lower(), re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule))
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/") and rule.endpoint not in ("api.openapi_json", "api.docs")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert served == set(OPERATIONS)


@pytest.fixture
def many_asks(sim: Control) -> Iterator[None]:
    with overridden(uploads_per_hour=100_000, asks_per_minute=100_000):
        yield


@pytest.mark.usefixtures("many_asks")
@pytest.mark.parametrize("roles", ROLES, ids=" and ".join)
def test_no_generated_call_breaks_the_server(people: People, app: Flask, roles: tuple[str, ...]) -> None:
    """Half of the calls are as described, half are not; where an id is asked for, often one that exists."""
    calls = Calls(app, people, roles)
    for method, path in sorted(OPERATIONS, key=lambda one: one[0] == "delete"):  # else they find nothing left
        calls.generate(method, path)
    for role in roles:
        seen = calls.seen[role]
        assert sum(seen.values()) >= MIN_CASES, (role, seen)
        if role == "none":
            assert {status for status in seen if status < 400} == set(), "no call is let in without a token"
        else:
            assert seen[401] == calls.unsigned, "only what Mux has to sign is refused as not signed in"
            assert seen[200] >= MIN_CASES / 10, f"and what is let in is answered: {role}"


@pytest.mark.usefixtures("many_asks")
def test_a_broken_call_would_be_found(people: People, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(permissions, "lesson_to_see", lambda user, lesson_id: 1 / 0)
    with pytest.raises(FailureGroup, match="Server error"):
        Calls(app, people, ("support",)).generate("get", "/api/lessons/{lesson_id}")


@pytest.mark.usefixtures("many_asks")
def test_an_answer_against_the_description_would_be_found(
    people: People, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = responses.ListResponse.model_dump_json
    monkeypatch.setattr(
        responses.ListResponse,
        "model_dump_json",
        lambda self, **more: said(self, **more).replace('"total":', '"sum":'),
    )
    with pytest.raises(FailureGroup, match="Response violates schema"):
        Calls(app, people, ("student",)).generate("get", "/api/lessons")


class Calls:
    """Generated calls, each of every role and checked against the description; how often each status came back."""

    def __init__(self, app: Flask, people: People, roles: tuple[str, ...]) -> None:
        self.seen: dict[str, Counter[int]] = {role: Counter() for role in roles}
        self.unsigned = 0
        self._headers = {role: {} if role == "none" else people.named(role, role).headers for role in roles}
        self._seed = next(number for number, group in enumerate(ROLES) if roles[0] in group)
        self._known = _known_ids(people)
        self._schema = schemathesis.openapi.from_dict(copy.deepcopy(openapi.document()))
        self._schema.app = app

    def generate(self, method: str, path: str) -> None:
        def run(case: Any, data: Any) -> None:
            if data.draw(st.booleans()):
                _name_something_real(case, self._known)
            # what the first of them has deleted, the others do not find
            roles = sorted(self._headers, reverse=data.draw(st.booleans()))
            unsigned = 0
            for role in roles:
                response = case.call(headers=self._headers[role])
                self.seen[role][response.status_code] += 1
                unsigned = path in openapi.WEBHOOK_PATHS and response.status_code == 401
                case.validate_response(response, checks=CHECKS)
            self.unsigned += unsigned

        operation = self._schema[path][method]
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            cases = operation.as_strategy(generation_mode=mode)
            # the same in each run
            seed(self._seed)(QUICK(given(case=cases, data=st.data())(run)))()


def _known_ids(people: People) -> dict[str, str]:
    """What the instructor has."""
    lesson = factories.make_playing_lesson(creator=people.instructor.user)
    course = factories.make_course(instructor=people.instructor.user)
    waiting = factories.make_tracking(factories.make_lesson(creator=people.instructor.user))
    return {
        "lesson_id": str(lesson.id),
        "course_id": str(course.id),
        "upload_id": str(waiting.upload_id),
        "asset_id": str(lesson.mux_asset_id),
    }


def _name_something_real(case: Any, known: dict[str, str]) -> None:
    for place in (case.path_parameters, case.query, case.body):
        if isinstance(place, dict):
            for name in known.keys() & place.keys():
                place[name] = known[name]
