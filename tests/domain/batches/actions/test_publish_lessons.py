"""Publish, unpublish and republish, item by item in every state."""

import uuid

from sqlalchemy import select
from sqlalchemy.orm import Session

from lessonadmin.db import db, transaction
from lessonadmin.domain.batches import registry, scheduling
from lessonadmin.domain.models import AuditLog, Lesson, Tracking
from tests.domain.batches.actions.support import lose_everything, only, run, staff
from tests.factories import (
    make_lesson,
    make_playing_lesson,
)
from tests.mux_sim import MuxSim
from tests.settings import overridden


def test_publish_does_what_fits_each_lesson(session: Session, mux_sim: MuxSim) -> None:
    ready = make_playing_lesson(status="draft", published_at=None, publish_on_ready=False)
    coming = make_lesson(publish_on_ready=False)
    mux_sim.upload(coming)
    temporary = make_lesson(mux_asset_id="temp_9", video_processing_status="processing")
    failed = make_lesson(
        video_processing_status="error", video_error_type="asset_errored", video_error_message="bad file"
    )
    empty = make_lesson()
    gone = uuid.uuid4()
    lines = run("lesson", "publish", ready.id, coming.id, temporary.id, failed.id, empty.id, gone)
    assert {one: lines[one].status for one in lines} == {
        ready.id: "done",
        coming.id: "done",
        temporary.id: "skipped",
        failed.id: "skipped",
        empty.id: "skipped",
        gone: "skipped",
    }
    assert mux_sim.lesson(ready).status == "published"
    assert mux_sim.lesson(coming).publish_on_ready is True
    assert "temporary" in lines[temporary.id].note
    assert "bad file" in lines[failed.id].note
    assert lines[gone].note == "It is not there any more."


def test_a_person_may_publish_what_was_taken_back_before(session: Session, mux_sim: MuxSim) -> None:
    lesson = make_playing_lesson()
    assert only("lesson", "unpublish", lesson.id).status == "done"
    assert mux_sim.lesson(lesson).status == "draft"
    assert only("lesson", "unpublish", lesson.id).status == "skipped"
    assert only("lesson", "publish", lesson.id).status == "done"
    assert only("lesson", "publish", lesson.id).status == "skipped"
    assert mux_sim.actions(lesson.id) == ["lesson.unpublished", "lesson.published"]


def test_each_change_is_written_down_with_actor_reason_and_batch(session: Session) -> None:
    lesson = make_playing_lesson()
    actor = staff("ticket 4711")
    report = scheduling.run_now(registry.find("lesson", "unpublish"), [lesson.id], actor=actor)
    row = session.scalars(select(AuditLog).where(AuditLog.action == "lesson.unpublished")).one()
    assert (row.actor_type, row.actor_id) == ("user", actor.id)
    assert row.detail["reason"] == "ticket 4711"
    assert row.detail["batch"] == str(report.batch_id)
    begun = session.scalars(select(AuditLog).where(AuditLog.action == "batch.created")).one()
    assert (begun.target_id, begun.detail["total"]) == (report.batch_id, 1)


def test_republish_takes_over_what_mux_has(mux_sim: MuxSim) -> None:
    lesson = make_lesson(publish_on_ready=False)
    asset_id = lose_everything(mux_sim, lesson)
    line = only("lesson", "republish", lesson.id)
    now = mux_sim.lesson(lesson)
    assert (line.status, now.status, now.mux_asset_id) == ("done", "published", asset_id)
    assert now.mux_playback_id == mux_sim.control.assets()[0]["playback_ids"][0]["id"]


def test_republish_heals_a_temporary_id_when_the_upload_is_known(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    asset_id = lose_everything(mux_sim, lesson)
    with transaction(staff()):
        row = db.session.get_one(Lesson, lesson.id)
        row.mux_asset_id = "temp_123"
    assert only("lesson", "republish", lesson.id).status == "done"
    assert mux_sim.lesson(lesson).mux_asset_id == asset_id


def test_republish_of_a_bare_temporary_id_is_skipped_with_the_way_out(mux_sim: MuxSim) -> None:
    lesson = make_lesson(mux_asset_id="temp_123", video_processing_status="processing")
    line = only("lesson", "republish", lesson.id)
    assert line.status == "skipped"
    assert "fix-lessons" in line.note
    assert mux_sim.calls() == []


def test_republish_of_a_lesson_from_before_tracking(mux_sim: MuxSim) -> None:
    (asset_id,) = mux_sim.control.seed_assets(1, policy="public", status="ready")
    lesson = make_lesson(mux_asset_id=asset_id, video_processing_status="processing")
    assert only("lesson", "republish", lesson.id).status == "done"
    now = mux_sim.lesson(lesson)
    assert (now.status, now.video_processing_status, now.mux_asset_id) == ("published", "ready", asset_id)
    assert [row.status for row in mux_sim.uploads(lesson)] == ["ready"]


def test_republish_corrects_a_wrong_playback_id(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    right = mux_sim.lesson(lesson).mux_playback_id
    with transaction(staff()):
        db.session.get_one(Lesson, lesson.id).mux_playback_id = "wrong"
        row = db.session.scalars(select(Tracking)).one()
        row.mux_playback_id = "wrong"
    assert only("lesson", "republish", lesson.id).status == "done"
    assert mux_sim.lesson(lesson).mux_playback_id == right
    assert mux_sim.uploads(lesson)[0].mux_playback_id == right


def test_republish_takes_over_another_policy_and_a_later_look_leaves_it(mux_sim: MuxSim) -> None:
    mux_sim.control.set_switch("playback_ids", "other_policy")
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    assert mux_sim.lesson(lesson).video_error_type == "wrong_policy"
    assert only("lesson", "republish", lesson.id).status == "done"
    now = mux_sim.lesson(lesson)
    assert (now.status, now.playback_policy) == ("published", "signed")
    assert only("lesson", "recheck", lesson.id).status == "done"
    assert mux_sim.lesson(lesson).status == "published"


def test_republish_of_what_mux_still_works_on_promises_it(mux_sim: MuxSim) -> None:
    mux_sim.control.hold_processing()
    lesson = make_lesson(publish_on_ready=False)
    mux_sim.uploaded(lesson)
    mux_sim.forget()
    line = only("lesson", "republish", lesson.id)
    assert (line.status, mux_sim.lesson(lesson).publish_on_ready) == ("done", True)
    assert mux_sim.lesson(lesson).video_processing_status == "processing"


def test_republish_of_what_is_gone_at_mux_says_so(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    mux_sim.control.delete_asset_in_dashboard(mux_sim.control.assets()[0]["id"])
    mux_sim.forget()
    line = only("lesson", "republish", lesson.id)
    assert line.status == "failed"
    assert "deleted at Mux" in line.note
    assert mux_sim.lesson(lesson).status == "draft"


def test_mux_away_means_later_not_failed(mux_sim: MuxSim) -> None:
    lesson = make_lesson(publish_on_ready=False)
    lose_everything(mux_sim, lesson)
    with overridden(mux_api_url="http://127.0.0.1:1"):
        line = only("lesson", "republish", lesson.id)
    assert line.status == "open"
    assert "tried again automatically" in line.note
    assert mux_sim.lesson(lesson).video_processing_status == "uploading"
