"""A cleared video is restored within its grace time."""

import uuid

import pytest
from sqlalchemy import func, select, update

from lessonadmin.db import db, transaction
from lessonadmin.domain.batches import batches, runner, undo
from lessonadmin.domain.maintenance import sweep
from lessonadmin.domain.models import AssetDeletion
from tests.domain.batches.actions.support import clear_with_grace, staff
from tests.factories import (
    make_course,
    make_lesson,
)
from tests.mux_sim import MuxSim


def undone(batch_id: uuid.UUID) -> batches.Item:
    with transaction(staff()):
        undoing = undo.undo(batch_id)
    runner.run_some(undoing.id, seconds=10)
    (line,) = batches.items(undoing.id)
    return line


@pytest.mark.parametrize("status", ["published", "draft"])
def test_a_cleared_video_is_brought_back_within_its_grace_time(mux_sim: MuxSim, status: str) -> None:
    lesson = make_lesson(publish_on_ready=status == "published")
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    before = mux_sim.lesson(lesson)
    ids = (before.mux_asset_id, before.mux_playback_id)
    batch_id = clear_with_grace(lesson)
    assert mux_sim.lesson(lesson).status == "draft"
    assert undo.count_undoable(batch_id) == (1, 0)
    assert undone(batch_id).status == "done"
    sweep.sweep()
    now = mux_sim.lesson(lesson)
    assert (now.mux_asset_id, now.mux_playback_id) == ids
    assert (now.status, now.video_processing_status) == (status, "ready")
    assert db.session.scalars(select(AssetDeletion)).all() == []
    assert len(mux_sim.control.assets()) == 1


def test_a_cleared_preview_of_a_course_is_brought_back(mux_sim: MuxSim) -> None:
    course = make_course()
    mux_sim.uploaded(course)
    mux_sim.deliver()
    batch_id = clear_with_grace(course)
    undone(batch_id)
    sweep.sweep()
    assert mux_sim.course(course).video_processing_status == "ready"


def test_it_is_too_late_once_mux_has_deleted_it(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    batch_id = clear_with_grace(lesson)
    with transaction(staff()):
        undoing = undo.undo(batch_id)
    db.session.execute(update(AssetDeletion).values(due_at=func.clock_timestamp()))
    db.session.commit()
    sweep.sweep()
    assert mux_sim.control.assets() == []
    runner.run_some(undoing.id, seconds=10)
    (line,) = batches.items(undoing.id)
    assert line.status == "skipped"
    assert mux_sim.lesson(lesson).video_processing_status == "none"


def test_a_new_upload_since_then_is_not_overrun(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    batch_id = clear_with_grace(lesson)
    ticket = mux_sim.upload(lesson)
    assert undo.count_undoable(batch_id) == (0, 1)
    mux_sim.control.complete_upload(ticket.upload_id)
    mux_sim.deliver()
    assert mux_sim.lesson(lesson).video_processing_status == "ready"
