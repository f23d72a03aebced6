"""The URL of an interrupted upload, asked for again: who gets it, until when, and what Mux's answer does."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from lessonadmin.db import CLI, JOB, Actor, db, transaction
from lessonadmin.domain.errors import Conflict, Missing, Unavailable
from lessonadmin.domain.models import AuditLog, Lesson, Tracking
from lessonadmin.domain.polling import ask_mux
from lessonadmin.domain.uploads import direct_upload, resuming
from tests.factories import make_lesson, make_playing_lesson, make_user
from tests.mux_sim import MuxSim


def again(lesson: Lesson, upload_id: str) -> direct_upload.IssuedUpload:
    return resuming.url_again(lesson, upload_id, actor=Actor.user(lesson.creator_id))


@pytest.mark.parametrize("playing", [False, True])
def test_the_same_url_for_as_long_as_mux_waits(
    mux_sim: MuxSim, caplog: pytest.LogCaptureFixture, playing: bool
) -> None:
    lesson = make_playing_lesson() if playing else make_lesson()
    first = mux_sim.upload(lesson)
    second = again(lesson, first.upload_id)
    assert (second.upload_id, second.upload_url) == (first.upload_id, first.upload_url)
    assert second.expires_at == first.expires_at
    assert len(mux_sim.calls("get_upload")) == 1
    row = mux_sim.uploads(lesson)[-1]
    assert (row.status, row.last_answer) == ("uploading", "upload_waiting")
    rows = db.session.scalars(select(AuditLog).where(AuditLog.action == "video.upload_resumed")).all()
    assert [row.detail["upload_id"] for row in rows] == [first.upload_id]
    stored = str([vars(one) for one in (*rows, row)])
    assert first.upload_url not in stored + caplog.text + repr(second)


def test_going_on_wakes_what_was_hardly_asked_about(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    ticket = mux_sim.upload(lesson)
    (row,) = mux_sim.uploads(lesson)

    def silence(**columns: object) -> timedelta:
        """When Mux is asked next, once it has said again that it waits."""
        with transaction(CLI):
            db.session.execute(update(Tracking).values(**columns))
        ask_mux.check_upload(row.id, actor=JOB, priority="low", found_by="sweep")
        return left()

    def left() -> timedelta:
        (now,) = mux_sim.uploads(lesson)
        assert now.next_check_at is not None
        return now.next_check_at - datetime.now(UTC)

    assert silence(created_at=datetime.now(UTC) - timedelta(days=1)) > timedelta(hours=5)
    again(lesson, ticket.upload_id)
    assert left() < timedelta(minutes=2)
    assert silence(resumed_at=None) > timedelta(hours=5)
    direct_upload.bytes_are_in(lesson, ticket.upload_id, temp_asset_id=None, actor=JOB)
    assert left() < timedelta(minutes=2)


def test_another_persons_lesson_is_missing(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    ticket = mux_sim.upload(lesson)
    with pytest.raises(Missing):
        resuming.url_again(lesson, ticket.upload_id, actor=Actor.user(make_user().id))
    with pytest.raises(Missing):
        again(make_lesson(), ticket.upload_id)
    assert mux_sim.calls("get_upload") == []


def test_what_is_over_here_is_not_asked_about(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    replaced, cancelled = mux_sim.upload(lesson), mux_sim.upload(lesson)
    direct_upload.cancel(cancelled.upload_id, lesson, actor=Actor.user(lesson.creator_id))
    late = mux_sim.upload(make_lesson())
    with transaction(CLI):
        past = datetime.now(UTC) - timedelta(seconds=1)
        db.session.execute(
            update(Tracking).where(Tracking.upload_id == late.upload_id).values(expires_at=past)
        )
    owner = db.session.get_one(
        Lesson, db.session.scalar(select(Tracking.lesson_id).where(Tracking.upload_id == late.upload_id))
    )
    for of, ticket in ((lesson, replaced), (lesson, cancelled), (owner, late)):
        with pytest.raises(Conflict) as refusal:
            again(of, ticket.upload_id)
        assert refusal.value.type == "not_resumable"
    assert mux_sim.calls("get_upload") == []


@pytest.mark.parametrize(
    ("ends", "status"),
    [
        (lambda sim, one: sim.control.complete_upload(one), "processing"),
        (lambda sim, one: sim.control.cancel_upload_elsewhere(one), "error"),
        (lambda sim, one: sim.control.time_out_upload(one), "error"),
    ],
    ids=["the file is there", "cancelled at Mux", "out of time at Mux"],
)
def test_what_is_over_at_mux_shows_at_once(
    mux_sim: MuxSim, ends: Callable[[MuxSim, str], object], status: str
) -> None:
    lesson = make_lesson()
    ticket = mux_sim.upload(lesson)
    ends(mux_sim, ticket.upload_id)
    with pytest.raises(Conflict) as refusal:
        again(lesson, ticket.upload_id)
    assert refusal.value.type == "not_resumable"
    assert mux_sim.lesson(lesson).video_processing_status == status


def test_a_mux_that_does_not_answer_changes_nothing(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    ticket = mux_sim.upload(lesson)
    mux_sim.control.fault("api", "status", status=500, times=1)
    with pytest.raises(Unavailable):
        again(lesson, ticket.upload_id)
    assert mux_sim.uploads(lesson)[-1].status == "uploading"
    assert again(lesson, ticket.upload_id).upload_url == ticket.upload_url
