"""How a video stands, and taking one away or naming the true one, over JSON."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from lessonadmin.domain.models import AssetDeletion, Lesson, Tracking
from muxsim.client import Control
from tests import factories
from tests.settings import overridden
from tests.views.api.conftest import People, Person, refused

STATUS_KEYS = [
    "status", "playback_id", "asset_id", "lesson_status", "progress", "stuck", "error", "next_poll_ms",
]  # fmt: skip


def check(person: Person, lesson: Lesson, **more: Any) -> dict[str, Any]:
    answer = person.get("/mux/check-asset-status", lesson_id=lesson.id, **more)
    assert answer.status_code == 200, answer.data
    return dict(answer.get_json())


def ask_mux(person: Person, lesson: Lesson) -> dict[str, Any]:
    answer = person.get("/mux/check-upload-status", lesson_id=lesson.id)
    assert answer.status_code == 200, answer.data
    return dict(answer.get_json())


def upload(person: Person, lesson: Lesson) -> str:
    named = {"lesson_id": str(lesson.id), "filename": "talk.mp4"}
    return str(person.post("/mux/upload-url", named).get_json()["upload_id"])


@pytest.fixture
def lesson(people: People) -> Lesson:
    return factories.make_lesson(creator=people.instructor.user)


@pytest.fixture
def playing(people: People, lesson: Lesson, sim: Control) -> Lesson:
    """A lesson whose video plays, at Mux as well as here."""
    upload_id = upload(people.instructor, lesson)
    sim.upload_file(upload_id)
    sim.wait_for(lambda: sim.asset(sim.upload(upload_id)["asset_id"])["status"] == "ready")
    assert ask_mux(people.instructor, lesson)["status"] == "ready"
    return lesson


def video_of(person: Person, lesson: Lesson) -> dict[str, Any]:
    return dict(person.get(f"/lessons/{lesson.id}").get_json()["video"])


# from the database


def test_our_database_answers_alone(people: People, lesson: Lesson, sim: Control) -> None:
    assert check(people.instructor, lesson) == {
        "status": "none",
        "playback_id": None,
        "asset_id": None,
        "lesson_status": "draft",
        "progress": None,
        "stuck": False,
        "error": None,
        "next_poll_ms": 5000,
    }
    upload(people.instructor, lesson)
    before = len(sim.calls())
    assert list(check(people.instructor, lesson)) == STATUS_KEYS
    assert len(sim.calls()) == before


def test_each_state_as_it_is_told(people: People, lesson: Lesson, session: Session) -> None:
    row = factories.make_tracking(lesson, status="processing", mux_asset_id="a", progress=35)
    lesson = session.get_one(Lesson, lesson.id)
    lesson.video_processing_status, lesson.mux_asset_id = "processing", "a"
    session.commit()
    told = check(people.instructor, lesson)
    assert (told["status"], told["asset_id"], told["progress"]) == ("processing", "a", 35)
    row = session.get_one(Tracking, row.id)
    row.status, row.error_type, row.error_message = "error", "asset_errored", "No video in it."
    lesson.video_processing_status = "error"
    lesson.video_error_type, lesson.video_error_message = "asset_errored", "No video in it."
    session.commit()
    told = check(people.instructor, lesson)
    assert told["error"] == {"type": "asset_errored", "message": "No video in it."}
    assert told["progress"] is None


def test_stuck_is_said_after_its_time(people: People, lesson: Lesson, session: Session) -> None:
    row = factories.make_tracking(lesson)
    assert check(people.instructor, lesson)["stuck"] is False
    session.get_one(Tracking, row.id).created_at = datetime.now(UTC) - timedelta(minutes=31)
    session.commit()
    assert check(people.instructor, lesson)["stuck"] is True


def test_the_course_has_no_lesson_status(people: People) -> None:
    course = factories.make_course(instructor=people.instructor.user, mux_asset_id="a")
    told = people.instructor.get("/mux/check-asset-status", course_id=course.id).get_json()
    assert told["lesson_status"] is None
    assert told["status"] == "none"


@pytest.mark.parametrize(
    ("attempt", "pause"),
    [
        (None, 5000), ("", 5000), ("0", 5000), ("1", 7500), ("2", 11250), ("3", 16875), ("4", 25312), ("5", 30000),
        ("60", 30000), ("1000000", 30000), ("9" * 400, 30000), ("-1", 5000), ("-" + "9" * 400, 5000),
    ],
)  # fmt: skip
def test_the_pause_grows_by_half_to_half_a_minute(
    people: People, lesson: Lesson, attempt: str | None, pause: int
) -> None:
    more = {} if attempt is None else {"attempt": attempt}
    assert check(people.instructor, lesson, **more)["next_poll_ms"] == pause


@pytest.mark.parametrize("attempt", ["x", "1.5", "NaN", "1e3", "--1", "0x10"])
def test_an_attempt_is_a_number(people: People, lesson: Lesson, attempt: str) -> None:
    answer = people.instructor.get("/mux/check-asset-status", lesson_id=lesson.id, attempt=attempt)
    assert set(refused(answer, 400, "invalid_input")["fields"]) == {"attempt"}


def test_ids_are_null_for_users_who_may_not_play(people: People) -> None:
    lesson = factories.make_playing_lesson(creator=people.instructor.user, price_cents=500)
    for person in (people.student, people.colleague):
        told = check(person, lesson)
        assert (told["status"], told["playback_id"], told["asset_id"]) == ("ready", None, None)
    factories.make_purchase(lesson, people.student.user)
    assert check(people.student, lesson)["playback_id"] == lesson.mux_playback_id


@pytest.mark.parametrize("path", ["/mux/check-asset-status", "/mux/check-upload-status"])
def test_exactly_one_owner_is_named(people: People, lesson: Lesson, path: str) -> None:
    refused(people.instructor.get(path), 400, "invalid_input")
    refused(people.instructor.get(path, lesson_id=lesson.id, course_id=uuid.uuid4()), 400, "invalid_input")
    refused(people.instructor.get(path, lesson_id="x"), 400, "invalid_input")
    refused(people.instructor.get(path, lesson_id=uuid.uuid4()), 404, "not_found")
    assert people.instructor.get(path, lesson_id=lesson.id, course_id="").status_code == 200


# asking Mux


def test_mux_is_asked_and_believed(people: People, lesson: Lesson, sim: Control) -> None:
    upload_id = upload(people.instructor, lesson)
    told = ask_mux(people.instructor, lesson)
    assert list(told) == ["status", "playback_id", "asset_id", "message"]
    assert told["status"] == "uploading"
    sim.set_switch("hold_processing", True)
    sim.upload_file(upload_id)
    told = ask_mux(people.instructor, lesson)
    assert (told["status"], told["playback_id"]) == ("processing", None)
    asset_id = told["asset_id"]
    sim.set_asset_ready(asset_id)
    told = ask_mux(people.instructor, lesson)
    assert (told["status"], told["asset_id"], bool(told["playback_id"])) == ("ready", asset_id, True)
    seen = people.instructor.get(f"/lessons/{lesson.id}").get_json()
    assert (seen["status"], seen["visible_to_students"]) == ("published", True)


def test_a_failure_at_mux_is_told_in_its_words(people: People, lesson: Lesson, sim: Control) -> None:
    sim.set_switch("hold_processing", True)
    sim.upload_file(upload(people.instructor, lesson))
    asset_id = ask_mux(people.instructor, lesson)["asset_id"]
    sim.error_asset(asset_id, messages=["The audio is missing."])
    told = ask_mux(people.instructor, lesson)
    assert told["status"] == "error"
    assert "The audio is missing" in told["message"]
    error = video_of(people.instructor, lesson)["error"]
    assert error == {"type": "asset_errored", "message": "The audio is missing."}


def test_an_expired_upload_is_told(people: People, lesson: Lesson, sim: Control) -> None:
    sim.time_out_upload(upload(people.instructor, lesson))
    assert ask_mux(people.instructor, lesson)["status"] == "error"
    assert check(people.instructor, lesson)["error"]["type"] == "upload_timed_out"


def test_an_asset_gone_at_mux_is_cleared_here(people: People, playing: Lesson, sim: Control) -> None:
    sim.delete_asset_in_dashboard(str(video_of(people.instructor, playing)["asset_id"]))
    told = ask_mux(people.instructor, playing)
    assert (told["status"], told["asset_id"], told["playback_id"]) == ("error", None, None)
    seen = people.instructor.get(f"/lessons/{playing.id}").get_json()
    assert (seen["status"], seen["publish_on_ready"]) == ("draft", False)
    assert seen["video"]["error"]["type"] == "deleted_at_mux"


@pytest.mark.parametrize(
    ("kind", "params"),
    [
        ("status", {"status": 500}),
        ("rate_limited", {}),
        ("reset", {}),
        ("html", {}),
        ("status", {"status": 401}),
    ],
)
def test_an_unreachable_mux_changes_nothing(
    people: People, playing: Lesson, sim: Control, kind: str, params: dict[str, Any]
) -> None:
    before = people.instructor.get(f"/lessons/{playing.id}").get_json()
    sim.fault("api", kind, **params)
    answer = people.instructor.get("/mux/check-upload-status", lesson_id=playing.id)
    refused(answer, 503, "mux_unavailable")
    assert people.instructor.get(f"/lessons/{playing.id}").get_json() == before


def test_so_many_questions_a_minute_and_person(people: People, lesson: Lesson) -> None:
    with overridden(asks_per_minute=2):
        for _ in range(2):
            ask_mux(people.instructor, lesson)
        answer = people.instructor.get("/mux/check-upload-status", lesson_id=lesson.id)
        refused(answer, 429, "rate_limited")
        assert 1 <= int(answer.headers["Retry-After"]) <= 60
        ask_mux(people.support, lesson)
        assert check(people.instructor, lesson)["status"] == "none"


def test_there_is_nothing_to_ask_mux_about(people: People, lesson: Lesson, sim: Control) -> None:
    told = ask_mux(people.instructor, lesson)
    assert (told["status"], told["asset_id"]) == ("none", None)
    assert told["message"]
    assert sim.calls() == []


def test_a_temporary_id_is_no_question_for_mux(people: People, sim: Control) -> None:
    lesson = factories.make_lesson(
        creator=people.instructor.user, mux_asset_id="temp_17", video_processing_status="processing"
    )
    told = ask_mux(people.instructor, lesson)
    assert "temporary" in told["message"]
    assert told["status"] == "processing"
    assert sim.calls() == []


def test_a_lesson_from_before_tracking_is_asked_about(people: People, sim: Control) -> None:
    (asset_id,) = sim.seed_assets(1, policy="public", duration=12.0)
    lesson = factories.make_lesson(
        creator=people.instructor.user, mux_asset_id=asset_id, video_processing_status="processing"
    )
    told = ask_mux(people.instructor, lesson)
    assert (told["status"], told["asset_id"]) == ("ready", asset_id)
    assert video_of(people.instructor, lesson)["upload_id"] is None


def test_an_id_that_mux_cannot_have_made_is_as_good_as_gone(people: People, sim: Control) -> None:
    lesson = factories.make_lesson(
        creator=people.instructor.user, mux_asset_id="not/an id", video_processing_status="processing"
    )
    told = ask_mux(people.instructor, lesson)
    assert (told["status"], told["asset_id"]) == ("error", None)


def test_an_upload_id_that_mux_cannot_have_made_changes_nothing(people: People, sim: Control) -> None:
    lesson = factories.make_lesson(creator=people.instructor.user, video_processing_status="uploading")
    factories.make_tracking(lesson, upload_id="not/an id")
    told = ask_mux(people.instructor, lesson)
    assert told["status"] == "uploading"
    assert "Nothing was changed" in told["message"]


# a replacement


def test_a_failed_replacement_leaves_the_lesson_as_it_was(
    people: People, playing: Lesson, sim: Control
) -> None:
    before = people.instructor.get(f"/lessons/{playing.id}").get_json()
    upload_id = upload(people.instructor, playing)
    sim.upload_file(upload_id, b"no video at all")
    told = ask_mux(people.instructor, playing)
    assert told["status"] == "ready"
    after = people.instructor.get(f"/lessons/{playing.id}").get_json()
    replacement = after["video"]["replacement"]
    assert (replacement["status"], replacement["upload_id"]) == ("error", upload_id)
    assert replacement["error"]["message"]
    assert after | {"video": after["video"] | {"replacement": None}} == before
    # put away by its owner
    people.instructor.post("/mux/cancel-upload", {"upload_id": upload_id})
    assert people.instructor.get(f"/lessons/{playing.id}").get_json() == before


def test_a_replacement_takes_over_when_it_is_ready(people: People, playing: Lesson, sim: Control) -> None:
    before = video_of(people.instructor, playing)
    upload_id = upload(people.instructor, playing)
    coming = video_of(people.instructor, playing)
    assert (coming["asset_id"], coming["status"]) == (before["asset_id"], "ready")
    assert coming["replacement"]["upload_id"] == upload_id
    sim.upload_file(upload_id)
    ask_mux(people.instructor, playing)
    after = video_of(people.instructor, playing)
    assert (after["upload_id"], after["status"], after["replacement"]) == (upload_id, "ready", None)
    assert after["asset_id"] != before["asset_id"]


# deleting


def test_deleting_clears_every_user_of_the_asset(people: People, playing: Lesson, session: Session) -> None:
    asset_id = str(video_of(people.instructor, playing)["asset_id"])
    instructor = people.instructor.user
    other = factories.make_lesson(
        creator=instructor, mux_asset_id=asset_id, mux_playback_id="p", video_processing_status="ready"
    )
    course = factories.make_course(
        instructor=instructor, mux_asset_id=asset_id, mux_playback_id="p", video_processing_status="ready"
    )
    for _ in range(2):
        answer = people.instructor.delete(f"/mux/assets/{asset_id}")
        assert (answer.status_code, answer.get_json()) == (202, {"status": "deleting"})
    for lesson in (playing, other):
        seen = people.instructor.get(f"/lessons/{lesson.id}").get_json()
        assert (seen["status"], seen["publish_on_ready"]) == ("draft", False)
        video = seen["video"]
        assert video["status"] == "deleting"
        assert {video[name] for name in ("asset_id", "playback_id", "upload_id")} == {None}
    assert people.instructor.get(f"/courses/{course.id}").get_json()["video"]["status"] == "deleting"
    assert session.scalars(select(AssetDeletion.mux_asset_id)).all() == [asset_id]


def test_deleting_while_it_is_still_processing(people: People, lesson: Lesson, sim: Control) -> None:
    sim.set_switch("hold_processing", True)
    sim.upload_file(upload(people.instructor, lesson))
    asset_id = ask_mux(people.instructor, lesson)["asset_id"]
    assert people.instructor.delete(f"/mux/assets/{asset_id}").status_code == 202
    assert video_of(people.instructor, lesson)["status"] == "deleting"
    told = ask_mux(people.instructor, lesson)
    assert told["status"] == "deleting"


def test_an_asset_that_a_colleague_uses_too_is_not_ones_own(people: People) -> None:
    lesson = factories.make_playing_lesson(creator=people.instructor.user)
    asset_id = str(lesson.mux_asset_id)
    shared = factories.make_lesson(creator=people.colleague.user, mux_asset_id=asset_id)
    for person in (people.instructor, people.colleague):
        refused(person.delete(f"/mux/assets/{asset_id}"), 404)
    assert video_of(people.instructor, lesson)["asset_id"] == asset_id
    assert people.support.delete(f"/mux/assets/{asset_id}").status_code == 202
    assert people.support.get(f"/lessons/{shared.id}").get_json()["video"]["asset_id"] is None


@pytest.mark.parametrize("asset_id", ["unknown", "temp_1", "a%00b", "%F0%9F%92%A5", "x" * 2000])
def test_there_is_nothing_to_delete(people: People, asset_id: str, session: Session) -> None:
    factories.make_lesson(creator=people.instructor.user, mux_asset_id="temp_1")
    for person in (people.instructor, people.admin):
        refused(person.delete(f"/mux/assets/{asset_id}"), 404, "not_found")
    assert session.scalars(select(AssetDeletion)).all() == []


# the true asset, by the word of support


def name_asset(person: Person, lesson: Lesson, asset_id: str, playback_id: str) -> Any:
    body = {"lessonId": str(lesson.id), "muxAssetId": asset_id, "muxPlaybackId": playback_id}
    return person.post("/mux/update-asset", body)


def seeded(sim: Control, **options: Any) -> tuple[str, str]:
    """An asset at Mux, and its playback id."""
    (asset_id,) = sim.seed_assets(1, **{"policy": "public", "duration": 30.0, **options})
    return asset_id, str(sim.asset(asset_id)["playback_ids"][0]["id"])


def test_support_names_the_true_asset(people: People, lesson: Lesson, sim: Control) -> None:
    asset_id, playback_id = seeded(sim)
    answer = name_asset(people.support, lesson, asset_id, playback_id)
    assert answer.status_code == 200
    video = answer.get_json()["video"]
    assert (video["status"], video["asset_id"], video["playback_id"]) == ("ready", asset_id, playback_id)
    assert (video["playback_policy"], video["duration"]) == ("public", 30.0)
    assert answer.get_json()["status"] == "published"  # as was asked for when the lesson was made
    assert name_asset(people.support, lesson, asset_id, playback_id).get_json() == answer.get_json()


@pytest.mark.parametrize("wrong", ["asset", "playback", "temporary", "swapped", "nonsense"])
def test_what_mux_does_not_confirm_is_not_believed(
    people: People, playing: Lesson, sim: Control, wrong: str
) -> None:
    asset_id, playback_id = seeded(sim)
    ids = {
        "asset": ("unknown", playback_id),
        "playback": (asset_id, "unknown"),
        "temporary": ("temp_1", playback_id),
        "swapped": (playback_id, asset_id),
        "nonsense": ("../../x", "\u2603"),
    }[wrong]
    before = people.instructor.get(f"/lessons/{playing.id}").get_json()
    error = refused(name_asset(people.support, playing, *ids), 400, "invalid_input")
    assert len(error["fields"]) == 1
    assert people.instructor.get(f"/lessons/{playing.id}").get_json() == before


def test_a_failed_asset_is_not_taken(people: People, lesson: Lesson, sim: Control) -> None:
    (asset_id,) = sim.seed_assets(1, policy="public", status="errored")
    playback_id = sim.asset(asset_id)["playback_ids"][0]["id"]
    refused(name_asset(people.support, lesson, asset_id, playback_id), 409, "video_error")


def test_mux_away_and_nothing_is_believed(people: People, lesson: Lesson, sim: Control) -> None:
    asset_id, playback_id = seeded(sim)
    sim.fault("api", "status", status=500)
    refused(name_asset(people.support, lesson, asset_id, playback_id), 503, "mux_unavailable")
    assert video_of(people.instructor, lesson)["status"] == "none"


@pytest.mark.parametrize("missing", ["lesson_id", "mux_asset_id", "mux_playback_id"])
def test_all_three_must_be_named(people: People, lesson: Lesson, missing: str) -> None:
    body = {"lesson_id": str(lesson.id), "mux_asset_id": "a", "mux_playback_id": "p"}
    del body[missing]
    error = refused(people.support.post("/mux/update-asset", body), 400, "invalid_input")
    assert set(error["fields"]) == {missing}
