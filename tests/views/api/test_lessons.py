"""Lessons over JSON: the object, writing, lists, publishing, deleting."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from lessonadmin.database import connections
from lessonadmin.db import CLI, db, transaction
from lessonadmin.domain.lessons import lessons, listing
from lessonadmin.domain.models import AssetDeletion, AuditLog, Lesson, Tracking, UploadCancellation
from muxsim.client import Control
from tests import factories
from tests.queries import counted
from tests.settings import overridden
from tests.views.api.conftest import People, Person, refused

LESSON_KEYS = [
    "id", "title", "description", "course_id", "section_id", "section_title", "creator_id", "price_cents", "currency", "status", "publish_on_ready",
    "published_at", "publish_not_before", "unpublish_at", "created_at", "updated_at", "deleted_at", "visible_to_students", "video",
]  # fmt: skip
VIDEO_KEYS = [
    "status", "upload_id", "asset_id", "playback_id", "playback_policy", "progress", "duration", "error",
    "replacement", "captions",
]  # fmt: skip
NO_CAPTIONS = {"status": "none", "language": None}
NO_VIDEO = dict.fromkeys(VIDEO_KEYS) | {"status": "none", "captions": NO_CAPTIONS}


def shown(person: Person, lesson: Lesson) -> dict[str, Any]:
    answer = person.get(f"/lessons/{lesson.id}")
    assert answer.status_code == 200
    return dict(answer.get_json())


# the object


def test_a_new_lesson_is_whole(people: People) -> None:
    answer = people.instructor.post("/lessons", {"title": "  Algebra  "})
    assert answer.status_code == 201
    lesson = answer.get_json()
    assert list(lesson) == LESSON_KEYS
    assert list(lesson["video"]) == VIDEO_KEYS
    assert lesson | {"id": "", "created_at": "", "updated_at": ""} == {
        "id": "",
        "title": "Algebra",
        "description": "",
        "course_id": None,
        "section_id": None,
        "section_title": None,
        "creator_id": str(people.instructor.user.id),
        "price_cents": 0,
        "currency": "EUR",
        "status": "draft",
        "publish_on_ready": True,
        "published_at": None,
        "publish_not_before": None,
        "unpublish_at": None,
        "created_at": "",
        "updated_at": "",
        "deleted_at": None,
        "visible_to_students": False,
        "video": NO_VIDEO,
    }
    uuid.UUID(lesson["id"])
    created = datetime.fromisoformat(lesson["created_at"])
    assert created.utcoffset() == timedelta(0)
    assert abs(datetime.now(UTC) - created) < timedelta(minutes=1)
    assert people.instructor.get(f"/lessons/{lesson['id']}").get_json() == lesson


@pytest.mark.parametrize(("status", "intent"), [(None, True), ("published", True), ("draft", False)])
def test_the_status_of_a_new_lesson_is_an_intent(people: People, status: str | None, intent: bool) -> None:
    body = {"title": "x"} | ({"status": status} if status else {})
    lesson = people.instructor.post("/lessons", body).get_json()
    assert (lesson["status"], lesson["publish_on_ready"]) == ("draft", intent)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "title"),
        ({"title": ""}, "title"),
        ({"title": "   "}, "title"),
        ({"title": None}, "title"),
        ({"title": ["x"]}, "title"),
        ({"title": "x" * 201}, "title"),
        ({"title": "two\nlines"}, "title"),
        ({"title": "x", "description": "d" * 20_001}, "description"),
        ({"title": "x", "description": 1}, "description"),
        ({"title": "x", "price_cents": -1}, "price_cents"),
        ({"title": "x", "price_cents": 99_999_901}, "price_cents"),
        ({"title": "x", "price_cents": 10**30}, "price_cents"),
        ({"title": "x", "price_cents": True}, "price_cents"),
        ({"title": "x", "price_cents": 9.0}, "price_cents"),
        ({"title": "x", "price_cents": 9.99}, "price_cents"),
        ({"title": "x", "price_cents": "900"}, "price_cents"),
        ({"title": "x", "price_cents": None}, "price_cents"),
        ({"title": "x", "status": "live"}, "status"),
        ({"title": "x", "status": None}, "status"),
        ({"title": "x", "status": True}, "status"),
        ({"title": "x", "course_id": "nope"}, "course_id"),
        ({"title": "x", "course_id": 7}, "course_id"),
    ],
)
def test_wrong_input_is_named(people: People, body: dict[str, Any], field: str) -> None:
    error = refused(people.instructor.post("/lessons", body), 400, "invalid_input")
    assert set(error["fields"]) == {field}
    if body:
        lesson = factories.make_lesson(creator=people.instructor.user)
        changed = {name: value for name, value in body.items() if name == field}
        error = refused(people.instructor.patch(f"/lessons/{lesson.id}", changed), 400, "invalid_input")
        assert set(error["fields"]) == {field}


def test_the_ends_of_the_ranges_are_taken(people: People) -> None:
    body = {"title": "t" * 200, "description": "d" * 20_000, "price_cents": 99_999_900}
    lesson = people.instructor.post("/lessons", body).get_json()
    assert {name: lesson[name] for name in body} == body


def test_a_lesson_names_its_section_but_none_of_another_course(people: People) -> None:
    course = factories.make_course(instructor=people.instructor.user)
    section = factories.make_section(course, title="Basics")
    lesson = factories.make_playing_lesson(
        creator=people.instructor.user, course=course, section_id=section.id
    )
    astray = factories.make_lesson(creator=people.instructor.user, section_id=section.id)
    named = (str(section.id), "Basics")
    for person in (people.instructor, people.student):
        seen = shown(person, lesson)
        assert (seen["section_id"], seen["section_title"]) == named
    listed = {one["id"]: one for one in people.instructor.get("/lessons").get_json()["items"]}
    assert [(one["section_id"], one["section_title"]) for one in (listed[str(lesson.id)], listed[str(astray.id)])] == [named, (None, None)]  # fmt: skip
    out = people.instructor.patch(f"/lessons/{lesson.id}", {"course_id": None}).get_json()
    assert (out["section_id"], out["section_title"]) == (None, None)


def test_a_lesson_goes_only_into_a_course_of_ones_own(people: People) -> None:
    own = factories.make_course(instructor=people.instructor.user)
    foreign = factories.make_course(instructor=people.colleague.user)
    nowhere = "00000000-0000-7000-8000-000000000000"
    for course_id in (str(foreign.id), nowhere):
        refused(people.instructor.post("/lessons", {"title": "x", "course_id": course_id}), 404, "not_found")
    lesson = people.instructor.post("/lessons", {"title": "x", "course_id": str(own.id)}).get_json()
    assert lesson["course_id"] == str(own.id)
    path = f"/lessons/{lesson['id']}"
    for course_id in (str(foreign.id), nowhere):
        refused(people.instructor.patch(path, {"course_id": course_id}), 404, "not_found")
    assert people.instructor.patch(path, {"course_id": None}).get_json()["course_id"] is None


def test_a_lesson_has_times_that_are_set_and_taken_away(people: People) -> None:
    later = (datetime.now(UTC) + timedelta(days=2)).replace(microsecond=0)
    made = people.instructor.post("/lessons", {"title": "Algebra", "publish_not_before": later.isoformat()})
    assert made.status_code == 201
    lesson = made.get_json()
    assert datetime.fromisoformat(lesson["publish_not_before"]) == later
    path, end = f"/lessons/{lesson['id']}", (later + timedelta(days=1)).isoformat()
    changed = people.instructor.patch(path, {"unpublish_at": end}).get_json()
    assert changed["publish_not_before"] == lesson["publish_not_before"], "what is left out stays"
    assert datetime.fromisoformat(changed["unpublish_at"]) == later + timedelta(days=1)
    taken = people.instructor.patch(path, {"publish_not_before": None, "unpublish_at": None}).get_json()
    assert (taken["publish_not_before"], taken["unpublish_at"]) == (None, None)


@pytest.mark.parametrize(
    "at",
    ["2099-01-01T18:00:00", 4070908800, "tomorrow", "2020-01-01T00:00:00Z", "9999-12-31T23:59:59Z", True, ""],
)
@pytest.mark.parametrize("name", ["publish_not_before", "unpublish_at"])
def test_a_time_that_is_none_or_makes_no_sense_is_named(people: People, name: str, at: object) -> None:
    lesson = factories.make_lesson(creator=people.instructor.user)
    answer = people.instructor.patch(f"/lessons/{lesson.id}", {name: at})
    assert answer.status_code == 400
    assert set(answer.get_json()["error"]["fields"]) == {name}


def test_how_the_captions_stand(people: People) -> None:
    lesson = factories.make_lesson(creator=people.instructor.user)
    upload = factories.make_tracking(lesson, caption_language="auto")
    assert shown(people.instructor, lesson)["video"]["captions"] == {
        "status": "preparing",
        "language": "auto",
    }
    with factories.in_context(), transaction(CLI):
        there = db.session.get_one(Tracking, upload.id)
        there.captions, there.captions_language = "ready", "de"
    assert shown(people.instructor, lesson)["video"]["captions"] == {"status": "ready", "language": "de"}
    with factories.in_context(), transaction(CLI):
        db.session.get_one(Tracking, upload.id).status = "error"
    assert shown(people.instructor, lesson)["video"]["captions"] == NO_CAPTIONS


# who sees the ids


def test_ids_are_for_users_who_may_play(people: People) -> None:
    lesson = factories.make_playing_lesson(creator=people.instructor.user, price_cents=900)
    factories.make_tracking(lesson)
    for person in (people.instructor, people.support, people.admin):
        video = shown(person, lesson)["video"]
        assert video["asset_id"] == lesson.mux_asset_id
        assert video["playback_id"] == lesson.mux_playback_id
        assert video["upload_id"]
        assert video["replacement"]["upload_id"]
    for person in (people.student, people.colleague):
        seen = shown(person, lesson)
        assert {seen["video"][name] for name in ("asset_id", "playback_id", "upload_id")} == {None}
        assert seen["video"]["status"] == "ready"
        assert seen["video"]["replacement"] is None
        listed = person.get("/lessons").get_json()["items"]
        assert [one["video"]["asset_id"] for one in listed] == [None] * len(listed)
    factories.make_purchase(lesson, people.student.user)
    assert shown(people.student, lesson)["video"]["asset_id"] == lesson.mux_asset_id
    (listed,) = people.student.get("/lessons").get_json()["items"]
    assert listed["video"]["playback_id"] == lesson.mux_playback_id


def test_a_free_lesson_shows_its_ids_to_all_who_may_play_it(people: People) -> None:
    lesson = factories.make_playing_lesson(creator=people.instructor.user)
    for person in (people.student, people.colleague):
        assert shown(person, lesson)["video"]["playback_id"] == lesson.mux_playback_id


# lists


def test_pages_the_newest_first(people: People) -> None:
    made = [str(factories.make_lesson(creator=people.instructor.user).id) for _ in range(5)]
    pages = [people.instructor.get("/lessons", page=page, per_page=2).get_json() for page in (1, 2, 3, 4)]
    assert {tuple(page) for page in pages} == {("items", "total", "page", "per_page")}
    assert [len(page["items"]) for page in pages] == [2, 2, 1, 0]
    assert [one["id"] for page in pages for one in page["items"]] == list(reversed(made))
    assert {(page["total"], page["per_page"]) for page in pages} == {(5, 2)}
    assert [page["page"] for page in pages] == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("page", "0"), ("page", "-1"), ("page", str(10**30)), ("page", "x"), ("page", "1.5"), ("page", "9" * 5000),
        ("per_page", "0"), ("per_page", "-5"), ("per_page", "101"), ("per_page", "all"), ("page", "\u0661"),
        ("status", "live"), ("course_id", "x"), ("q", "x" * 201), ("video_status", "x"),
    ],
)  # fmt: skip
def test_odd_questions_are_refused_in_words(people: People, name: str, value: str) -> None:
    for path in ("/lessons", "/courses"):
        error = refused(people.instructor.get(path, **{name: value}), 400, "invalid_input")
        assert set(error["fields"]) == {name}


def test_empty_arguments_are_left_out_ones(people: People) -> None:
    factories.make_lesson(creator=people.instructor.user)
    body = people.instructor.ask("GET", "/lessons?page=&per_page=&status=&q=").get_json()
    assert (body["total"], body["page"], body["per_page"]) == (1, 1, 20)


def test_filters(people: People) -> None:
    instructor = people.instructor.user
    course = factories.make_course(instructor=instructor)
    draft = factories.make_lesson(creator=instructor, course=course)
    out = factories.make_playing_lesson(creator=instructor)

    def found(**arguments: Any) -> list[str]:
        return [one["id"] for one in people.instructor.get("/lessons", **arguments).get_json()["items"]]

    assert found(status="draft") == [str(draft.id)]
    assert found(status="published") == [str(out.id)]
    assert found(video_status="ready") == [str(out.id)]
    assert found(video_status="none") == [str(draft.id)]
    assert found(course_id=course.id) == [str(draft.id)]
    assert found(course_id=uuid.uuid4()) == []


def test_a_list_asks_as_often_for_many_as_for_few(people: People) -> None:
    def queries(person: Person) -> int:
        with counted() as sent:
            assert person.get("/lessons", per_page=100).status_code == 200
        return len(sent)

    people_asking = (people.instructor, people.support, people.student)
    factories.make_playing_lesson(creator=people.instructor.user, price_cents=5)
    for person in people_asking:
        person.get("/lessons")  # the first call of a token also notes that it is used
    few = [queries(person) for person in people_asking]
    for _ in range(12):
        lesson = factories.make_playing_lesson(creator=people.instructor.user, price_cents=5)
        factories.make_tracking(lesson)
    assert [queries(person) for person in people_asking] == few
    assert max(few) <= 6, "one of them counts the list"


# changing


def test_a_change_touches_only_what_it_names(people: People) -> None:
    lesson = factories.make_lesson(
        creator=people.instructor.user,
        title="Old",
        description="Long",
        price_cents=500,
        publish_on_ready=False,
    )
    before = shown(people.instructor, lesson)
    after = people.instructor.patch(f"/lessons/{lesson.id}", {"title": "New"}).get_json()
    assert after == before | {"title": "New", "updated_at": after["updated_at"]}
    assert people.instructor.patch(f"/lessons/{lesson.id}", {}).get_json() == after


def test_draft_unpublishes_and_withdraws_the_intent(people: People, session: Session) -> None:
    lesson = factories.make_playing_lesson(creator=people.instructor.user)
    after = people.instructor.patch(f"/lessons/{lesson.id}", {"status": "draft"}).get_json()
    assert (after["status"], after["publish_on_ready"], after["published_at"]) == ("draft", False, None)
    assert not after["visible_to_students"]
    waiting = factories.make_lesson(creator=people.instructor.user)
    after = people.instructor.patch(f"/lessons/{waiting.id}", {"status": "draft"}).get_json()
    assert (after["status"], after["publish_on_ready"]) == ("draft", False)
    actions = session.scalars(select(AuditLog.action).where(AuditLog.target_type == "lesson")).all()
    assert sorted(actions) == ["lesson.publish_withdrawn", "lesson.unpublished"]


def test_published_publishes_now_or_when_the_video_is_ready(people: People) -> None:
    ready = factories.make_playing_lesson(
        creator=people.instructor.user, status="draft", published_at=None, publish_on_ready=False
    )
    after = people.instructor.patch(f"/lessons/{ready.id}", {"status": "published"}).get_json()
    assert (after["status"], after["visible_to_students"]) == ("published", True)
    empty = factories.make_lesson(creator=people.instructor.user, publish_on_ready=False)
    after = people.instructor.patch(f"/lessons/{empty.id}", {"status": "published"}).get_json()
    assert (after["status"], after["publish_on_ready"]) == ("draft", True)


def test_every_change_leaves_one_row_by_its_author(people: People, session: Session) -> None:
    made = people.instructor.post("/lessons", {"title": "x"}).get_json()
    people.support.patch(f"/lessons/{made['id']}", {"price_cents": 5})
    people.support.patch(f"/lessons/{made['id']}", {"price_cents": 5})
    rows = session.execute(
        select(AuditLog.action, AuditLog.actor_type, AuditLog.actor_id).where(
            AuditLog.target_type == "lesson"
        )
    ).all()
    assert sorted(tuple(row) for row in rows) == [
        ("lesson.created", "user", people.instructor.user.id),
        ("lesson.updated", "user", people.support.user.id),
    ]


# publishing


@pytest.mark.parametrize("status", ["draft", "published"])
def test_a_ready_lesson_is_published(people: People, status: str) -> None:
    lesson = factories.make_playing_lesson(creator=people.instructor.user, status=status)
    answer = people.instructor.post(f"/lessons/{lesson.id}/publish")
    assert answer.status_code == 200
    assert list(answer.get_json()) == LESSON_KEYS
    assert answer.get_json()["status"] == "published"


@pytest.mark.parametrize("video", ["uploading", "processing"])
def test_a_coming_video_makes_it_an_intent(people: People, video: str) -> None:
    lesson = factories.make_lesson(
        creator=people.instructor.user, video_processing_status=video, publish_on_ready=False
    )
    factories.make_tracking(lesson, status=video)
    answer = people.instructor.post(f"/lessons/{lesson.id}/publish")
    assert answer.status_code == 202
    assert (answer.get_json()["status"], answer.get_json()["publish_on_ready"]) == ("draft", True)


@pytest.mark.parametrize(
    ("columns", "status", "type_"),
    [
        ({}, 400, "no_video"),
        ({"video_processing_status": "deleting"}, 400, "no_video"),
        ({"video_processing_status": "processing", "mux_asset_id": "temp_123"}, 400, "temporary_asset"),
        ({"video_processing_status": "ready", "mux_asset_id": "temp_123"}, 400, "temporary_asset"),
        ({"video_processing_status": "error", "video_error_type": "asset_errored"}, 409, "video_error"),
        ({"video_processing_status": "ready", "mux_asset_id": "a"}, 409, "video_error"),
    ],
)
def test_what_cannot_be_published(people: People, columns: dict[str, Any], status: int, type_: str) -> None:
    lesson = factories.make_lesson(creator=people.instructor.user, publish_on_ready=False, **columns)
    refused(people.instructor.post(f"/lessons/{lesson.id}/publish"), status, type_)
    assert shown(people.instructor, lesson)["publish_on_ready"] is False


@pytest.fixture
def stuck(people: People, sim: Control) -> tuple[str, str]:
    """A lesson whose upload has taken longer than STUCK_AFTER_SECONDS: its id and its upload's."""
    lesson = people.instructor.post("/lessons", {"title": "Slow", "status": "draft"}).get_json()
    named = {"lesson_id": lesson["id"], "filename": "a.mp4"}
    upload = people.instructor.post("/mux/upload-url", named).get_json()["upload_id"]
    with factories.in_context():
        db.session.query(Tracking).update({"created_at": datetime.now(UTC) - timedelta(hours=2)})
        db.session.commit()
    return lesson["id"], upload


def test_a_stuck_video_that_is_ready_at_mux_is_published_at_once(
    people: People, sim: Control, stuck: tuple[str, str]
) -> None:
    lesson_id, upload_id = stuck
    sim.upload_file(upload_id)
    answer = people.instructor.post(f"/lessons/{lesson_id}/publish")
    assert answer.status_code == 200
    assert answer.get_json()["status"] == "published"


def test_a_stuck_video_that_is_not_ready_is_an_intent(people: People, stuck: tuple[str, str]) -> None:
    answer = people.instructor.post(f"/lessons/{stuck[0]}/publish")
    assert answer.status_code == 202
    assert answer.get_json()["publish_on_ready"] is True


def test_a_stuck_video_that_failed_at_mux_says_so(
    people: People, sim: Control, stuck: tuple[str, str]
) -> None:
    lesson_id, upload_id = stuck
    sim.upload_file(upload_id, b"this is no video")
    refused(people.instructor.post(f"/lessons/{lesson_id}/publish"), 409, "video_error")
    video = people.instructor.get(f"/lessons/{lesson_id}").get_json()["video"]
    assert video["status"] == "error"
    assert video["error"]["type"] in ("asset_errored", "upload_errored")


def test_a_stuck_video_while_mux_is_away(people: People, sim: Control, stuck: tuple[str, str]) -> None:
    sim.fault("api", "reset")
    refused(people.instructor.post(f"/lessons/{stuck[0]}/publish"), 503, "mux_unavailable")
    lesson = people.instructor.get(f"/lessons/{stuck[0]}").get_json()
    assert (lesson["status"], lesson["publish_on_ready"]) == ("draft", True)
    assert lesson["video"]["status"] == "uploading"


# deleting


def test_deleting_keeps_the_video_at_mux_and_cancels_what_is_coming(people: People, session: Session) -> None:
    lesson = factories.make_playing_lesson(creator=people.instructor.user)
    coming = factories.make_tracking(lesson)
    answer = people.instructor.delete(f"/lessons/{lesson.id}")
    assert (answer.status_code, answer.data) == (204, b"")
    refused(people.instructor.get(f"/lessons/{lesson.id}"), 404)
    refused(people.instructor.delete(f"/lessons/{lesson.id}"), 404)
    refused(people.instructor.patch(f"/lessons/{lesson.id}", {"title": "x"}), 404)
    refused(people.instructor.post(f"/lessons/{lesson.id}/publish"), 404)
    refused(people.student.get(f"/lessons/{lesson.id}/playback"), 404)
    assert session.scalars(select(AssetDeletion.mux_asset_id)).all() == []
    assert session.scalars(select(UploadCancellation.upload_id)).all() == [coming.upload_id]


def test_the_trash_is_listed_and_restored_and_that_publishes_nothing(people: People) -> None:
    lesson = factories.make_playing_lesson(creator=people.instructor.user, title="Rye", price_cents=900)
    assert people.instructor.delete(f"/lessons/{lesson.id}").status_code == 204
    assert people.instructor.get("/lessons").get_json()["total"] == 0
    listed = people.instructor.get("/lessons", trash="1").get_json()
    (seen,) = listed["items"]
    assert (listed["total"], seen["id"], seen["title"]) == (1, str(lesson.id), "Rye")
    assert seen["deleted_at"] is not None
    assert people.colleague.get("/lessons", trash="1").get_json()["total"] == 0
    refused(people.student.get("/lessons", trash="1"), 403)
    refused(people.instructor.get("/lessons", trash="1", q="x"), 400)
    refused(people.colleague.post(f"/lessons/{lesson.id}/restore"), 404)
    refused(people.student.post(f"/lessons/{lesson.id}/restore"), 403)
    for _ in range(2):
        back = people.instructor.post(f"/lessons/{lesson.id}/restore")
        assert back.status_code == 200
        now = back.get_json()
        assert (now["status"], now["deleted_at"], now["price_cents"]) == ("draft", None, 900)
        assert (now["video"]["status"], now["video"]["asset_id"]) == ("ready", lesson.mux_asset_id)
    refused(people.instructor.post(f"/lessons/{uuid.uuid4()}/restore"), 404)


def test_a_bought_lesson_stays(people: People) -> None:
    lesson = factories.make_playing_lesson(creator=people.instructor.user)
    factories.make_purchase(lesson, people.student.user)
    for person in (people.instructor, people.admin):
        refused(person.delete(f"/lessons/{lesson.id}"), 409, "has_purchases")
    assert shown(people.instructor, lesson)["status"] == "published"


# the video in the object


def test_a_failed_video_shows_muxs_words(people: People) -> None:
    columns = {"video_error_type": "asset_errored", "video_error_message": "The input is not a video."}
    lesson = factories.make_lesson(creator=people.instructor.user, video_processing_status="error", **columns)
    error = shown(people.instructor, lesson)["video"]["error"]
    assert error == {"type": "asset_errored", "message": "The input is not a video."}


@pytest.mark.parametrize("type_", ["upload_timed_out", "no_playback_id", "wrong_policy", "deleted_at_mux"])
def test_a_failure_without_muxs_words_has_ours(people: People, type_: str) -> None:
    lesson = factories.make_lesson(
        creator=people.instructor.user, video_processing_status="error", video_error_type=type_
    )
    error = shown(people.instructor, lesson)["video"]["error"]
    assert error["type"] == type_
    assert error["message"].endswith(".")


def test_a_replacement_stands_beside_the_video_that_plays(people: People) -> None:
    lesson = factories.make_playing_lesson(creator=people.instructor.user)
    before = shown(people.instructor, lesson)["video"]
    assert before["replacement"] is None
    coming = factories.make_tracking(lesson, status="processing", progress=40, mux_asset_id="new")
    after = shown(people.instructor, lesson)["video"]
    assert after["replacement"] == {
        "status": "processing",
        "upload_id": coming.upload_id,
        "progress": 40,
        "error": None,
    }
    assert after | {"replacement": None} == before


def test_settings_decide_what_is_stuck(people: People) -> None:
    lesson = factories.make_lesson(creator=people.instructor.user, video_processing_status="processing")
    factories.make_tracking(
        lesson, status="processing", created_at=datetime.now(UTC) - timedelta(seconds=100)
    )
    path = "/mux/check-asset-status"
    for seconds, expected in ((1000, False), (50, True)):
        with overridden(stuck_after_seconds=seconds):
            assert people.instructor.get(path, lesson_id=lesson.id).get_json()["stuck"] is expected


def test_of_a_list_that_is_longer_than_its_ceiling_the_total_is_a_least_one(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "CEILING", 5)
    for _ in range(6):
        factories.make_lesson(creator=people.instructor.user)
    body = people.instructor.get("/lessons", per_page=2, page=3).get_json()
    assert (body["total"], body["total_is_at_least"], len(body["items"])) == (5, True, 2)
    error = refused(people.instructor.get("/lessons", per_page=5, page=2), 400, "invalid_input")
    assert "5th row" in error["fields"]["page"]


def test_what_takes_too_long_to_read_is_stopped_and_said(
    app: Flask, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "READING_SECONDS", 0.2)
    plainly, makes = listing.lessons, lessons.create

    def slow(*given: Any) -> Any:
        db.session.execute(text("SELECT pg_sleep(1)"))
        return plainly(*given)

    def slow_to_make(*given: Any) -> Any:
        db.session.execute(text("SELECT pg_sleep(0.4)"))
        return makes(*given)

    monkeypatch.setattr(listing, "lessons", slow)
    monkeypatch.setattr(lessons, "create", slow_to_make)
    with app.app_context():
        db.engine.dispose()
    error = refused(people.instructor.get("/lessons"), 503, "too_slow")
    assert "ask for less" in error["message"]
    assert people.instructor.post("/lessons", {"title": "Slow"}).status_code == 201, (
        "what writes has its time"
    )
    with app.app_context():
        db.engine.dispose()


def test_the_same_key_makes_no_second_lesson(people: People) -> None:
    body = {"title": "One", "client_key": str(uuid.uuid4())}
    first, again = (people.instructor.post("/lessons", body) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.get_json()["id"] == again.get_json()["id"]
    assert people.colleague.post("/lessons", body).status_code == 201
    assert people.instructor.get("/lessons").get_json()["total"] == 1


def test_a_change_may_name_the_version_that_it_is_made_to(people: People) -> None:
    made = people.instructor.post("/lessons", {"title": "One"})
    address, tag = f"/lessons/{made.get_json()['id']}", made.headers["ETag"]
    changed = people.instructor.patch(address, {"title": "Two"}, headers={"If-Match": tag})
    assert (changed.status_code, changed.headers["ETag"] != tag) == (200, True)
    for old in (tag, '"99"', '"x"', "W/" + tag):
        late = people.instructor.patch(address, {"title": "Three"}, headers={"If-Match": old})
        assert (late.status_code, late.get_json()["error"]["type"]) == (409, "edit_conflict"), old
    shown = people.instructor.get(address)
    assert (shown.get_json()["title"], shown.headers["ETag"]) == ("Two", changed.headers["ETag"])
    for newest in ({"If-Match": changed.headers["ETag"]}, {"If-Match": "*"}, {}):
        assert people.instructor.patch(address, {"title": "Three"}, headers=newest).status_code == 200
        changed = people.instructor.get(address)
