"""Who may make which call, about whose lesson: the whole table, by status."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from lessonadmin.domain.models import Course, Lesson
from muxsim.client import Control
from tests import factories
from tests.views.api.conftest import People, error_of

Body = dict[str, Any] | None
WHO = ("student", "colleague", "instructor", "support", "admin")


class School:
    """The instructor's things: a draft, a published lesson that costs something, a free one, a course with the published."""

    def __init__(self, people: People, sim: Control) -> None:
        instructor = people.instructor.user
        self.course = factories.make_course(instructor=instructor)
        self.paid = self._playing(sim, instructor, "asset-paid", price_cents=900, course_id=self.course.id)
        self.free = self._playing(sim, instructor, "asset-free")
        self.draft = self._playing(sim, instructor, "asset-draft", status="draft", published_at=None)
        self.hidden_course = factories.make_course(instructor=instructor)
        self.upload = factories.make_tracking(self.draft).upload_id

    def _playing(self, sim: Control, instructor: Any, name: str, **columns: Any) -> Lesson:
        return factories.make_playing_lesson(creator=instructor, mux_asset_id=name, **columns)

    def path(self, template: str) -> str:
        for name in ("course", "paid", "free", "draft", "hidden_course"):
            thing: Lesson | Course = getattr(self, name)
            template = template.replace("{" + name + "}", str(thing.id))
        return template.replace("{upload}", str(self.upload))


def named(kind: str, **more: Any) -> Callable[[School], Body]:
    return lambda school: {"lesson_id": str(getattr(school, kind).id), **more}


# method, path, body, then the status for: student, colleague, instructor, support, admin
TABLE: list[tuple[str, str, Any, tuple[int, int, int, int, int]]] = [
    ("GET", "/openapi.json", None, (200, 200, 200, 200, 200)),
    ("GET", "/docs", None, (200, 200, 200, 200, 200)),
    ("GET", "/lessons", None, (200, 200, 200, 200, 200)),
    ("POST", "/lessons", {"title": "New"}, (403, 201, 201, 201, 201)),
    ("GET", "/lessons/{draft}", None, (404, 404, 200, 200, 200)),
    ("GET", "/lessons/{paid}", None, (200, 200, 200, 200, 200)),
    ("GET", "/lessons/{free}", None, (200, 200, 200, 200, 200)),
    ("PATCH", "/lessons/{draft}", {"title": "Other"}, (403, 404, 200, 200, 200)),
    ("PATCH", "/lessons/{paid}", {"title": "Other"}, (403, 404, 200, 200, 200)),
    ("DELETE", "/lessons/{draft}", None, (403, 404, 204, 204, 204)),
    ("DELETE", "/lessons/{paid}", None, (403, 404, 204, 204, 204)),
    ("POST", "/lessons/{draft}/publish", None, (403, 404, 200, 200, 200)),
    ("POST", "/lessons/{paid}/publish", None, (403, 404, 200, 200, 200)),
    ("GET", "/courses", None, (200, 200, 200, 200, 200)),
    ("POST", "/courses", {"title": "New"}, (403, 201, 201, 201, 201)),
    ("GET", "/courses/{course}", None, (200, 200, 200, 200, 200)),
    ("GET", "/courses/{hidden_course}", None, (404, 404, 200, 200, 200)),
    ("PATCH", "/courses/{course}", {"title": "Other"}, (403, 404, 200, 200, 200)),
    ("DELETE", "/courses/{course}", None, (403, 404, 204, 204, 204)),
    ("POST", "/mux/upload-url", named("draft", filename="a.mp4"), (403, 404, 201, 201, 201)),
    ("POST", "/mux/upload-url", named("paid", filename="a.mp4"), (403, 404, 201, 201, 201)),
    ("POST", "/mux/upload", named("draft", filename="a.mp4"), (403, 404, 201, 201, 201)),
    (
        "POST",
        "/mux/track-upload",
        lambda school: {"lesson_id": str(school.draft.id), "upload_id": school.upload},
        (403, 404, 200, 200, 200),
    ),
    (
        "POST",
        "/lessons/update-upload-id",
        lambda school: {"lesson_id": str(school.draft.id), "upload_id": school.upload},
        (403, 404, 200, 200, 200),
    ),
    ("POST", "/mux/cancel-upload", lambda school: {"upload_id": school.upload}, (403, 404, 200, 200, 200)),
    ("GET", "/mux/check-asset-status?lesson_id={draft}", None, (404, 404, 200, 200, 200)),
    ("GET", "/mux/check-asset-status?lesson_id={paid}", None, (200, 200, 200, 200, 200)),
    ("GET", "/mux/check-asset-status?course_id={course}", None, (200, 200, 200, 200, 200)),
    ("GET", "/mux/check-asset-status?course_id={hidden_course}", None, (404, 404, 200, 200, 200)),
    ("GET", "/mux/check-upload-status?lesson_id={draft}", None, (403, 404, 200, 200, 200)),
    ("GET", "/mux/check-upload-status?lesson_id={paid}", None, (403, 404, 200, 200, 200)),
    ("GET", "/mux/check-upload-status?course_id={course}", None, (403, 404, 200, 200, 200)),
    (
        "POST",
        "/mux/update-asset",
        named("draft", mux_asset_id="asset-draft", mux_playback_id="nothing"),
        (403, 403, 403, 400, 400),
    ),
    ("DELETE", "/mux/assets/asset-draft", None, (403, 404, 202, 202, 202)),
    ("DELETE", "/mux/assets/asset-paid", None, (403, 404, 202, 202, 202)),
    ("GET", "/lessons/{draft}/playback", None, (404, 404, 200, 200, 200)),
    ("GET", "/lessons/{paid}/playback", None, (403, 403, 200, 200, 200)),
    ("GET", "/lessons/{free}/playback", None, (200, 200, 200, 200, 200)),
    ("POST", "/lessons/{free}/purchase", None, (201, 403, 403, 403, 403)),
    ("POST", "/lessons/{paid}/purchase", None, (201, 403, 403, 403, 403)),
    ("POST", "/lessons/{draft}/purchase", None, (409, 403, 403, 403, 403)),
]
CASES = [
    (method, path, body, who, status)
    for method, path, body, statuses in TABLE
    for who, status in zip(WHO, statuses, strict=True)
]


@pytest.fixture
def school(people: People, sim: Control) -> School:
    return School(people, sim)


@pytest.mark.parametrize(
    ("method", "path", "body", "who", "status"), CASES, ids=[f"{c[0]} {c[1]} {c[3]}" for c in CASES]
)
def test_who_may(
    people: People, sim: Control, school: School, method: str, path: str, body: Any, who: str, status: int
) -> None:
    sent = body(school) if callable(body) else body
    answer = getattr(people, who).ask(method, school.path(path), sent)
    assert answer.status_code == status, answer.data[:300]
    if status >= 400:
        error_of(answer)


@pytest.mark.parametrize(("method", "path", "body"), [row[:3] for row in TABLE])
def test_without_an_account_nothing_opens(
    app: Flask, school: School, method: str, path: str, body: Any
) -> None:
    answer = app.test_client().open(f"/api{school.path(path)}", method=method)
    assert answer.status_code == 401
    assert error_of(answer)["type"] == "not_signed_in"


CLOSED_TO_STUDENTS = [row[:2] for row in TABLE if row[3][0] == 403 and not row[1].endswith("/playback")]


@pytest.mark.parametrize(("method", "path"), CLOSED_TO_STUDENTS)
def test_students_are_told_no_before_their_input_is_read(
    people: People, school: School, method: str, path: str
) -> None:
    sent = {"nonsense": True} if method != "GET" else None
    assert people.student.ask(method, school.path(path), sent).status_code == 403
