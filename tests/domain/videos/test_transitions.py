"""The one writer: what an upload's step does to its lesson, beside a video that plays and without one."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from lessonadmin.db import JOB, Actor, db, transaction
from lessonadmin.domain import attention, hourly_statistics
from lessonadmin.domain.health import dashboard
from lessonadmin.domain.maintenance import sweep
from lessonadmin.domain.models import AssetDeletion, Lesson, Tracking
from lessonadmin.domain.uploads import direct_upload
from lessonadmin.domain.videos import conditions, locking, removal, transitions
from lessonadmin.domain.videos.observations import Observation
from lessonadmin.domain.videos.state_machine import VideoEvent
from tests.factories import make_course, make_lesson, make_playing_lesson, make_tracking
from tests.mux_sim import MuxSim


def playing_with_another_coming(mux_sim: MuxSim) -> tuple[Lesson, str, str]:
    """A published lesson, the asset that plays, and one that Mux is processing to replace it."""
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    old = mux_sim.lesson(lesson).mux_asset_id
    mux_sim.control.hold_processing()
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    new = mux_sim.uploads(lesson)[-1].mux_asset_id
    assert None not in (old, new)
    assert mux_sim.uploads(lesson)[-1].status == "processing"
    return lesson, old, new


def test_deleting_the_replacement_leaves_the_lesson_published(mux_sim: MuxSim) -> None:
    lesson, old, new = playing_with_another_coming(mux_sim)
    with transaction(Actor.user(lesson.creator_id)):
        removal.request_delete(new)
    now = mux_sim.lesson(lesson)
    assert (now.status, now.mux_asset_id, now.video_processing_status) == ("published", old, "ready")
    row = mux_sim.uploads(lesson)[-1]
    assert (row.status, row.superseded_at is not None) == ("deleting", True)
    assert "video.delete_requested" in mux_sim.actions(lesson.id)
    assert "lesson.unpublished" not in mux_sim.actions(lesson.id)


def test_a_replacement_that_is_deleted_at_mux_leaves_the_lesson_published(mux_sim: MuxSim) -> None:
    lesson, old, new = playing_with_another_coming(mux_sim)
    mux_sim.control.delete_asset_in_dashboard(new)
    mux_sim.deliver()
    now = mux_sim.lesson(lesson)
    assert (now.status, now.mux_asset_id, now.video_error_type) == ("published", old, None)
    assert mux_sim.uploads(lesson)[-1].superseded_at is not None
    assert mux_sim.notices(lesson.creator_id)[-1] == "video_deleted"


def test_a_cancelled_replacement_is_not_the_last_word_when_the_old_video_goes(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    ticket = mux_sim.upload(lesson)
    direct_upload.cancel(ticket.upload_id, lesson, actor=Actor.user(lesson.creator_id))
    assert mux_sim.uploads(lesson)[-1].superseded_at is not None
    mux_sim.control.delete_asset_in_dashboard(mux_sim.control.assets()[0]["id"])
    mux_sim.deliver()
    now = mux_sim.lesson(lesson)
    assert (now.video_processing_status, now.video_error_type) == ("error", "deleted_at_mux")


def test_a_new_attempt_supersedes_the_open_one_and_cancels_it_at_mux(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    first, second = mux_sim.upload(lesson), mux_sim.upload(lesson)
    one, two = mux_sim.uploads(lesson)
    assert (one.upload_id, one.superseded_by, two.superseded_at) == (first.upload_id, two.id, None)
    mux_sim.control.complete_upload(second.upload_id)
    mux_sim.deliver()
    assert mux_sim.lesson(lesson).mux_asset_id == mux_sim.uploads(lesson)[1].mux_asset_id


def test_an_overtaken_upload_never_touches_the_lesson_and_its_asset_goes(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    first = mux_sim.upload(lesson)
    mux_sim.control.complete_upload(first.upload_id)
    mux_sim.control.flush_events()
    late = mux_sim.waiting()
    second = mux_sim.upload(lesson)
    mux_sim.control.complete_upload(second.upload_id)
    mux_sim.deliver()
    before = mux_sim.lesson(lesson).mux_asset_id
    for payload in late:
        mux_sim.give(payload)
    now = mux_sim.lesson(lesson)
    overtaken = mux_sim.uploads(lesson)[0]
    assert (now.mux_asset_id, overtaken.status) == (before, "ready")
    assert now.mux_asset_id != overtaken.mux_asset_id
    written = db.session.scalars(select(AssetDeletion.mux_asset_id)).all()
    assert written == [overtaken.mux_asset_id]


def test_what_never_played_cannot_be_brought_back(mux_sim: MuxSim) -> None:
    """An overtaken upload that became ready is no earlier video of the lesson."""
    lesson = make_lesson()
    first = mux_sim.upload(lesson)
    mux_sim.control.complete_upload(first.upload_id)
    mux_sim.control.flush_events()
    late = mux_sim.waiting()
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    for payload in late:
        mux_sim.give(payload)
    assert not conditions.can_undo(mux_sim.uploads(lesson))
    with transaction(JOB):
        assert not removal.undo_replacement(locking.lock_video_of(lesson))
    assert "video.replaced" not in mux_sim.actions(lesson.id)


def test_undo_is_refused_once_the_deletion_was_tried(mux_sim: MuxSim) -> None:
    """The try may have been carried out although no answer came."""
    lesson = make_lesson()
    for _ in range(2):
        mux_sim.uploaded(lesson)
        mux_sim.deliver()
    db.session.execute(update(AssetDeletion).values(attempts=1))
    db.session.commit()
    with transaction(JOB):
        assert not removal.undo_replacement(locking.lock_video_of(lesson))
    assert mux_sim.lesson(lesson).mux_asset_id == mux_sim.uploads(lesson)[-1].mux_asset_id


def test_the_swap_is_one_transaction(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    old, new = mux_sim.uploads(lesson)
    assert (old.status, old.superseded_by, new.superseded_at) == ("ready", new.id, None)
    assert mux_sim.actions(lesson.id)[-2:] == ["video.ready", "video.replaced"]
    assert mux_sim.lesson(lesson).status == "published"


@pytest.mark.parametrize("how", ["replaced", "cancelled"])
def test_what_an_instructor_ended_failed_for_none_of_the_figures(mux_sim: MuxSim, how: str) -> None:
    lesson = make_lesson()
    first = mux_sim.upload(lesson)
    if how == "replaced":
        mux_sim.uploaded(lesson)
    else:
        direct_upload.cancel_at_once(first.upload_id, lesson, actor=JOB)
    sweep.sweep()  # Mux is told
    mux_sim.deliver()
    ended = mux_sim.uploads(lesson)[0]
    assert (ended.status, ended.error_type) == ("cancelled", None)
    assert "video_failed" not in mux_sim.notices(lesson.creator_id)
    assert dashboard.reasons(timedelta(hours=1)) == []
    hourly_statistics.roll_up()
    seen = dashboard.overview("24h")
    assert seen.success == (1.0 if how == "replaced" else None)
    assert attention.why_many([mux_sim.lesson(lesson)]) == {}


ENDINGS: dict[str, tuple[Callable[[MuxSim, str], object], str]] = {
    "upload_errored": (lambda mux_sim, one: mux_sim.control.error_upload(one), "upload_errored"),
    "cancelled elsewhere": (
        lambda mux_sim, one: mux_sim.control.cancel_upload_elsewhere(one),
        "upload_cancelled",
    ),
    "asset_errored": (
        lambda mux_sim, one: mux_sim.control.error_asset(
            mux_sim.control.complete_upload(one)["id"], messages=["No video."]
        ),
        "asset_errored",
    ),
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_how_an_upload_fails_is_told_in_its_own_words(mux_sim: MuxSim, ending: str) -> None:
    happen, error = ENDINGS[ending]
    lesson = make_lesson()
    mux_sim.control.hold_processing()
    happen(mux_sim, mux_sim.upload(lesson).upload_id)
    mux_sim.deliver()
    now = mux_sim.lesson(lesson)
    assert (now.video_processing_status, now.video_error_type, now.status) == ("error", error, "draft")
    if error == "asset_errored":
        assert now.video_error_message == "No video."
    assert mux_sim.notices(lesson.creator_id) == ["video_failed"]
    assert now.publish_on_ready, "it is still to be published after a failed attempt"


@pytest.mark.parametrize(
    ("switch", "error"),
    [("empty", "no_playback_id"), ("missing", "no_playback_id"), ("other_policy", "wrong_policy")],
)
def test_ready_without_a_way_to_play_it_is_never_published(mux_sim: MuxSim, switch: str, error: str) -> None:
    mux_sim.control.set_switch("playback_ids", switch)
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    now = mux_sim.lesson(lesson)
    assert (now.status, now.video_processing_status, now.video_error_type) == ("draft", "error", error)
    assert now.mux_playback_id is None


def test_a_course_has_a_preview_by_the_same_rules(mux_sim: MuxSim) -> None:
    course = make_course()
    mux_sim.uploaded(course)
    mux_sim.deliver()
    now = mux_sim.course(course)
    assert (now.video_processing_status, bool(now.mux_playback_id)) == ("ready", True)
    assert mux_sim.notices(course.instructor_id) == ["video_ready"]


def test_a_lesson_from_before_tracking_gets_a_row_of_its_own(session: object) -> None:
    lesson = make_playing_lesson()
    db.session.query(Tracking).delete()
    db.session.commit()
    with transaction(JOB):
        video = locking.lock_video_of(lesson)
        transitions.ensure_tracked(video)
        transitions.ensure_tracked(video)
    (row,) = db.session.scalars(select(Tracking))
    assert (row.status, row.mux_asset_id, row.upload_id) == ("ready", lesson.mux_asset_id, "migrated")


def test_the_database_itself_allows_one_playing_and_one_coming_video(session: object) -> None:
    lesson = make_lesson()
    make_tracking(lesson, status="processing")
    with pytest.raises(Exception, match="on_its_way"):
        make_tracking(lesson, status="uploading")
    db.session.rollback()


def test_progress_only_grows(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    mux_sim.upload(lesson)
    for told, stored in ((10, 10), (60, 60), (30, 60)):
        with transaction(JOB):
            video = locking.lock_video_of(lesson)
            transitions.apply(
                video,
                video.uploads[0],
                Observation(video_event=VideoEvent.ASSET_SEEN, asset_id="a", progress=told),
            )
        assert mux_sim.uploads(lesson)[0].progress == stored


def test_what_was_deleted_while_its_successor_was_coming_is_history_once_that_plays(mux_sim: MuxSim) -> None:
    lesson, old, new = playing_with_another_coming(mux_sim)
    mux_sim.control.delete_asset_in_dashboard(old)
    mux_sim.deliver()
    assert mux_sim.lesson(lesson).video_processing_status == "processing"
    mux_sim.control.set_asset_ready(new)
    mux_sim.deliver()
    gone, plays = mux_sim.uploads(lesson)
    assert (gone.status, gone.superseded_by, plays.status) == ("deleted", plays.id, "ready")
    assert mux_sim.lesson(lesson).mux_asset_id == new
