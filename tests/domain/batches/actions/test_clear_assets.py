"""Clear asset takes a video from everything that uses it."""

import pytest
from sqlalchemy import select

from lessonadmin.db import db, transaction
from lessonadmin.domain.batches import batches, registry, scheduling, undo
from lessonadmin.domain.errors import Conflict
from lessonadmin.domain.maintenance import sweep
from lessonadmin.domain.models import AssetDeletion, UploadCancellation
from tests.domain.batches.actions.support import only, run, staff
from tests.factories import (
    make_course,
    make_lesson,
)
from tests.mux_sim import MuxSim


def test_clear_asset_takes_it_from_everything_that_uses_it(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    asset_id = mux_sim.lesson(lesson).mux_asset_id
    twin = make_lesson(
        mux_asset_id=asset_id, mux_playback_id="p", video_processing_status="ready", status="published"
    )
    course = make_course(mux_asset_id=asset_id, mux_playback_id="p", video_processing_status="ready")
    line = only("lesson", "clear_asset", lesson.id)
    assert line.status == "done"
    for now in (mux_sim.lesson(lesson), mux_sim.lesson(twin), mux_sim.course(course)):
        assert (now.mux_asset_id, now.mux_playback_id, now.video_processing_status) == (
            None,
            None,
            "deleting",
        )
    assert mux_sim.lesson(twin).status == "draft"
    sweep.sweep()
    assert mux_sim.control.assets() == []
    assert mux_sim.lesson(lesson).video_processing_status == "none"


def test_clear_asset_cancels_an_upload_and_forgets_a_temporary_id(mux_sim: MuxSim) -> None:
    coming, temporary = (
        make_lesson(),
        make_lesson(mux_asset_id="temp_1", video_processing_status="processing"),
    )
    mux_sim.upload(coming)
    lines = run("lesson", "clear_asset", coming.id, temporary.id, make_lesson().id)
    assert sorted(line.status for line in lines.values()) == ["done", "done", "skipped"]
    assert mux_sim.lesson(coming).video_processing_status == "none"
    now = mux_sim.lesson(temporary)
    assert (now.mux_asset_id, now.video_processing_status) == (None, "none")
    assert db.session.scalar(select(UploadCancellation.target_id)) == coming.id
    assert db.session.scalars(select(AssetDeletion)).all() == []


def test_clear_asset_of_a_failed_upload_does_not_come_back(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    ticket = mux_sim.upload(lesson)
    mux_sim.control.error_upload(ticket.upload_id)
    mux_sim.deliver()
    assert mux_sim.lesson(lesson).video_processing_status == "error"
    assert only("lesson", "clear_asset", lesson.id).status == "done"
    assert mux_sim.lesson(lesson).video_processing_status == "none"
    assert only("lesson", "recheck", lesson.id).status == "skipped"
    assert mux_sim.lesson(lesson).video_processing_status == "none"


def test_clear_asset_with_grace_keeps_the_asset_at_mux_for_a_while(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    assert only("lesson", "clear_asset", lesson.id, grace=True).status == "done"
    sweep.sweep()
    assert len(mux_sim.control.assets()) == 1
    deletion = db.session.scalars(select(AssetDeletion)).one()
    assert (deletion.due_at - deletion.requested_at).total_seconds() > 86_000
    assert deletion.reason == "asked by phone"


def test_clearing_without_grace_cannot_be_undone(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    report = scheduling.run_now(registry.find("lesson", "clear_asset"), [lesson.id], actor=staff())
    assert not undo.can_undo(batches.get(report.batch_id))
    with pytest.raises(Conflict), transaction(staff()):
        undo.undo(report.batch_id)


def test_clear_asset_of_a_course_and_of_one_upload(mux_sim: MuxSim) -> None:
    course = make_course()
    mux_sim.uploaded(course)
    mux_sim.deliver()
    assert only("course", "clear_asset", course.id).status == "done"
    assert mux_sim.course(course).mux_asset_id is None
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    mux_sim.upload(lesson)
    playing, coming = mux_sim.uploads(lesson)
    assert only("tracking", "clear_asset", coming.id).status == "done"
    assert mux_sim.lesson(lesson).status == "published"
    assert only("tracking", "clear_asset", playing.id).status == "done"
    assert mux_sim.lesson(lesson).status == "draft"
    assert only("tracking", "clear_asset", playing.id).status == "skipped"
