"""How the API reads input: what is no JSON, what is unknown, and everything that is wrong at once."""

from typing import Any

import pytest

from tests import factories
from tests.views.api.conftest import People, refused

JSON = {"Content-Type": "application/json"}


NO_JSON = [
    b"{",
    b"not json",
    b"[1, 2]",
    b'"text"',
    b"1",
    b"null",
    b"true",
    b'{"title": NaN}',
    b'{"price_cents": Infinity, "title": "x"}',
    b"\xff\xfe{",
    b"[" * 100_000,
    b'{"a":' * 50_000,
    b'{"price_cents": ' + b"9" * 5000 + b"}",
]


@pytest.mark.parametrize("body", NO_JSON, ids=range(len(NO_JSON)))
def test_what_is_no_json_object_is_400(people: People, body: bytes) -> None:
    for path in ("/lessons", "/mux/upload-url", "/mux/cancel-upload"):
        refused(people.instructor.post(path, data=body, headers=JSON), 400, "invalid_json")


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "application/xml", ""])
def test_a_body_that_does_not_say_json_is_415(people: People, kind: str) -> None:
    answer = people.instructor.post("/lessons", data=b'{"title": "x"}', headers={"Content-Type": kind})
    assert "application/json" in refused(answer, 415, "unsupported_media_type")["message"]


def test_json_may_name_its_charset_or_its_kind(people: People) -> None:
    for kind in ("application/json; charset=utf-8", "application/vnd.api+json"):
        answer = people.instructor.post("/lessons", data=b'{"title": "x"}', headers={"Content-Type": kind})
        assert answer.status_code == 201


def test_a_huge_body_is_413(people: People) -> None:
    body = b'{"title": "' + b"x" * (3 * 1024 * 1024) + b'"}'
    refused(people.instructor.post("/lessons", data=body, headers=JSON), 413, "too_large")


def test_unknown_keys_are_refused_and_named(people: People) -> None:
    lesson = factories.make_lesson(creator=people.instructor.user)
    for key in ("creator_id", "publish_on_ready", "mux_asset_id", "version", "id"):
        error = refused(people.instructor.post("/lessons", {"title": "x", key: "y"}), 400, "invalid_input")
        assert set(error["fields"]) == {key}
        refused(people.instructor.patch(f"/lessons/{lesson.id}", {key: "y"}), 400, "invalid_input")
    error = refused(people.instructor.get("/lessons", colour="red"), 400, "invalid_input")
    assert error["fields"] == {"colour": "There is no such field."}


def test_calls_that_take_nothing_refuse_something(people: People) -> None:
    lesson = factories.make_playing_lesson(creator=people.instructor.user)
    error = refused(
        people.instructor.post(f"/lessons/{lesson.id}/publish", {"now": True}), 400, "invalid_input"
    )
    assert set(error["fields"]) == {"now"}
    assert people.instructor.post(f"/lessons/{lesson.id}/publish", {}).status_code == 200
    assert people.instructor.post(f"/lessons/{lesson.id}/publish").status_code == 200


def test_everything_that_is_wrong_is_said_at_once(people: People) -> None:
    sent = {
        "title": 5,
        "description": None,
        "price_cents": "9.99",
        "course_id": "x",
        "status": "live",
        "z": 1,
    }
    error = refused(people.instructor.post("/lessons", sent), 400, "invalid_input")
    assert set(error["fields"]) == set(sent)
    assert error["fields"]["status"] == "This must be 'draft' or 'published'."


def test_hostile_keys_are_echoed_short(people: People) -> None:
    sent: dict[str, Any] = {"k" * 10_000: 1} | {f"key{number}": 1 for number in range(500)}
    error = refused(people.instructor.post("/lessons", sent), 400, "invalid_input")
    assert 1 <= len(error["fields"]) <= 50
    assert all(len(key) <= 100 for key in error["fields"])


def test_text_that_cannot_be_stored_is_refused(people: People) -> None:
    lesson = factories.make_lesson(creator=people.instructor.user)
    bodies = (b'"a\\u0000b"', b'"a\\ud800b"')
    for text in bodies:
        for name in (b"title", b"description"):
            body = b'{"title": "x", "' + name + b'": ' + text + b"}"
            error = refused(people.instructor.post("/lessons", data=body, headers=JSON), 400, "invalid_input")
            assert set(error["fields"]) == {name.decode()}
        for name in (b"filename", b"content_type"):
            body = b'{"lesson_id": "%s", "filename": "a.mp4", "%s": %s}' % (
                str(lesson.id).encode(),
                name,
                text,
            )
            refused(people.instructor.post("/mux/upload-url", data=body, headers=JSON), 400, "invalid_input")
        body = b'{"upload_id": ' + text + b"}"
        refused(people.instructor.post("/mux/cancel-upload", data=body, headers=JSON), 400, "invalid_input")
        body = b'{"lesson_id": "%s", "upload_id": "x", "temp_asset_id": %s}' % (str(lesson.id).encode(), text)
        refused(people.instructor.post("/mux/track-upload", data=body, headers=JSON), 400, "invalid_input")


def test_camel_case_is_understood_in_bodies_and_queries(people: People) -> None:
    lesson = factories.make_lesson(creator=people.instructor.user)
    upload = factories.make_tracking(lesson)
    course = factories.make_course(instructor=people.instructor.user)
    body = {"lessonId": str(lesson.id), "uploadId": upload.upload_id, "tempAssetId": "temp_1"}
    assert people.instructor.post("/mux/track-upload", body).status_code == 200
    assert people.instructor.get("/mux/check-asset-status", lessonId=lesson.id).status_code == 200
    assert people.instructor.get("/mux/check-asset-status", courseId=course.id).status_code == 200
    made = people.instructor.post("/lessons", {"title": "x", "courseId": str(course.id)})
    assert made.get_json()["course_id"] == str(course.id)
    assert people.instructor.get("/lessons", courseId=course.id).get_json()["total"] == 1


def test_one_thing_named_twice_is_refused(people: People) -> None:
    lesson = factories.make_lesson(creator=people.instructor.user)
    for names in (("uploadId", "muxUploadId"), ("muxUploadId", "upload_id")):
        body = {"lessonId": str(lesson.id), **dict.fromkeys(names, "x")}
        error = refused(people.instructor.post("/mux/track-upload", body), 400, "invalid_input")
        assert error["fields"] == {"upload_id": "This is given more than once."}
    raw = b'{"title": "x", "title": "y", "price_cents": 1, "price_cents": 1}'
    error = refused(people.instructor.post("/lessons", data=raw, headers=JSON), 400, "invalid_input")
    assert set(error["fields"]) == {"title", "price_cents"}
    twice = {"lessonId": str(lesson.id), "lesson_id": str(lesson.id), "filename": "a.mp4"}
    error = refused(people.instructor.post("/mux/upload-url", twice), 400, "invalid_input")
    assert error["fields"] == {"lesson_id": "This is given more than once."}
    for deep in (b'{"title": {"a": [{"b": 1, "b": 1}]}}', b'{"title": [{"lessonId": 1, "lesson_id": 1}]}'):
        error = refused(people.instructor.post("/lessons", data=deep, headers=JSON), 400, "invalid_input")
        assert set(error["fields"].values()) == {"This is given more than once."}
        assert set(error["fields"]) <= {"b", "lesson_id"}
    repeated = people.instructor.ask("GET", "/lessons?page=1&page=2")
    assert refused(repeated, 400)["fields"] == {"page": "This is given more than once."}
