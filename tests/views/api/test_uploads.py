"""From a chosen file to bytes at Mux, over JSON."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from lessonadmin import config, mux
from lessonadmin.domain.models import AuditLog, Lesson, Tracking, UploadCancellation
from muxsim.client import Control
from tests import factories
from tests.settings import overridden
from tests.views.api.conftest import People, Person, refused


@pytest.fixture
def lesson(people: People) -> Lesson:
    return factories.make_lesson(creator=people.instructor.user)


def asked(person: Person, lesson: Lesson, **more: Any) -> Any:
    return person.post("/mux/upload-url", {"lesson_id": str(lesson.id), "filename": "talk.mp4", **more})


def begun(person: Person, lesson: Lesson, **more: Any) -> str:
    answer = asked(person, lesson, **more)
    assert answer.status_code == 201, answer.data
    return str(answer.get_json()["upload_id"])


def video_of(person: Person, lesson: Lesson) -> dict[str, Any]:
    return dict(person.get(f"/lessons/{lesson.id}").get_json()["video"])


# asking for an address


def test_the_answer_and_what_reaches_mux(
    people: People, lesson: Lesson, sim: Control, session: Session
) -> None:
    answer = asked(people.instructor, lesson, size=1000, content_type="video/mp4")
    assert answer.status_code == 201
    ticket = answer.get_json()
    assert list(ticket) == ["upload_id", "upload_url", "expires_at"]
    expires = datetime.fromisoformat(ticket["expires_at"])
    assert abs(expires - datetime.now(UTC) - timedelta(days=3)) < timedelta(minutes=1)
    made = sim.upload(ticket["upload_id"])
    row = session.scalars(select(Tracking)).one()
    assert ticket["upload_url"] == made["url"]
    assert made["cors_origin"] == "http://localhost"
    assert made["timeout"] == config.current().upload_timeout_seconds
    wanted = made["new_asset_settings"]
    assert wanted["max_resolution_tier"] == "1080p"
    assert wanted["playback_policies"] == ["public"]
    assert wanted["meta"]["external_id"] == str(row.id)
    assert "inputs" not in wanted
    passthrough = json.loads(wanted["passthrough"])
    assert passthrough["lesson_id"] == str(lesson.id)
    assert "course_id" not in passthrough
    assert len(wanted["passthrough"]) <= 255
    assert (row.upload_id, row.status, row.lesson_id) == (ticket["upload_id"], "uploading", lesson.id)
    assert ticket["upload_url"] not in str([vars(row) for row in session.scalars(select(AuditLog))])
    video = video_of(people.instructor, lesson)
    assert (video["status"], video["upload_id"]) == ("uploading", ticket["upload_id"])


def test_a_course_preview_goes_the_same_way(people: People, sim: Control) -> None:
    course = factories.make_course(instructor=people.instructor.user)
    answer = people.instructor.post("/mux/upload-url", {"courseId": str(course.id), "filename": "a.mp4"})
    upload_id = answer.get_json()["upload_id"]
    passthrough = json.loads(sim.upload(upload_id)["new_asset_settings"]["passthrough"])
    assert passthrough["course_id"] == str(course.id)
    assert "lesson_id" not in passthrough
    sim.upload_file(upload_id)
    status = people.instructor.get("/mux/check-upload-status", course_id=course.id).get_json()
    assert status["status"] == "ready"
    seen = people.instructor.get(f"/courses/{course.id}").get_json()["video"]
    assert (seen["status"], seen["playback_id"]) == ("ready", status["playback_id"])


@pytest.mark.parametrize("path", ["/mux/upload-url", "/mux/upload"])
def test_a_query_string_will_do(people: People, lesson: Lesson, sim: Control, path: str) -> None:
    arguments = {
        "lessonId": str(lesson.id),
        "filename": "a.mov",
        "size": "12",
        "content_type": "video/quicktime",
    }
    assert people.instructor.ask("POST", path, query_string=arguments).status_code == 201
    assert (
        people.instructor.ask("POST", path, query_string=arguments, json={"filename": "b.mp4"}).status_code
        == 201
    )
    empty = people.instructor.ask(
        "POST", path, query_string=arguments, data=b"", headers={"Content-Type": "application/json"}
    )
    assert empty.status_code == 201


def test_exactly_one_owner(people: People, lesson: Lesson) -> None:
    course = factories.make_course(instructor=people.instructor.user)
    both = {"lesson_id": str(lesson.id), "course_id": str(course.id), "filename": "a.mp4"}
    for body in ({"filename": "a.mp4"}, {"filename": "a.mp4", "lesson_id": None}, both):
        error = refused(people.instructor.post("/mux/upload-url", body), 400, "invalid_input")
        assert set(error["fields"]) == {"lesson_id", "course_id"}
    mixed = people.instructor.ask(
        "POST",
        "/mux/upload-url",
        {"filename": "a.mp4", "course_id": str(course.id)},
        query_string={"lesson_id": str(lesson.id)},
    )
    refused(mixed, 400, "invalid_input")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"filename": None}, "filename"),
        ({"filename": ""}, "filename"),
        ({"filename": "x" * 1001}, "filename"),
        ({"size": -1}, "size"),
        ({"size": True}, "size"),
        ({"size": 1.0}, "size"),
        ({"size": "x"}, "size"),
        ({"size": 10**30}, "size"),
        ({"content_type": 5}, "content_type"),
        ({"lesson_id": "x"}, "lesson_id"),
        ({"caption_language": "xx"}, "caption_language"),
        ({"caption_language": 7}, "caption_language"),
        ({"policy": "public"}, "policy"),
    ],
)
def test_wrong_input_is_named(people: People, lesson: Lesson, body: dict[str, Any], field: str) -> None:
    error = refused(asked(people.instructor, lesson, **body), 400, "invalid_input")
    assert set(error["fields"]) == {field}


@pytest.mark.parametrize(
    ("file", "status", "type_"),
    [
        ({"filename": "notes.txt"}, 415, "unsupported_type"),
        ({"filename": "talk.mp4", "content_type": "text/plain"}, 415, "unsupported_type"),
        ({"filename": "talk.mp4", "content_type": "audio/mpeg"}, 415, "unsupported_type"),
        ({"filename": "talk.exe", "content_type": "application/octet-stream"}, 415, "unsupported_type"),
        ({"size": 2_000 * 1024 * 1024 + 1}, 413, "too_large"),
        ({"size": 0}, 415, "empty_file"),
    ],
)
def test_files_that_we_do_not_take(
    people: People, lesson: Lesson, sim: Control, file: dict[str, Any], status: int, type_: str
) -> None:
    refused(asked(people.instructor, lesson, **file), status, type_)
    assert sim.uploads() == []
    assert video_of(people.instructor, lesson)["status"] == "none"


@pytest.mark.parametrize(
    "file",
    [
        {"filename": "talk.MKV"},
        {"filename": "talk.mov", "content_type": ""},
        {"filename": "talk.webm", "content_type": "application/octet-stream"},
        {"filename": "talk.mp4", "content_type": "video/mp4; codecs=avc1"},
        {"filename": "blob", "content_type": "video/mp4"},
        {"size": 2_000 * 1024 * 1024},
    ],
)
def test_files_that_we_take(people: People, lesson: Lesson, sim: Control, file: dict[str, Any]) -> None:
    assert asked(people.instructor, lesson, **file).status_code == 201


@pytest.mark.parametrize("language", ["en", "es", "fr", "de", "it", "pt", "nl", "pl", "auto"])
def test_captions_are_asked_for_in_a_language(
    people: People, lesson: Lesson, sim: Control, language: str
) -> None:
    upload_id = begun(people.instructor, lesson, caption_language=language)
    (entry,) = sim.upload(upload_id)["new_asset_settings"]["inputs"]
    (captions,) = entry["generated_subtitles"]
    assert (captions["language_code"], captions["name"]) == (
        language,
        "Captions" if language == "auto" else mux.LANGUAGES[language],
    )


@pytest.mark.parametrize(
    ("course_language", "said", "language"),
    [
        ("de", {}, "de"),
        ("de", {"caption_language": None}, None),
        ("de", {"caption_language": "fr"}, "fr"),
        (None, {}, None),
    ],
)
def test_captions_that_are_not_spoken_of_are_in_the_language_of_the_course(
    people: People, sim: Control, course_language: str | None, said: dict[str, Any], language: str | None
) -> None:
    course = factories.make_course(instructor=people.instructor.user, language=course_language)
    lesson = factories.make_lesson(creator=people.instructor.user, course_id=course.id)
    settings = sim.upload(begun(people.instructor, lesson, **said))["new_asset_settings"]
    asked_in = [
        one["language_code"] for entry in settings.get("inputs", []) for one in entry["generated_subtitles"]
    ]
    assert asked_in == ([language] if language else [])


def test_the_plan_is_full(people: People, lesson: Lesson, sim: Control) -> None:
    sim.set_switch("free_plan", True)
    sim.seed_assets(10)
    staff = refused(asked(people.support, lesson), 409, "quota")
    assert "Free plan is limited to 10 assets" in staff["message"]
    instructor = refused(asked(people.instructor, lesson), 409, "quota")
    assert "Free plan" not in instructor["message"]
    assert "support" in instructor["message"]
    assert video_of(people.instructor, lesson)["status"] == "none"


@pytest.mark.parametrize(
    ("kind", "params"),
    [
        ("status", {"status": 500}),
        ("status", {"status": 503}),
        ("rate_limited", {}),
        ("reset", {}),
        ("html", {}),
    ],
)
def test_mux_is_away(people: People, lesson: Lesson, sim: Control, kind: str, params: dict[str, Any]) -> None:
    sim.fault("api", kind, **params)
    refused(asked(people.instructor, lesson), 503, "mux_unavailable")
    assert video_of(people.instructor, lesson)["status"] == "none"
    sim.clear_faults()
    assert asked(people.instructor, lesson).status_code == 201


def test_mux_does_not_listen(people: People, lesson: Lesson) -> None:
    refused(asked(people.instructor, lesson), 503, "mux_unavailable")


def test_a_wrong_token_of_ours_is_told_to_staff_in_words(
    people: People, lesson: Lesson, sim: Control
) -> None:
    with overridden(mux_token_secret="wrong"):
        staff = refused(asked(people.support, lesson), 503, "mux_unavailable")
        instructor = refused(asked(people.instructor, lesson), 503, "mux_unavailable")
    assert "MUX_TOKEN_ID" in staff["message"]
    assert "MUX_TOKEN" not in instructor["message"]


def test_so_many_uploads_an_hour_and_person(people: People, lesson: Lesson, sim: Control) -> None:
    with overridden(uploads_per_hour=3):
        refused(asked(people.instructor, lesson, filename="a.txt"), 415)  # is not counted
        for _ in range(3):
            begun(people.instructor, lesson)
        answer = asked(people.instructor, lesson)
        refused(answer, 429, "rate_limited")
        assert 3500 < int(answer.headers["Retry-After"]) <= 3600
        assert asked(people.support, lesson).status_code == 201


def test_a_new_attempt_takes_the_place_of_the_open_one(
    people: People, lesson: Lesson, sim: Control, session: Session
) -> None:
    first = begun(people.instructor, lesson)
    second = begun(people.instructor, lesson)
    assert video_of(people.instructor, lesson)["upload_id"] == second
    assert session.scalars(select(UploadCancellation.upload_id)).all() == [first]


def test_a_refused_attempt_leaves_the_open_one_in_force(people: People, lesson: Lesson, sim: Control) -> None:
    first = begun(people.instructor, lesson)
    sim.fault("api", "status", status=500)
    refused(asked(people.instructor, lesson), 503)
    assert video_of(people.instructor, lesson)["upload_id"] == first


# the bytes are in


@pytest.mark.parametrize("path", ["/mux/track-upload", "/lessons/update-upload-id"])
def test_the_word_of_the_browser_is_a_hint(
    people: People, lesson: Lesson, sim: Control, session: Session, path: str
) -> None:
    upload_id = begun(people.instructor, lesson)
    body = {"lessonId": str(lesson.id), "muxUploadId": upload_id, "tempAssetId": "temp_1"}
    for _ in range(2):
        answer = people.instructor.post(path, body)
        assert (answer.status_code, answer.get_json()) == (200, {"status": "uploading"})
    row = session.scalars(select(Tracking)).one()
    assert row.temp_asset_id == "temp_1"
    assert row.bytes_in_at is not None
    assert row.mux_asset_id is None
    assert video_of(people.instructor, lesson)["asset_id"] is None
    assert sim.calls(operation="get_upload") == []


def test_an_upload_made_elsewhere_for_this_lesson_is_adopted(
    people: People, lesson: Lesson, sim: Control
) -> None:
    made = _made_elsewhere(lesson)
    sim.upload_file(made)
    answer = people.instructor.post("/mux/track-upload", {"lesson_id": str(lesson.id), "upload_id": made})
    assert answer.status_code == 200
    assert (
        people.instructor.get("/mux/check-upload-status", lesson_id=lesson.id).get_json()["status"] == "ready"
    )
    assert video_of(people.instructor, lesson)["upload_id"] == made


def _made_elsewhere(lesson: Lesson) -> str:
    with factories.in_context():
        named = mux.Passthrough(lesson_id=lesson.id)
        return mux.create_upload(passthrough=named, external_id="elsewhere", policy="public").id


def test_other_uploads_are_not_adopted(people: People, lesson: Lesson, sim: Control) -> None:
    other = factories.make_lesson(creator=people.instructor.user)
    foreign = factories.make_lesson(creator=people.colleague.user)
    for upload_id in (_made_elsewhere(other), _made_elsewhere(foreign), "unknown", "no id", "..", "migrated"):
        body = {"lesson_id": str(lesson.id), "upload_id": upload_id}
        refused(people.instructor.post("/mux/track-upload", body), 404)
    assert video_of(people.instructor, lesson)["status"] == "none"


def test_an_unknown_upload_while_mux_is_away(people: People, lesson: Lesson, sim: Control) -> None:
    sim.fault("api", "status", status=500)
    body = {"lesson_id": str(lesson.id), "upload_id": "unknown"}
    refused(people.instructor.post("/mux/track-upload", body), 503, "mux_unavailable")


# going on


def test_an_interrupted_upload_goes_on_at_the_same_address(
    people: People, lesson: Lesson, sim: Control
) -> None:
    ticket = asked(people.instructor, lesson).get_json()
    answer = people.instructor.post("/mux/resume-upload", {"uploadId": ticket["upload_id"]})
    assert (answer.status_code, answer.get_json()) == (200, ticket)
    assert answer.headers["Cache-Control"] == "no-store"
    refused(people.colleague.post("/mux/resume-upload", {"upload_id": ticket["upload_id"]}), 404)
    assert len(sim.uploads()) == 1
    sim.upload_file(ticket["upload_id"])
    over = people.instructor.post("/mux/resume-upload", {"upload_id": ticket["upload_id"]})
    refused(over, 409, "not_resumable")
    assert video_of(people.instructor, lesson)["status"] in ("processing", "ready")


@pytest.mark.parametrize("upload_id", ["unknown", "migrated", "\u2603", "../x"])
def test_there_is_nothing_to_go_on_with(people: People, sim: Control, upload_id: str) -> None:
    factories.make_tracking(factories.make_lesson(creator=people.instructor.user), upload_id="migrated")
    refused(people.instructor.post("/mux/resume-upload", {"upload_id": upload_id}), 404)
    assert sim.calls(operation="get_upload") == []


# giving up


def test_cancelling_cancels_at_mux_too(
    people: People, lesson: Lesson, sim: Control, session: Session
) -> None:
    upload_id = begun(people.instructor, lesson)
    for _ in range(2):
        answer = people.instructor.post("/mux/cancel-upload", {"uploadId": upload_id})
        assert (answer.status_code, answer.get_json()) == (200, {"status": "cancelled"})
    assert sim.upload(upload_id)["status"] == "cancelled"
    assert len(sim.calls(operation="cancel_upload")) == 1
    assert session.scalars(select(UploadCancellation)).one().done_at is not None
    assert video_of(people.instructor, lesson)["status"] == "none"


def test_cancelling_when_the_bytes_were_quicker(people: People, lesson: Lesson, sim: Control) -> None:
    upload_id = begun(people.instructor, lesson)
    sim.upload_file(upload_id)
    assert people.instructor.post("/mux/cancel-upload", {"upload_id": upload_id}).status_code == 200
    assert video_of(people.instructor, lesson)["status"] == "none"


def test_cancelling_while_mux_is_away_is_done_later(
    people: People, lesson: Lesson, sim: Control, session: Session
) -> None:
    upload_id = begun(people.instructor, lesson)
    sim.fault("api", "status", status=503)
    answer = people.instructor.post("/mux/cancel-upload", {"upload_id": upload_id})
    assert (answer.status_code, answer.get_json()) == (200, {"status": "cancelled"})
    cancellation = session.scalars(select(UploadCancellation)).one()
    assert cancellation.done_at is None
    assert cancellation.last_error is not None


def test_cancelling_a_replacement_leaves_what_plays(people: People, sim: Control) -> None:
    lesson = factories.make_playing_lesson(creator=people.instructor.user)
    before = video_of(people.instructor, lesson)
    upload_id = begun(people.instructor, lesson)
    assert video_of(people.instructor, lesson)["replacement"]["status"] == "uploading"
    people.instructor.post("/mux/cancel-upload", {"upload_id": upload_id})
    assert video_of(people.instructor, lesson) == before


@pytest.mark.parametrize("upload_id", ["unknown", "migrated", "\u2603", "../x"])
def test_there_is_nothing_to_cancel(people: People, upload_id: str) -> None:
    factories.make_tracking(factories.make_lesson(creator=people.instructor.user), upload_id="migrated")
    refused(people.instructor.post("/mux/cancel-upload", {"upload_id": upload_id}), 404)


@pytest.mark.parametrize("upload_id", ["", None, 7, "x" * 256])
def test_no_upload_is_named(people: People, upload_id: object) -> None:
    refused(people.instructor.post("/mux/cancel-upload", {"upload_id": upload_id}), 400, "invalid_input")
