"""The description of the API is valid, complete and true: generated calls find no fault in the server."""

import copy
import re
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
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
from lessonadmin.views.api import openapi
from muxsim.client import Control
from tests import factories
from tests.settings import overridden
from tests.views.api.conftest import People, Person, refused

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
OPERATIONS = [
    (method, path) for path, operations in openapi.document()["paths"].items() for method in operations
]
QUICK = settings(
    max_examples=20,
    deadline=None,
    derandomize=True,
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
@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_no_generated_call_breaks_the_server(people: People, app: Flask, method: str, path: str) -> None:
    """Half of the calls are as described, half are not; where an id is asked for, often one that exists."""
    person = people.student if path.endswith("/purchase") else people.support
    seen = _generate_calls(app, person, method, path)
    if path not in openapi.WEBHOOK_PATHS:  # which only Mux can sign
        assert seen - {401}, "every call was refused as not signed in"


@pytest.mark.usefixtures("many_asks")
def test_a_broken_call_would_be_found(people: People, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(permissions, "lesson_to_see", lambda user, lesson_id: 1 / 0)
    with pytest.raises(FailureGroup, match="Server error"):
        _generate_calls(app, people.support, "get", "/api/lessons/{lesson_id}")


def _generate_calls(app: Flask, person: Person, method: str, path: str) -> set[int]:
    known = _known_ids()
    schema = schemathesis.openapi.from_dict(copy.deepcopy(openapi.document()))
    schema.app = app
    operation = schema[path][method]
    seen = set()

    def run(case: Any, data: Any) -> None:
        if data.draw(st.booleans()):
            _name_something_real(case, known)
        response = case.call(headers=person.headers)
        seen.add(response.status_code)
        case.validate_response(response, checks=CHECKS)

    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
        cases = operation.as_strategy(generation_mode=mode)
        QUICK(given(case=cases, data=st.data())(run))()
    return seen


def _known_ids() -> dict[str, str]:
    lesson = factories.make_playing_lesson()
    course = factories.make_course()
    waiting = factories.make_tracking(factories.make_lesson())
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
