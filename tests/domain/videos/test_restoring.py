"""A removed video comes back as it was while Mux keeps it, and never in place of another one."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import func, select, update

from lessonadmin.db import CLI, Actor, db, transaction
from lessonadmin.domain.errors import Conflict, Missing
from lessonadmin.domain.lessons import lessons
from lessonadmin.domain.maintenance import sweep
from lessonadmin.domain.models import AssetDeletion, AuditLog, Lesson, Tracking
from lessonadmin.domain.uploads import direct_upload
from lessonadmin.domain.videos import removal, restoring
from tests.factories import make_course, make_lesson, make_purchase, make_user
from tests.mux_sim import MuxSim
from tests.settings import overridden

LONG_AGO = datetime(2020, 2, 3, 4, 5, 6, 789012, tzinfo=UTC)


def teacher(lesson: Any) -> Actor:
    return Actor.user(lesson.owner_id)


def playing(mux_sim: MuxSim, *, published: bool = True) -> Lesson:
    lesson = make_lesson(publish_on_ready=published)
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    if published:
        db.session.execute(update(Lesson).where(Lesson.id == lesson.id).values(published_at=LONG_AGO))
        db.session.commit()
    return mux_sim.lesson(lesson)


def remove(lesson: Any, *, known: int | None = None) -> None:
    with transaction(teacher(lesson)):
        removal.remove_video(lesson, known_buyers=known)


def restore(lesson: Any) -> None:
    with transaction(teacher(lesson)):
        restoring.restore_removed(lesson)


def columns(lesson: Lesson) -> dict[str, Any]:
    left_out = {"updated_at", "version"}
    return {c.key: getattr(lesson, c.key) for c in Lesson.__table__.columns if c.key not in left_out}


@pytest.mark.parametrize("published", [True, False])
def test_it_comes_back_at_once_and_the_lesson_is_what_it_was(mux_sim: MuxSim, published: bool) -> None:
    lesson = playing(mux_sim, published=published)
    before = columns(lesson)
    remove(lesson)
    gone = mux_sim.lesson(lesson)
    assert (gone.status, gone.video_processing_status, gone.mux_asset_id) == ("draft", "deleting", None)
    found = restoring.removed("lesson", lesson.id)
    assert found is not None
    assert (found.until - found.removed_at).total_seconds() == pytest.approx(86400, abs=60)
    sweep.sweep()
    assert len(mux_sim.control.assets()) == 1, "Mux keeps it for the grace time"
    restore(lesson)
    assert columns(mux_sim.lesson(lesson)) == before
    sweep.sweep()
    assert columns(mux_sim.lesson(lesson)) == before, "Mux agrees"
    assert db.session.scalars(select(AssetDeletion)).all() == []
    written = set(db.session.scalars(select(AuditLog.action).where(AuditLog.target_id == lesson.id)))
    assert {"video.delete_requested", "video.restored"} <= written


def test_a_preview_of_a_course_comes_back(mux_sim: MuxSim) -> None:
    course = make_course()
    mux_sim.uploaded(course)
    mux_sim.deliver()
    ids = mux_sim.course(course).mux_playback_id
    remove(mux_sim.course(course))
    restore(mux_sim.course(course))
    now = mux_sim.course(course)
    assert (now.mux_playback_id, now.video_processing_status) == (ids, "ready")


def test_what_was_still_being_processed_comes_back_with_its_intent(mux_sim: MuxSim) -> None:
    lesson = make_lesson(publish_on_ready=True)
    mux_sim.control.hold_processing(True)
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    assert mux_sim.lesson(lesson).video_processing_status == "processing"
    remove(mux_sim.lesson(lesson))
    assert not mux_sim.lesson(lesson).publish_on_ready
    restore(mux_sim.lesson(lesson))
    now = mux_sim.lesson(lesson)
    assert (now.video_processing_status, now.publish_on_ready, now.status) == ("processing", True, "draft")


def test_after_the_grace_time_it_is_gone(mux_sim: MuxSim) -> None:
    lesson = playing(mux_sim)
    remove(lesson)
    db.session.execute(update(AssetDeletion).values(due_at=func.clock_timestamp()))
    db.session.commit()
    assert restoring.removed("lesson", lesson.id) is None
    sweep.sweep()
    assert mux_sim.control.assets() == []
    assert mux_sim.lesson(lesson).video_processing_status == "none"
    with pytest.raises(Conflict, match="deleted at Mux"):
        restore(mux_sim.lesson(lesson))


def test_another_upload_is_never_overrun_and_it_comes_back_when_that_is_cancelled(mux_sim: MuxSim) -> None:
    lesson = playing(mux_sim)
    before = columns(lesson)
    remove(lesson)
    mux_sim.upload(lesson)
    with pytest.raises(Conflict):
        restore(mux_sim.lesson(lesson))
    assert mux_sim.lesson(lesson).video_processing_status == "uploading"
    direct_upload.cancel_current(mux_sim.lesson(lesson), actor=teacher(lesson))
    restore(mux_sim.lesson(lesson))
    assert columns(mux_sim.lesson(lesson)) == before


def test_a_new_video_that_plays_stays(mux_sim: MuxSim) -> None:
    lesson = playing(mux_sim)
    remove(lesson)
    ticket = mux_sim.upload(lesson)
    mux_sim.control.complete_upload(ticket.upload_id)
    mux_sim.deliver()
    new = mux_sim.lesson(lesson).mux_asset_id
    with pytest.raises(Conflict):
        restore(mux_sim.lesson(lesson))
    assert mux_sim.lesson(lesson).mux_asset_id == new


def test_what_a_person_decided_about_its_publication_since_stays(mux_sim: MuxSim) -> None:
    lesson = playing(mux_sim, published=False)
    remove(lesson)
    creator = db.session.get_one(type(make_user()), lesson.creator_id)
    with transaction(teacher(lesson)):
        lessons.edit(creator, lesson.id, lessons.Changes(status="published"))
    restore(mux_sim.lesson(lesson))
    assert mux_sim.lesson(lesson).status == "published", "it was to be published when it has a video"


def test_without_a_grace_time_nothing_is_kept(mux_sim: MuxSim) -> None:
    lesson = playing(mux_sim)
    with overridden(replaced_grace_seconds=0):
        remove(lesson)
    assert restoring.removed("lesson", lesson.id) is None
    assert db.session.scalars(
        select(Tracking.before_removal).where(Tracking.lesson_id == lesson.id)
    ).all() == [None]


def test_the_number_of_buyers_is_known_to_who_removes_their_video(mux_sim: MuxSim) -> None:
    lesson = playing(mux_sim)
    make_purchase(lesson, make_user(role="student"))
    for known in (None, 0, 2):
        with pytest.raises(Conflict, match="1 student has bought this lesson"):
            remove(lesson, known=known)
    make_purchase(lesson, make_user(role="student"))
    with pytest.raises(Conflict, match="2 students have bought"):
        remove(lesson, known=1)
    assert mux_sim.lesson(lesson).status == "published"
    remove(lesson, known=2)
    assert mux_sim.lesson(lesson).video_processing_status == "deleting"


def test_a_shared_video_is_not_restored_by_one_who_may_not_change_the_other_lesson(mux_sim: MuxSim) -> None:
    """Staff removed it everywhere; one instructor may not bring it back into the lesson of another one."""
    lesson = playing(mux_sim)
    other = make_lesson(mux_asset_id=lesson.mux_asset_id, video_processing_status="ready")
    with transaction(CLI):
        removal.give_up_asset(lesson.mux_asset_id or "", "everyone", grace_seconds=100)
    with pytest.raises(Missing):
        restore(mux_sim.lesson(lesson))
    assert mux_sim.lesson(other).mux_asset_id is None
    with transaction(CLI):
        restoring.restore_removed(mux_sim.lesson(lesson))
    assert mux_sim.lesson(lesson).video_processing_status == "ready"
