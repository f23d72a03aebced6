"""Taking videos away: written down at once, carried out later, and never what a lesson or course still uses."""

import pytest
from sqlalchemy import func, text, update

from lessonadmin.db import JOB, Actor, db, transaction
from lessonadmin.domain.errors import Conflict, Missing
from lessonadmin.domain.lessons import lessons
from lessonadmin.domain.maintenance import sweep
from lessonadmin.domain.models import Tracking, User
from lessonadmin.domain.videos import locking, removal, transitions
from tests.domain.videos.deletions import deletion, due_now, playing, request_delete
from tests.factories import (
    make_course,
    make_lesson,
    make_playing_lesson,
    make_purchase,
    make_tracking,
    make_user,
)
from tests.mux_sim import MuxSim
from tests.trash import delete_for_good


def test_asked_three_times_it_is_deleted_once(mux_sim: MuxSim) -> None:
    lesson, asset_id = playing(mux_sim)
    for _ in range(3):
        request_delete(lesson, asset_id)
    assert deletion().requested_by == lesson.creator_id
    assert mux_sim.actions(lesson.id).count("video.delete_requested") == 1
    sweep.sweep()
    sweep.sweep()
    assert [call["method"] for call in mux_sim.calls() if call["method"] == "DELETE"] == ["DELETE"]
    assert mux_sim.actions(lesson.id).count("video.deleted") == 1


def test_only_what_came_from_our_own_rows_is_deleted(mux_sim: MuxSim) -> None:
    (foreign,) = mux_sim.control.seed_assets(1)
    with transaction(JOB):
        assert removal.request_delete(foreign) == 0
    sweep.sweep()
    assert [one["id"] for one in mux_sim.control.assets()] == [foreign]


def test_a_temporary_id_is_never_sent(mux_sim: MuxSim) -> None:
    with transaction(JOB), pytest.raises(Conflict, match="temporary"):
        removal.request_delete("temp_1")
    lesson = make_lesson(mux_asset_id="temp_1", video_processing_status="processing")
    with transaction(JOB):
        assert removal.clear_video(locking.lock_video_of(lesson)) == "cleared"
    sweep.sweep()
    assert mux_sim.lesson(lesson).mux_asset_id is None
    assert [call for call in mux_sim.calls() if call["method"] == "DELETE"] == []


def test_every_user_of_the_asset_is_cleared(mux_sim: MuxSim) -> None:
    """By staff: a teacher must have the right to everything that uses it."""
    lesson, asset_id = playing(mux_sim)
    ids = {"mux_asset_id": asset_id, "mux_playback_id": "p", "video_processing_status": "ready"}
    old, course = make_lesson(status="published", **ids), make_course(**ids)
    tracked = make_lesson()
    make_tracking(tracked, status="ready", mux_asset_id=asset_id, mux_playback_id="p")
    with pytest.raises(Missing):
        request_delete(lesson, asset_id)
    with transaction(Actor.user(make_user(role="support").id)):
        assert removal.request_delete(asset_id) == 4
    for one in (lesson, old, tracked):
        assert (mux_sim.lesson(one).mux_asset_id, mux_sim.lesson(one).status) == (None, "draft")
    assert mux_sim.course(course).mux_asset_id is None
    sweep.sweep()
    assert {mux_sim.lesson(one).video_processing_status for one in (lesson, old)} == {"none"}
    assert mux_sim.course(course).video_processing_status == "none"


def test_deleting_a_lesson_keeps_an_asset_that_another_one_uses(mux_sim: MuxSim) -> None:
    lesson, asset_id = playing(mux_sim)
    other = make_playing_lesson(mux_asset_id=asset_id)
    owner = db.session.get_one(User, lesson.creator_id)
    with transaction(Actor.user(owner.id)):
        lessons.delete(owner, lesson.id)
    sweep.sweep()
    assert [one["id"] for one in mux_sim.control.assets()] == [asset_id]
    assert mux_sim.lesson(other).status == "published"


def test_a_lesson_that_is_deleted_takes_late_assets_along(mux_sim: MuxSim) -> None:
    """Its upload had timed out by Lessonadmin's clock, and the file arrives at Mux after all."""
    lesson = make_lesson()
    ticket = mux_sim.upload(lesson)
    db.session.execute(
        update(Tracking).values(next_check_at=func.now(), expires_at=func.now() - text("interval '1 minute'"))
    )
    db.session.commit()
    sweep.sweep()
    assert mux_sim.uploads(lesson)[0].error_type == "upload_timed_out"
    delete_for_good(lesson)
    mux_sim.control.complete_upload(ticket.upload_id)
    mux_sim.deliver()
    due_now()
    sweep.sweep()
    assert mux_sim.control.assets() == []


def test_clearing_a_failed_upload_is_the_end_of_it(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    ticket = mux_sim.upload(lesson)
    mux_sim.control.error_upload(ticket.upload_id)
    payloads = mux_sim.waiting()
    for payload in payloads:
        mux_sim.give(payload)
    assert mux_sim.lesson(lesson).video_processing_status == "error"
    with transaction(JOB):
        removal.clear_video(locking.lock_video_of(lesson))
    for payload in payloads:
        mux_sim.give(payload | {"id": "again-" + payload["id"]})
    assert mux_sim.lesson(lesson).video_processing_status == "none"


def test_clearing_a_video_that_was_deleted_at_mux_is_the_end_of_it(mux_sim: MuxSim) -> None:
    lesson, asset_id = playing(mux_sim)
    mux_sim.control.delete_asset_in_dashboard(asset_id)
    payloads = mux_sim.waiting()
    for payload in payloads:
        mux_sim.give(payload)
    assert mux_sim.lesson(lesson).video_processing_status == "error"
    with transaction(JOB):
        removal.clear_video(locking.lock_video_of(lesson))
    with transaction(JOB):
        transitions.project(locking.lock_video_of(lesson))
    assert mux_sim.lesson(lesson).video_processing_status == "none"


def test_a_course_that_is_deleted_leaves_its_lessons_and_takes_its_preview(mux_sim: MuxSim) -> None:
    course = make_course()
    lesson = make_lesson(course=course)
    mux_sim.uploaded(course)
    mux_sim.deliver()
    delete_for_good(course)
    sweep.sweep()
    assert mux_sim.lesson(lesson).course_id is None
    assert mux_sim.control.assets() == []


def test_a_lesson_that_was_bought_stays(session: object) -> None:
    lesson = make_playing_lesson()
    make_purchase(lesson, make_user(role="student"))
    owner = db.session.get_one(User, lesson.creator_id)
    with pytest.raises(Conflict, match="bought"), transaction(Actor.user(owner.id)):
        lessons.delete(owner, lesson.id)


def test_undo_and_its_undo(mux_sim: MuxSim) -> None:
    lesson, old = playing(mux_sim)
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    new = mux_sim.lesson(lesson).mux_asset_id
    for wanted in (old, new, old):
        with transaction(JOB):
            assert removal.undo_replacement(locking.lock_video_of(lesson))
        now = mux_sim.lesson(lesson)
        assert (now.mux_asset_id, now.status) == (wanted, "published")
        assert deletion().mux_asset_id != wanted
    due_now()
    sweep.sweep()
    assert [one["id"] for one in mux_sim.control.assets()] == [old]


def test_a_video_that_replaced_none_cannot_be_taken_back(mux_sim: MuxSim) -> None:
    lesson, asset_id = playing(mux_sim)
    with pytest.raises(Conflict, match="cannot be brought back"), transaction(JOB):
        removal.restore_replaced(lesson)
    assert mux_sim.lesson(lesson).mux_asset_id == asset_id
