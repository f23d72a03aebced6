"""How a video stands, for one and for many, in every state that its rows can tell."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from lessonadmin.db import CLI, db, transaction
from lessonadmin.domain.models import Lesson, Tracking
from lessonadmin.domain.uploads import direct_upload
from lessonadmin.domain.videos import locking, transitions, video_status
from lessonadmin.domain.videos.observations import Observation
from lessonadmin.domain.videos.state_machine import VideoEvent
from tests import factories
from tests.queries import counted

pytestmark = pytest.mark.usefixtures("session")
READY = {"asset_id": "a", "playback_id": "p", "policy": "public", "duration": 9.0}


def attempt(lesson: Lesson, upload_id: str) -> Tracking:
    """A new upload takes its place, as after Mux's answer."""
    with transaction(CLI):
        video = locking.lock_video_of(lesson)
        row = transitions.add_upload(video, upload_id=upload_id, filename="talk.mp4", outside=True)
        direct_upload.make_current(video, row)
        return row


def happen(row: Tracking, video_event: VideoEvent, **more: Any) -> None:
    with transaction(CLI):
        found = locking.lock_video_of_upload(row.id)
        assert found is not None
        transitions.apply(*found, Observation(video_event=video_event, **more))


def now(lesson: Lesson) -> video_status.VideoStatus:
    return video_status.of(db.session.get_one(Lesson, lesson.id, populate_existing=True))


def test_the_way_of_a_video() -> None:
    lesson = factories.make_lesson()
    assert now(lesson).status == "none"
    assert now(lesson).settled
    row = attempt(lesson, "u1")
    told = now(lesson)
    assert (told.status, told.upload_id, told.progress, told.settled) == ("uploading", "u1", None, False)
    assert (told.filename, told.bytes_in) == ("talk.mp4", False)
    happen(row, VideoEvent.ASSET_SEEN, asset_id="a", progress=20)
    told = now(lesson)
    assert (told.status, told.asset_id, told.progress) == ("processing", "a", 20)
    happen(row, VideoEvent.ASSET_READY, **READY)
    told = now(lesson)
    assert (told.status, told.playback_id, told.progress, told.duration) == ("ready", "p", 100, 9.0)
    assert told.settled
    assert not told.can_undo


@pytest.mark.parametrize(
    ("video_event", "type_"),
    [
        (VideoEvent.UPLOAD_EXPIRED, "upload_timed_out"),
        (VideoEvent.UPLOAD_ERRORED, "upload_errored"),
        (VideoEvent.UPLOAD_CANCELLED, "upload_cancelled"),
        (VideoEvent.ASSET_ERRORED, "asset_errored"),
    ],
)
def test_endings(video_event: VideoEvent, type_: str) -> None:
    lesson = factories.make_lesson()
    happen(attempt(lesson, "u1"), video_event)
    told = now(lesson)
    assert told.error is not None
    assert (told.status, told.error.type, told.upload_id, told.settled) == ("error", type_, "u1", True)
    assert told.error.message
    assert told.error.advice


def test_what_a_person_gave_up_is_nothing() -> None:
    lesson = factories.make_lesson()
    happen(attempt(lesson, "u1"), VideoEvent.CANCEL)
    told = now(lesson)
    assert (told.status, told.upload_id, told.error) == ("none", None, None)


def test_what_is_deleted_shows_no_ids() -> None:
    lesson = factories.make_lesson()
    row = attempt(lesson, "u1")
    happen(row, VideoEvent.ASSET_READY, **READY)
    happen(row, VideoEvent.DELETE)
    told = now(lesson)
    assert (told.status, told.upload_id, told.asset_id, told.playback_id) == ("deleting", None, None, None)
    happen(row, VideoEvent.ASSET_DELETED)
    assert (now(lesson).status, now(lesson).upload_id) == ("none", None)


def test_deleted_at_mux_shows_no_ids_but_says_so() -> None:
    lesson = factories.make_lesson()
    row = attempt(lesson, "u1")
    happen(row, VideoEvent.ASSET_READY, **READY)
    happen(row, VideoEvent.ASSET_DELETED)
    told = now(lesson)
    assert told.error is not None
    assert (told.status, told.error.type) == ("error", "deleted_at_mux")
    assert (told.upload_id, told.asset_id, told.playback_id) == (None, None, None)


@pytest.fixture
def playing() -> Lesson:
    lesson = factories.make_lesson()
    happen(attempt(lesson, "u1"), VideoEvent.ASSET_READY, **READY)
    return lesson


def test_a_replacement_on_its_way_and_its_swap(playing: Lesson) -> None:
    row = attempt(playing, "u2")
    told = now(playing)
    assert told.replacement is not None
    assert (told.status, told.upload_id, told.asset_id) == ("ready", "u1", "a")
    assert (told.replacement.status, told.replacement.upload_id, told.settled) == ("uploading", "u2", False)
    happen(row, VideoEvent.ASSET_READY, asset_id="b", playback_id="q", policy="public")
    told = now(playing)
    assert (told.status, told.upload_id, told.asset_id, told.replacement) == ("ready", "u2", "b", None)
    assert told.can_undo


def test_a_failed_replacement_is_shown_until_the_next_attempt(playing: Lesson) -> None:
    failed = attempt(playing, "u2")
    happen(failed, VideoEvent.ASSET_ERRORED, asset_id="b", error_message="No sound.")
    for _ in range(2):
        told = now(playing)
        assert told.replacement is not None
        assert told.replacement.error is not None
        assert (told.status, told.replacement.status, told.replacement.error.message) == (
            "ready",
            "error",
            "No sound.",
        )
        assert told.settled
        happen(failed, VideoEvent.ASSET_DELETED)  # since nothing uses it: that it failed is still true
    row = attempt(playing, "u3")
    assert now(playing).replacement is not None
    happen(row, VideoEvent.CANCEL)
    assert now(playing).replacement is None


def test_a_failure_from_before_the_present_video_is_history() -> None:
    lesson = factories.make_lesson()
    happen(attempt(lesson, "u1"), VideoEvent.ASSET_ERRORED)
    happen(attempt(lesson, "u2"), VideoEvent.ASSET_READY, **READY)
    assert (now(lesson).status, now(lesson).replacement) == ("ready", None)


def test_an_upload_that_mux_refused_is_no_replacement(playing: Lesson) -> None:
    factories.make_tracking(
        playing,
        status="error",
        error_type="upload_not_created",
        upload_id=None,
        superseded_at=datetime.now(UTC),
    )
    assert now(playing).replacement is None


def test_a_lesson_from_before_tracking() -> None:
    lesson = factories.make_lesson(
        mux_asset_id="a", mux_playback_id="p", playback_policy="public", video_processing_status="ready"
    )
    told = now(lesson)
    assert (told.status, told.upload_id, told.asset_id, told.playback_id) == ("ready", None, "a", "p")


def test_stuck_is_what_is_on_its_way_for_too_long(playing: Lesson, session: Session) -> None:
    row = attempt(playing, "u2")
    assert not now(playing).stuck
    session.get_one(Tracking, row.id).created_at = datetime.now(UTC) - timedelta(hours=1)
    session.commit()
    told = now(playing)
    assert told.stuck
    assert told.replacement is not None
    assert told.replacement.stuck


def test_many_take_one_query(session: Session) -> None:
    lessons = [factories.make_playing_lesson() for _ in range(8)]
    for lesson in lessons[:4]:
        factories.make_tracking(lesson)
    with counted() as statements:
        told = video_status.of_many(lessons)
    assert len(statements) == 1
    assert [told[lesson.id].replacement is not None for lesson in lessons] == [True] * 4 + [False] * 4
    assert video_status.of_many([]) == {}


@pytest.mark.parametrize("status", ["none", "uploading", "processing", "ready", "error", "deleting"])
def test_every_state_has_a_sentence(status: str) -> None:
    lesson = factories.make_lesson(video_processing_status=status)
    assert video_status.sentence(now(lesson)).endswith((".", "\u201d"))


def test_the_pause_between_questions() -> None:
    assert [video_status.next_poll_ms(n) for n in (-5, 0, 1, 2, 4, 5, 10**9)] == [
        5000, 5000, 7500, 11250, 25312, 30000, 30000,
    ]  # fmt: skip
