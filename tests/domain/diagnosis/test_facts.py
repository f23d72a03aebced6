"""What the database says about the video of one lesson or course, in few queries."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from lessonadmin import mux
from lessonadmin.domain.diagnosis import diagnose, facts
from lessonadmin.domain.diagnosis.facts import VideoFacts
from lessonadmin.domain.diagnosis.mux_comparison import Look
from lessonadmin.domain.models import AssetDeletion, Course, Lesson
from tests.domain.diagnosis.support import fresh
from tests.factories import (
    keep,
    make_course,
    make_event,
    make_lesson,
    make_playing_lesson,
    make_tracking,
    make_user,
)
from tests.mux_sim import MuxSim
from tests.queries import counted


def test_our_own_record_costs_few_queries_and_no_call(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    owner = fresh(lesson)
    before = len(mux_sim.calls())
    with counted() as statements:
        diagnose.diagnose(owner)
    assert 0 < len(statements) <= 5, statements
    assert len(mux_sim.calls()) == before


def known(owner: Lesson | Course, look: Look | None = None) -> VideoFacts:
    return facts.read_facts(fresh(owner), look)


def ago(seconds: float) -> datetime:
    return datetime.now(UTC) - timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("new", "moving", "replaces", "watched"),
    [
        (None, False, False, "ready"),
        ("uploading", True, True, "uploading"),
        ("processing", True, True, "processing"),
        ("cancelled", False, False, "ready"),
    ],
)
def test_mux_is_asked_about_a_new_video_while_one_is_on_its_way(
    new: str | None, moving: bool, replaces: bool, watched: str
) -> None:
    lesson = make_playing_lesson()
    if new is not None:
        make_tracking(lesson, status=new)
    found = known(lesson)
    assert (found.moving, found.is_replacement, found.watched_status) == (moving, replaces, watched)
    assert found.noun == ("new video" if replaces else "video")
    assert found.status == "ready", "users see the old one"


def test_the_first_video_replaces_none() -> None:
    lesson = make_lesson(video_processing_status="uploading")
    make_tracking(lesson)
    assert (known(lesson).moving, known(lesson).is_replacement) == (True, False)


def test_times_are_said_in_words_also_where_none_is_known() -> None:
    lesson = make_lesson(video_processing_status="uploading")
    make_tracking(lesson, created_at=ago(7200), bytes_in_at=ago(180), expires_at=ago(1))
    found = known(lesson)
    assert (found.age, found.since_bytes, found.expired) == ("2 hours", "3 minutes", True)
    empty = known(make_lesson())
    assert (empty.age, empty.since_bytes, empty.expired) == ("some time", "some time", False)


@pytest.mark.parametrize(
    ("columns", "expired"),
    [({}, False), ({"expires_at": ago(60)}, True), ({"expires_at": ago(-86400)}, False)],
)
def test_an_upload_address_expires_by_the_clock(columns: dict[str, Any], expired: bool) -> None:
    lesson = make_lesson(video_processing_status="uploading")
    make_tracking(lesson, **columns)
    assert known(lesson).expired is expired


@pytest.mark.parametrize(("at_mux", "progress"), [(None, 40), (0, 0), (70, 70)])
def test_what_mux_says_of_progress_is_newer_than_our_row(at_mux: int | None, progress: int) -> None:
    lesson = make_lesson(video_processing_status="processing")
    make_tracking(lesson, status="processing", progress=40)
    look = Look(asset=mux.Asset(id="a", progress=at_mux))
    assert known(lesson, look).progress == progress
    assert known(lesson).progress == 40


@pytest.mark.parametrize(
    ("stored", "told"),
    [
        (None, None),
        ("timeout: No answer: none at all.", ("timeout", "No answer: none at all.")),
        ("Mux says that it: does not exist.", ("", "Mux says that it: does not exist.")),
    ],
)
def test_the_last_failed_look_is_told_with_its_category(
    stored: str | None, told: tuple[str, str] | None
) -> None:
    lesson = make_lesson(video_processing_status="uploading")
    make_tracking(lesson, last_look_error=stored)
    assert known(lesson).last_look_error == told


def deletion(lesson: Lesson, **columns: Any) -> None:
    keep(AssetDeletion(mux_asset_id=uuid.uuid4().hex, target_type="lesson", target_id=lesson.id, **columns))


def test_the_newest_open_deletion_counts_and_may_be_in_its_grace_time() -> None:
    lesson = make_lesson(video_processing_status="deleting")
    deletion(lesson, requested_at=ago(-60), done_at=ago(0))
    assert known(lesson).deletion is None
    deletion(lesson, reason="older", requested_at=ago(600), due_at=ago(600))
    assert not known(lesson).in_grace
    deletion(lesson, reason="newer", requested_at=ago(60), due_at=ago(-86400))
    found = known(lesson)
    assert found.deletion is not None
    assert (found.deletion.reason, found.in_grace) == ("newer", True)


def test_events_that_wait_come_oldest_first_and_not_all_of_many(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(facts, "MAX_EVENTS", 3)
    lesson, about = make_lesson(), {"target_type": "lesson"}
    for outcome in ("applied", "ignored"):
        make_event(target_id=lesson.id, outcome=outcome, **about)
    make_event(target_id=make_lesson().id, outcome="failed", **about)
    waiting = [
        make_event(target_id=lesson.id, outcome=outcome, received_at=ago(age), **about).id
        for age, outcome in ((10, "failed"), (40, "unmatched"), (30, "failed"), (20, "failed"))
    ]
    assert known(lesson).waiting_events == (waiting[1], waiting[2], waiting[3])


def test_a_withdrawn_upload_names_its_starter_and_the_day() -> None:
    lesson, starter = make_lesson(), make_user(email="ada@school.example")
    day = datetime(2026, 3, 1, 12, tzinfo=UTC)
    kept_back = {"status": "cancelled", "withdrawn_at": day, "created_at": ago(60)}
    make_tracking(lesson, error_type="right_lost", started_by=starter.id, **kept_back)
    make_tracking(lesson, error_type="held", status="cancelled")
    make_tracking(lesson, status="cancelled")
    found = known(lesson).withdrawn
    assert [(one.began, one.since, one.is_held) for one in found] == [
        ("ada@school.example", "1 March 2026", False), ("A user whose account is deleted", "a day unknown", True),
    ]  # fmt: skip


@pytest.mark.parametrize("make", [make_lesson, make_course])
def test_every_upload_comes_oldest_first_and_none_of_another(make: Any) -> None:
    owner = make()
    rows = [make_tracking(owner, created_at=ago(age), status="cancelled").id for age in (10, 30, 20)]
    make_tracking(make())
    found = facts.uploads_of(owner)
    assert [row.id for row in found.all] == [rows[1], rows[2], rows[0]]
    assert abs((found.now - datetime.now(UTC)).total_seconds()) < 60
    assert facts.uploads_of(make()).all == ()
