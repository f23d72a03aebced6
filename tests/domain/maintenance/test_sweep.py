"""What a pass over everything finds, that it does nothing twice, and that one failing part keeps no other from its work."""

import threading
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select, text, update

from lessonadmin.db import JOB, db, transaction
from lessonadmin.domain.maintenance import sweep
from lessonadmin.domain.models import AssetDeletion, Lesson, Notification, UploadCancellation
from lessonadmin.domain.uploads import direct_upload
from lessonadmin.domain.videos import locking, removal
from lessonadmin.domain.webhooks import inbox
from tests.factories import make_course, make_lesson
from tests.settings import overridden
from tests.world import World


def grow_old(seconds: int) -> None:
    db.session.execute(
        text(
            "UPDATE mux_asset_tracking SET created_at = created_at - make_interval(secs => :s),"
            " next_check_at = next_check_at - make_interval(secs => :s)"
        ),
        {"s": seconds},
    )
    db.session.commit()


def test_a_quiet_house_costs_no_call(world: World) -> None:
    lesson = make_lesson()
    world.uploaded(lesson)
    world.deliver()
    before = len(world.calls())
    for _ in range(3):
        summary = sweep.sweep()
        assert (summary.ran, summary.failed) == (True, {})
    assert len(world.calls()) == before


def test_stuck_is_said_once_and_watched_on(world: World) -> None:
    world.control.hold_processing()
    lesson = make_lesson()
    world.uploaded(lesson)
    world.deliver()
    grow_old(1900)
    for _ in range(3):
        sweep.sweep()
        grow_old(3600)
    now = world.lesson(lesson)
    assert now.needs_attention_at is not None
    assert (now.video_processing_status, now.status) == ("processing", "draft")
    assert world.notices(lesson.creator_id) == ["needs_attention"]
    assert world.rows(lesson)[0].next_check_at is not None
    assert len([call for call in world.calls() if call["method"] == "GET"]) >= 2


def test_a_webhook_after_a_day_is_still_welcome(world: World) -> None:
    world.control.hold_processing()
    lesson = make_lesson()
    world.uploaded(lesson)
    world.deliver()
    grow_old(26 * 3600)
    sweep.sweep()
    world.control.set_asset_ready(world.control.assets()[0]["id"])
    world.deliver()
    now = world.lesson(lesson)
    assert (now.status, now.needs_attention_at) == ("published", None)
    assert world.notices(lesson.creator_id) == ["needs_attention", "lesson_published"]


def test_a_stuck_replacement_marks_a_lesson_that_plays_on(world: World) -> None:
    """It was told to its instructor and stood in the list of stuck lessons, but was not marked: a person who looked
    for what needs attention did not find it."""
    lesson = make_lesson()
    world.uploaded(lesson)
    world.deliver()
    world.upload(lesson)
    for _ in range(3):
        grow_old(1900)
        sweep.sweep()
    now = world.lesson(lesson)
    assert now.needs_attention_at is not None
    assert (now.video_processing_status, now.status) == ("ready", "published")
    assert world.notices(lesson.creator_id).count("needs_attention") == 1
    assert "The new video of" in db.session.scalars(
        select(Notification.message).where(Notification.kind == "needs_attention")
    ).one()  # fmt: skip
    world.uploaded(lesson)
    world.deliver()
    assert world.lesson(lesson).needs_attention_at is None, "a new attempt is not late"


def test_the_owner_of_a_stuck_preview_is_told_too(world: World) -> None:
    course = make_course()
    world.upload(course)
    grow_old(1900)
    sweep.sweep()
    assert world.notices(course.instructor_id) == ["needs_attention"]
    assert world.actions(course.id).count("video.needs_attention") == 1


def test_an_attempt_that_was_interrupted_before_mux_answered_is_closed(world: World) -> None:
    lesson = make_lesson()
    with transaction(JOB):
        direct_upload._prepare(locking.lock_video_of(lesson), direct_upload.File(name="a.mp4"), "video/mp4")
    sweep.sweep()
    assert world.rows(lesson)[0].status == "uploading", "it may be under way"
    grow_old(400)
    sweep.sweep()
    (row,) = world.rows(lesson)
    assert (row.status, row.error_type, row.next_check_at) == ("error", "upload_not_created", None)
    assert world.lesson(lesson).video_processing_status == "none"
    assert world.actions(lesson.id) == ["video.upload_not_created"]


def test_replaced_videos_go_after_their_grace(world: World) -> None:
    lesson = make_lesson()
    for _ in range(2):
        world.uploaded(lesson)
        world.deliver()
    sweep.sweep()
    assert len(world.control.assets()) == 2
    promise = db.session.scalars(select(AssetDeletion)).one()
    assert abs(promise.due_at - promise.requested_at - timedelta(days=1)) < timedelta(seconds=5)
    db.session.execute(update(AssetDeletion).values(due_at=func.now() - text("interval '1 second'")))
    db.session.commit()
    sweep.sweep()
    assert [one["id"] for one in world.control.assets()] == [world.lesson(lesson).mux_asset_id]
    assert world.rows(lesson)[0].status == "deleted"
    assert world.lesson(lesson).status == "published"


def test_lost_nudges_are_found_in_the_rows(world: World) -> None:
    """Cancellation and deletion were promised while Redis was away: nobody was nudged, and both happen."""
    with overridden(redis_url="redis://127.0.0.1:1/0"):
        ticket = world.upload(make_lesson())
        other = make_lesson()
        world.uploaded(other)
        world.deliver()
        lesson = db.session.scalars(select(Lesson).where(Lesson.id != other.id)).one()
        direct_upload.cancel(ticket.upload_id, lesson, actor=JOB)
        with transaction(JOB):
            removal.request_delete(world.lesson(other).mux_asset_id or "")
    sweep.sweep()
    assert world.control.upload(ticket.upload_id)["status"] == "cancelled"
    assert world.control.assets() == []


def test_two_sweeps_at_once_ask_as_much_as_one(app: Flask, world: World) -> None:
    lessons = [make_lesson() for _ in range(8)]
    for lesson in lessons:
        world.uploaded(lesson)
    world.forget()
    grow_old(3600)
    world.control.fault("api", "slow", match={"operation": "list_assets"}, seconds=0.5)
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
    assert len([call for call in world.calls() if call["method"] == "GET"]) == 1
    assert {world.lesson(one).status for one in lessons} == {"published"}


def test_two_workers_delete_once(app: Flask, world: World) -> None:
    lesson = make_lesson()
    world.uploaded(lesson)
    world.deliver()
    with transaction(JOB):
        removal.request_delete(world.lesson(lesson).mux_asset_id or "")
    (promise,) = db.session.scalars(select(AssetDeletion.id)).all()
    db.session.rollback()
    world.control.fault("api", "slow", match={"method": "DELETE"}, seconds=0.3)

    def work() -> None:
        with app.app_context():
            removal.finish(promise, actor=JOB)
            db.session.remove()

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len([call for call in world.calls() if call["method"] == "DELETE"]) == 1
    assert world.actions(lesson.id).count("video.deleted") == 1


def test_one_failing_part_keeps_no_other_from_its_work(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    lesson = make_lesson()
    world.uploaded(lesson)
    world.forget()
    grow_old(3600)

    def broken() -> int:
        raise RuntimeError("poison")

    monkeypatch.setitem(sweep.PARTS, "events", broken)
    summary = sweep.sweep()
    assert summary.failed == {"events": "RuntimeError"}
    assert world.lesson(lesson).status == "published"


def test_one_promise_that_cannot_be_kept_delays_no_other(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = []
    for _ in range(3):
        lesson = make_lesson()
        world.uploaded(lesson)
        world.deliver()
        kept.append(world.lesson(lesson).mux_asset_id or "")
    with transaction(JOB):
        for asset_id in kept:
            removal.request_delete(asset_id)
    real = removal._delete_and_verify

    def delete(asset_id: str, priority: object) -> bool:
        if asset_id == kept[0]:
            raise RuntimeError("poison")
        return real(asset_id, "low")

    monkeypatch.setattr(removal, "_delete_and_verify", delete)
    assert sweep.sweep().failed == {"deletions": "Stumbled"}
    assert [one["id"] for one in world.control.assets()] == [kept[0]]


def test_the_clock_beats_between_the_parts(world: World) -> None:
    beats: list[int] = []
    sweep.sweep(lambda: beats.append(1))
    assert len(beats) == len(sweep.PARTS)


def test_notices_are_one_of_a_kind_for_an_upload(world: World) -> None:
    lesson = make_lesson()
    world.uploaded(lesson)
    payloads = world.waiting()
    for payload in payloads:
        world.give(payload)
    for event in world.events():
        inbox.replay(event.id, actor=JOB)
    kinds = db.session.execute(select(Notification.tracking_id, Notification.kind)).all()
    assert len(kinds) == len(set(kinds)) == 1


def test_a_cancelled_upload_is_history_once_mux_has_cancelled_it(world: World) -> None:
    """Overtaken by a new attempt, its own webhook lost: it does not stay open for ever."""
    lesson = make_lesson()
    world.upload(lesson)
    world.upload(lesson)
    world.forget()
    sweep.sweep()
    world.forget()
    first, second = world.rows(lesson)
    assert (first.status, first.error_type, second.status) == ("error", "upload_cancelled", "uploading")
    assert world.notices(lesson.creator_id) == []
    assert db.session.scalars(select(UploadCancellation.done_at)).one() is not None
