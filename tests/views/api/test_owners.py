"""Whose video a call is about: one lesson or one course, which the user may change or see."""

import uuid

import pytest

from tests import factories
from tests.views.api.conftest import People, refused


@pytest.mark.parametrize("names", [(), ("lesson_id", "course_id")])
def test_neither_and_both_are_refused_at_both_fields(people: People, names: tuple[str, ...]) -> None:
    body = {"filename": "talk.mp4", **{name: str(uuid.uuid4()) for name in names}}
    error = refused(people.instructor.post("/mux/upload-url", body), 400, "invalid_input")
    assert set(error["fields"]) == {"lesson_id", "course_id"}


@pytest.mark.parametrize("kind", ["lesson", "course"])
def test_a_foreign_owner_and_a_missing_one_look_the_same(people: People, kind: str) -> None:
    foreign = factories.make_lesson() if kind == "lesson" else factories.make_course()
    answers = [
        refused(
            people.instructor.post("/mux/upload-url", {"filename": "talk.mp4", f"{kind}_id": str(one)}), 404
        )
        for one in (foreign.id, uuid.uuid4())
    ]
    assert answers[0] == answers[1]
