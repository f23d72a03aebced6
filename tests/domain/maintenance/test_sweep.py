"""What a pass over everything finds, that it does nothing twice, and that one failing part keeps no other from its work."""

import threading
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select, text, update

from lessonadmin.db import JOB, Actor, db, transaction
from lessonadmin.domain.maintenance import sweep
from lessonadmin.domain.models import AssetDeletion, Lesson, Notification, Tracking, UploadCancellation
from lessonadmin.domain.uploads import direct_upload, resuming
from lessonadmin.domain.videos import cleanup, locking, removal
from lessonadmin.domain.webhooks import inbox
from tests.factories import make_course, make_lesson, make_user
from tests.mux_sim import MuxSim
from tests.settings import overridden


def grow_old(seconds: int) -> None:
    db.session.execute(
        text(
            "UPDATE mux_asset_tracking SET created_at = created_at - make_interval(secs => :s),"
            " next_check_at = next_check_at - make_interval(secs => :s)"
        ),
        {"s": seconds},
    )
    db.session.commit()


def test_a_quiet_installation_costs_no_call(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    before = len(mux_sim.calls())
    for _ in range(3):
        summary = sweep.sweep()
        assert (summary.ran, summary.failed) == (True, {})
    assert len(mux_sim.calls()) == before


def test_stuck_is_said_once_and_watched_on(mux_sim: MuxSim) -> None:
    mux_sim.control.hold_processing()
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    grow_old(1900)
    for _ in range(3):
        sweep.sweep()
        grow_old(3600)
    now = mux_sim.lesson(lesson)
    assert now.needs_attention_at is not None
    assert (now.video_processing_status, now.status) == ("processing", "draft")
    assert mux_sim.notices(lesson.creator_id) == ["needs_attention"]
    assert mux_sim.uploads(lesson)[0].next_check_at is not None
    assert len([call for call in mux_sim.calls() if call["method"] == "GET"]) >= 2


def test_a_webhook_after_a_day_is_still_welcome(mux_sim: MuxSim) -> None:
    mux_sim.control.hold_processing()
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    grow_old(26 * 3600)
    sweep.sweep()
    mux_sim.control.set_asset_ready(mux_sim.control.assets()[0]["id"])
    mux_sim.deliver()
    now = mux_sim.lesson(lesson)
    assert (now.status, now.needs_attention_at) == ("published", None)
    assert mux_sim.notices(lesson.creator_id) == ["needs_attention", "lesson_published"]


def test_a_stuck_replacement_marks_a_lesson_that_plays_on(mux_sim: MuxSim) -> None:
    """It was told to its instructor and stood in the list of stuck lessons, but was not marked: a person who looked
    for what needs attention did not find it."""
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    mux_sim.control.hold_processing()
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    for _ in range(3):
        grow_old(1900)
        sweep.sweep()
    now = mux_sim.lesson(lesson)
    assert now.needs_attention_at is not None
    assert (now.video_processing_status, now.status) == ("ready", "published")
    assert mux_sim.notices(lesson.creator_id).count("needs_attention") == 1
    assert "The new video of" in db.session.scalars(
        select(Notification.message).where(Notification.kind == "needs_attention")
    ).one()  # fmt: skip
    mux_sim.upload(lesson)
    assert mux_sim.lesson(lesson).needs_attention_at is None, "a new attempt is not late"


def test_the_owner_of_a_stuck_preview_is_told_too(mux_sim: MuxSim) -> None:
    course = make_course()
    mux_sim.control.hold_processing()
    mux_sim.uploaded(course)
    mux_sim.deliver()
    grow_old(1900)
    sweep.sweep()
    assert mux_sim.notices(course.instructor_id) == ["needs_attention"]
    assert mux_sim.actions(course.id).count("video.needs_attention") == 1


def told(mux_sim: MuxSim, lesson: Lesson) -> list[str | None]:
    """For which causes its owner was told that it needs attention, after a pass over everything."""
    sweep.sweep()
    return list(
        db.session.scalars(
            select(Notification.cause).where(
                Notification.kind == "needs_attention", Notification.user_id == lesson.creator_id
            )
        )
    )


def test_a_file_that_has_not_arrived_is_told_after_a_day_to_its_owner_alone_and_once(mux_sim: MuxSim) -> None:
    staff = make_user(role="support")
    lesson, sent = make_lesson(title="Rye"), make_lesson(title="Oat")
    mux_sim.upload(lesson)
    ticket = mux_sim.upload(sent)
    direct_upload.bytes_are_in(sent, ticket.upload_id, temp_asset_id=None, actor=JOB)
    grow_old(1900)
    assert (told(mux_sim, lesson), told(mux_sim, sent)) == ([], [])
    db.session.execute(update(Tracking).values(bytes_in_at=text("bytes_in_at - interval '31 minutes'")))
    db.session.commit()
    assert told(mux_sim, sent) == ["stuck"], (
        "what the browser has sent is lost on the way: that is for staff, too"
    )
    assert mux_sim.notices(staff.id) == ["alarm"]
    grow_old(86_000 - 1900)
    assert told(mux_sim, lesson) == []
    grow_old(500)
    assert told(mux_sim, lesson) == ["no_file"]
    grow_old(86_400)
    assert told(mux_sim, lesson) == ["no_file"]
    assert mux_sim.notices(staff.id) == ["alarm"]
    said = db.session.scalars(select(Notification.message).where(Notification.cause == "no_file")).one()
    assert said.startswith(
        "The file of the video of “Rye” has not arrived: Mux has been waiting for it since "
    )
    assert "in the browser where the upload began to go on with it until " in said


def test_an_upload_that_goes_on_has_another_day(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    ticket = mux_sim.upload(lesson)
    grow_old(86_000)
    resuming.url_again(lesson, ticket.upload_id, actor=Actor.user(lesson.creator_id))
    grow_old(500)
    assert told(mux_sim, lesson) == []
    db.session.execute(update(Tracking).values(resumed_at=None))
    db.session.commit()
    assert told(mux_sim, lesson) == ["no_file"]


def test_a_file_that_comes_late_has_as_long_as_any_other(mux_sim: MuxSim) -> None:
    """It took its time on a slow line: nothing is late about what Mux does with it."""
    lesson = make_lesson()
    mux_sim.control.hold_processing()
    ticket = mux_sim.upload(lesson)
    grow_old(4000)
    assert told(mux_sim, lesson) == []
    mux_sim.control.complete_upload(ticket.upload_id)
    mux_sim.deliver()
    assert mux_sim.lesson(lesson).video_processing_status == "processing"
    assert told(mux_sim, lesson) == []
    db.session.execute(update(Tracking).values(asset_seen_at=text("asset_seen_at - interval '31 minutes'")))
    db.session.commit()
    assert told(mux_sim, lesson) == ["stuck"]


def test_an_attempt_that_was_interrupted_before_mux_answered_is_closed(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    with transaction(JOB):
        direct_upload._prepare(locking.lock_video_of(lesson), direct_upload.File(name="a.mp4"), "video/mp4")
    sweep.sweep()
    assert mux_sim.uploads(lesson)[0].status == "uploading", "it may be under way"
    grow_old(400)
    sweep.sweep()
    (row,) = mux_sim.uploads(lesson)
    assert (row.status, row.error_type, row.next_check_at) == ("error", "upload_not_created", None)
    assert mux_sim.lesson(lesson).video_processing_status == "none"
    assert mux_sim.actions(lesson.id) == ["video.upload_not_created"]


def test_replaced_videos_go_after_their_grace(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    for _ in range(2):
        mux_sim.uploaded(lesson)
        mux_sim.deliver()
    sweep.sweep()
    assert len(mux_sim.control.assets()) == 2
    promise = db.session.scalars(select(AssetDeletion)).one()
    assert abs(promise.due_at - promise.requested_at - timedelta(days=1)) < timedelta(seconds=5)
    db.session.execute(update(AssetDeletion).values(due_at=func.now() - text("interval '1 second'")))
    db.session.commit()
    sweep.sweep()
    assert [one["id"] for one in mux_sim.control.assets()] == [mux_sim.lesson(lesson).mux_asset_id]
    assert mux_sim.uploads(lesson)[0].status == "deleted"
    assert mux_sim.lesson(lesson).status == "published"


def test_lost_jobs_are_found_in_the_rows(mux_sim: MuxSim) -> None:
    """Cancellation and deletion were written while Redis was away: no job was enqueued, and both happen."""
    with overridden(redis_url="redis://127.0.0.1:1/0"):
        ticket = mux_sim.upload(make_lesson())
        other = make_lesson()
        mux_sim.uploaded(other)
        mux_sim.deliver()
        lesson = db.session.scalars(select(Lesson).where(Lesson.id != other.id)).one()
        direct_upload.cancel(ticket.upload_id, lesson, actor=JOB)
        with transaction(JOB):
            removal.request_delete(mux_sim.lesson(other).mux_asset_id or "")
    sweep.sweep()
    assert mux_sim.control.upload(ticket.upload_id)["status"] == "cancelled"
    assert mux_sim.control.assets() == []


def test_two_sweeps_at_once_ask_as_much_as_one(app: Flask, mux_sim: MuxSim) -> None:
    lessons = [make_lesson() for _ in range(8)]
    for lesson in lessons:
        mux_sim.uploaded(lesson)
    mux_sim.forget()
    grow_old(3600)
    mux_sim.control.fault("api", "slow", match={"operation": "list_assets"}, seconds=0.5)
    ran: list[bool] = []

    def pass_over() -> None:
        with app.app_context():
            ran.append(sweep.sweep().ran)
            db.session.remove()

    clocks = [threading.Thread(target=pass_over) for _ in range(3)]
    for clock in clocks:
        clock.start()
    for clock in clocks:
        clock.join()
    assert sorted(ran) == [False, False, True]
    assert len([call for call in mux_sim.calls() if call["method"] == "GET"]) == 1
    assert {mux_sim.lesson(one).status for one in lessons} == {"published"}


def test_one_failing_part_keeps_no_other_from_its_work(
    mux_sim: MuxSim, monkeypatch: pytest.MonkeyPatch
) -> None:
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.forget()
    grow_old(3600)

    def broken() -> int:
        raise RuntimeError("poison")

    monkeypatch.setitem(sweep.PARTS, "events", broken)
    summary = sweep.sweep()
    assert summary.failed == {"events": "RuntimeError"}
    assert mux_sim.lesson(lesson).status == "published"


def test_one_promise_that_cannot_be_kept_delays_no_other(
    mux_sim: MuxSim, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = []
    for _ in range(3):
        lesson = make_lesson()
        mux_sim.uploaded(lesson)
        mux_sim.deliver()
        kept.append(mux_sim.lesson(lesson).mux_asset_id or "")
    with transaction(JOB):
        for asset_id in kept:
            removal.request_delete(asset_id)
    real = cleanup._delete_and_verify

    def delete(asset_id: str, priority: object) -> bool:
        if asset_id == kept[0]:
            raise RuntimeError("poison")
        return real(asset_id, "low")

    monkeypatch.setattr(cleanup, "_delete_and_verify", delete)
    assert sweep.sweep().failed == {"deletions": "RowsFailed"}
    assert [one["id"] for one in mux_sim.control.assets()] == [kept[0]]


def test_the_clock_beats_between_the_parts(mux_sim: MuxSim) -> None:
    beats: list[int] = []
    sweep.sweep(lambda: beats.append(1))
    assert len(beats) == len(sweep.PARTS)


def test_notices_are_one_of_a_kind_for_an_upload(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    payloads = mux_sim.waiting()
    for payload in payloads:
        mux_sim.give(payload)
    for event in mux_sim.events():
        inbox.replay(event.id, actor=JOB)
    kinds = db.session.execute(select(Notification.tracking_id, Notification.kind)).all()
    assert len(kinds) == len(set(kinds)) == 1


def test_a_cancelled_upload_is_history_once_mux_has_cancelled_it(mux_sim: MuxSim) -> None:
    """Overtaken by a new attempt, its own webhook lost: it does not stay open for ever."""
    lesson = make_lesson()
    mux_sim.upload(lesson)
    mux_sim.upload(lesson)
    mux_sim.forget()
    sweep.sweep()
    mux_sim.forget()
    first, second = mux_sim.uploads(lesson)
    assert (first.status, first.error_type, second.status) == ("cancelled", None, "uploading")
    assert mux_sim.notices(lesson.creator_id) == []
    assert db.session.scalars(select(UploadCancellation.done_at)).one() is not None
