"""From upload to published lesson through the domain, with the simulator's true payloads."""

import pytest
from sqlalchemy import select, update

from lessonadmin.db import CLI, Actor, db, transaction
from lessonadmin.domain.errors import Invalid
from lessonadmin.domain.lessons import lessons
from lessonadmin.domain.maintenance import sweep
from lessonadmin.domain.models import AssetDeletion, Tracking, UploadCancellation
from lessonadmin.domain.uploads import direct_upload
from lessonadmin.domain.videos import locking, removal
from tests.factories import make_lesson
from tests.mux_sim import MuxSim
from tests.settings import overridden
from tests.trash import delete_for_good


def test_a_lesson_publishes_itself(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    upload_id = mux_sim.uploaded(lesson)
    assert "applied" in set(mux_sim.deliver()) <= {"applied", "no_change", "ignored"}
    now = mux_sim.lesson(lesson)
    assert (now.status, now.video_processing_status) == ("published", "ready")
    asset = mux_sim.control.assets()[0]
    assert now.mux_asset_id == asset["id"]
    assert now.mux_playback_id == asset["playback_ids"][0]["id"]
    (row,) = mux_sim.uploads(lesson)
    assert (row.upload_id, row.status, row.ready_found_by) == (upload_id, "ready", "webhook")
    assert mux_sim.actions(lesson.id) == [
        "video.upload_started",
        "video.processing",
        "video.ready",
        "lesson.published",
    ]
    assert mux_sim.notices(lesson.creator_id) == ["lesson_published"]


@pytest.mark.parametrize("order", ["asset_first", "upload_first"])
def test_whichever_of_the_first_events_comes_first(mux_sim: MuxSim, order: str) -> None:
    mux_sim.control.set_switch("event_order", order)
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.control.flush_events()
    payloads = mux_sim.waiting()
    first = "video.asset.created" if order == "asset_first" else "video.upload.asset_created"
    assert payloads[1]["type"] == first
    assert [mux_sim.give(payload) for payload in payloads[:2]] == ["ignored", "applied"]
    assert mux_sim.lesson(lesson).mux_asset_id == mux_sim.control.assets()[0]["id"]
    assert "applied" in {mux_sim.give(payload) for payload in payloads[2:]} <= {"applied", "no_change"}
    assert mux_sim.lesson(lesson).status == "published"
    assert mux_sim.actions(lesson.id).count("video.processing") == 1


def test_captions_that_mux_skipped_hold_up_no_lesson(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    file = direct_upload.File(name="silent.mp4", caption_language="en")
    ticket = direct_upload.start(lesson, file, actor=Actor.user(lesson.owner_id))
    mux_sim.control.complete_upload(ticket.upload_id, audio=False)
    assert "applied" in set(mux_sim.deliver()) <= {"applied", "no_change", "ignored"}
    assert mux_sim.control.events()[-1]["type"] == "video.asset.track.skipped"
    assert mux_sim.lesson(lesson).status == "published"
    (row,) = mux_sim.uploads(lesson)
    assert (row.status, row.error_type) == ("ready", None)


def test_a_lesson_whose_webhooks_arrive_costs_one_call(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    ticket = mux_sim.upload(lesson)
    mux_sim.control.complete_upload(ticket.upload_id)
    direct_upload.bytes_are_in(
        lesson, ticket.upload_id, temp_asset_id="temp_1", actor=Actor.user(lesson.creator_id)
    )
    mux_sim.deliver()
    sweep.sweep()
    assert [call["operation"] for call in mux_sim.calls()] == ["create_upload"]


def test_every_webhook_lost_is_found_by_the_sweep(mux_sim: MuxSim) -> None:
    lessons_ = [make_lesson() for _ in range(12)]
    for lesson in lessons_:
        mux_sim.uploaded(lesson)
    mux_sim.forget()
    with overridden(recheck_after_seconds=1):
        db.session.execute(update(Tracking).values(next_check_at=Tracking.created_at))
        db.session.commit()
        summary = sweep.sweep()
    assert not summary.failed
    assert {mux_sim.lesson(lesson).status for lesson in lessons_} == {"published"}
    assert [call["operation"] for call in mux_sim.calls() if call["method"] == "GET"] == ["list_assets"]


def test_replacement_keeps_playing_until_the_new_one_is_ready_and_can_be_undone(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    old = mux_sim.lesson(lesson).mux_asset_id
    ticket = mux_sim.upload(lesson)
    assert mux_sim.lesson(lesson).mux_asset_id == old
    assert mux_sim.lesson(lesson).status == "published"
    mux_sim.control.complete_upload(ticket.upload_id)
    mux_sim.deliver()
    new = mux_sim.lesson(lesson)
    assert new.mux_asset_id != old
    assert new.status == "published"
    deletion = db.session.scalars(select(AssetDeletion)).one()
    assert deletion.mux_asset_id == old
    assert deletion.done_at is None
    sweep.sweep()
    assert len(mux_sim.control.assets()) == 2
    with transaction(CLI):
        assert removal.undo_replacement(locking.lock_video_of(new))
    assert mux_sim.lesson(lesson).mux_asset_id == old


def test_a_failed_replacement_leaves_the_lesson_as_it_was(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    old = mux_sim.lesson(lesson).mux_asset_id
    ticket = mux_sim.upload(lesson)
    mux_sim.control.error_upload(ticket.upload_id)
    mux_sim.deliver()
    now = mux_sim.lesson(lesson)
    assert (now.mux_asset_id, now.status, now.video_processing_status) == (old, "published", "ready")
    assert mux_sim.uploads(lesson)[-1].superseded_at is not None
    assert mux_sim.notices(lesson.creator_id) == ["lesson_published", "video_failed"]


def test_deleting_a_video_clears_the_lesson_and_then_mux(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    asset_id = mux_sim.lesson(lesson).mux_asset_id
    assert asset_id
    with transaction(Actor.user(lesson.creator_id)):
        removal.request_delete(asset_id)
    now = mux_sim.lesson(lesson)
    assert (now.status, now.video_processing_status, now.mux_asset_id, now.publish_on_ready) == (
        "draft",
        "deleting",
        None,
        False,
    )
    sweep.sweep()
    now = mux_sim.lesson(lesson)
    assert now.video_processing_status == "none"
    assert mux_sim.control.assets() == []
    assert db.session.scalars(select(AssetDeletion)).one().done_at is not None


def test_deleted_in_the_dashboard(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    mux_sim.control.delete_asset_in_dashboard(mux_sim.control.assets()[0]["id"])
    mux_sim.deliver()
    now = mux_sim.lesson(lesson)
    assert (now.status, now.video_processing_status, now.video_error_type) == (
        "draft",
        "error",
        "deleted_at_mux",
    )
    assert mux_sim.notices(lesson.creator_id)[-1] == "video_deleted"


def test_cancelling_cancels_at_mux_too(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    ticket = mux_sim.upload(lesson)
    actor = Actor.user(lesson.creator_id)
    assert direct_upload.cancel(ticket.upload_id, lesson, actor=actor) == "cancelled"
    assert mux_sim.lesson(lesson).video_processing_status == "none"
    sweep.sweep()
    assert mux_sim.control.upload(ticket.upload_id)["status"] == "cancelled"
    assert db.session.scalars(select(UploadCancellation)).one().done_at is not None


def test_a_lesson_deleted_while_processing_leaves_nothing_at_mux(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    payloads = mux_sim.waiting()
    mux_sim.give(next(p for p in payloads if p["type"] == "video.upload.asset_created"))
    delete_for_good(lesson)
    for payload in payloads:
        mux_sim.give(payload)
    sweep.sweep()
    assert mux_sim.control.assets() == []


def test_publish_answers(mux_sim: MuxSim) -> None:
    lesson = make_lesson(publish_on_ready=False)
    actor = Actor.user(lesson.creator_id)
    with pytest.raises(Invalid, match="no video"):
        lessons.publish(lesson, actor=actor)
    ticket = mux_sim.upload(lesson)
    assert lessons.publish(lesson, actor=actor) is False
    assert mux_sim.lesson(lesson).publish_on_ready
    mux_sim.control.complete_upload(ticket.upload_id)
    mux_sim.forget()
    with overridden(stuck_after_seconds=0):
        assert lessons.publish(lesson, actor=actor) is True
    assert mux_sim.lesson(lesson).status == "published"
