"""The one writer: what an upload's step does to its lesson, beside a video that plays and without one."""

from collections.abc import Callable

import pytest
from sqlalchemy import select, update

from lessonadmin.db import JOB, Actor, db, transaction
from lessonadmin.domain.models import AssetDeletion, Lesson, Tracking
from lessonadmin.domain.uploads import direct_upload
from lessonadmin.domain.videos import locking, removal, transitions
from lessonadmin.domain.videos.observations import Observation
from lessonadmin.domain.videos.state_machine import VideoEvent
from tests.factories import make_course, make_lesson, make_playing_lesson, make_tracking
from tests.world import World


def playing_with_another_coming(world: World) -> tuple[Lesson, str, str]:
    """A published lesson, the asset that plays, and one that Mux is processing to replace it."""
    lesson = make_lesson()
    world.uploaded(lesson)
    world.deliver()
    old = world.lesson(lesson).mux_asset_id
    world.control.hold_processing()
    world.uploaded(lesson)
    world.deliver()
    new = world.rows(lesson)[-1].mux_asset_id
    assert None not in (old, new)
    assert world.rows(lesson)[-1].status == "processing"
    return lesson, old, new


def test_deleting_the_replacement_leaves_the_lesson_published(world: World) -> None:
    lesson, old, new = playing_with_another_coming(world)
    with transaction(Actor.user(lesson.creator_id)):
        removal.request_delete(new)
    now = world.lesson(lesson)
    assert (now.status, now.mux_asset_id, now.video_processing_status) == ("published", old, "ready")
    row = world.rows(lesson)[-1]
    assert (row.status, row.superseded_at is not None) == ("deleting", True)
    assert "video.delete_requested" in world.actions(lesson.id)
    assert "lesson.unpublished" not in world.actions(lesson.id)


def test_a_replacement_that_is_deleted_at_mux_leaves_the_lesson_published(world: World) -> None:
    lesson, old, new = playing_with_another_coming(world)
    world.control.delete_asset_in_dashboard(new)
    world.deliver()
    now = world.lesson(lesson)
    assert (now.status, now.mux_asset_id, now.video_error_type) == ("published", old, None)
    assert world.rows(lesson)[-1].superseded_at is not None
    assert world.notices(lesson.creator_id)[-1] == "video_deleted"


def test_a_cancelled_replacement_is_not_the_last_word_when_the_old_video_goes(world: World) -> None:
    lesson = make_lesson()
    world.uploaded(lesson)
    world.deliver()
    ticket = world.upload(lesson)
    direct_upload.cancel(ticket.upload_id, lesson, actor=Actor.user(lesson.creator_id))
    assert world.rows(lesson)[-1].superseded_at is not None
    world.control.delete_asset_in_dashboard(world.control.assets()[0]["id"])
    world.deliver()
    now = world.lesson(lesson)
    assert (now.video_processing_status, now.video_error_type) == ("error", "deleted_at_mux")


def test_a_new_attempt_supersedes_the_open_one_and_cancels_it_at_mux(world: World) -> None:
    lesson = make_lesson()
    first, second = world.upload(lesson), world.upload(lesson)
    one, two = world.rows(lesson)
    assert (one.upload_id, one.superseded_by, two.superseded_at) == (first.upload_id, two.id, None)
    world.control.complete_upload(second.upload_id)
    world.deliver()
    assert world.lesson(lesson).mux_asset_id == world.rows(lesson)[1].mux_asset_id


def test_an_overtaken_upload_never_touches_the_lesson_and_its_asset_goes(world: World) -> None:
    lesson = make_lesson()
    first = world.upload(lesson)
    world.control.complete_upload(first.upload_id)
    world.control.flush_events()
    late = world.waiting()
    second = world.upload(lesson)
    world.control.complete_upload(second.upload_id)
    world.deliver()
    before = world.lesson(lesson).mux_asset_id
    for payload in late:
        world.give(payload)
    now = world.lesson(lesson)
    overtaken = world.rows(lesson)[0]
    assert (now.mux_asset_id, overtaken.status) == (before, "ready")
    assert now.mux_asset_id != overtaken.mux_asset_id
    promised = db.session.scalars(select(AssetDeletion.mux_asset_id)).all()
    assert promised == [overtaken.mux_asset_id]


def test_what_never_played_cannot_be_brought_back(world: World) -> None:
    """An overtaken upload that became ready is no earlier video of the lesson."""
    lesson = make_lesson()
    first = world.upload(lesson)
    world.control.complete_upload(first.upload_id)
    world.control.flush_events()
    late = world.waiting()
    world.uploaded(lesson)
    world.deliver()
    for payload in late:
        world.give(payload)
    assert not removal.can_undo(world.rows(lesson))
    with transaction(JOB):
        assert not removal.undo_replacement(locking.lock_video_of(lesson))
    assert "video.replaced" not in world.actions(lesson.id)


def test_undo_is_refused_once_somebody_tried_to_delete(world: World) -> None:
    """The try may have been carried out although no answer came."""
    lesson = make_lesson()
    for _ in range(2):
        world.uploaded(lesson)
        world.deliver()
    db.session.execute(update(AssetDeletion).values(attempts=1))
    db.session.commit()
    with transaction(JOB):
        assert not removal.undo_replacement(locking.lock_video_of(lesson))
    assert world.lesson(lesson).mux_asset_id == world.rows(lesson)[-1].mux_asset_id


def test_the_swap_is_one_transaction(world: World) -> None:
    lesson = make_lesson()
    world.uploaded(lesson)
    world.deliver()
    world.uploaded(lesson)
    world.deliver()
    old, new = world.rows(lesson)
    assert (old.status, old.superseded_by, new.superseded_at) == ("ready", new.id, None)
    assert world.actions(lesson.id)[-2:] == ["video.ready", "video.replaced"]
    assert world.lesson(lesson).status == "published"


ENDINGS: dict[str, tuple[Callable[[World, str], object], str]] = {
    "upload_errored": (lambda world, one: world.control.error_upload(one), "upload_errored"),
    "cancelled elsewhere": (
        lambda world, one: world.control.cancel_upload_elsewhere(one),
        "upload_cancelled",
    ),
    "asset_errored": (
        lambda world, one: world.control.error_asset(
            world.control.complete_upload(one)["id"], messages=["No video."]
        ),
        "asset_errored",
    ),
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_how_an_upload_fails_is_told_in_its_own_words(world: World, ending: str) -> None:
    happen, error = ENDINGS[ending]
    lesson = make_lesson()
    world.control.hold_processing()
    happen(world, world.upload(lesson).upload_id)
    world.deliver()
    now = world.lesson(lesson)
    assert (now.video_processing_status, now.video_error_type, now.status) == ("error", error, "draft")
    if error == "asset_errored":
        assert now.video_error_message == "No video."
    assert world.notices(lesson.creator_id) == ["video_failed"]
    assert now.publish_on_ready, "the wish outlives a failed attempt"


@pytest.mark.parametrize(
    ("switch", "error"),
    [("empty", "no_playback_id"), ("missing", "no_playback_id"), ("other_policy", "wrong_policy")],
)
def test_ready_without_a_way_to_play_it_is_never_published(world: World, switch: str, error: str) -> None:
    world.control.set_switch("playback_ids", switch)
    lesson = make_lesson()
    world.uploaded(lesson)
    world.deliver()
    now = world.lesson(lesson)
    assert (now.status, now.video_processing_status, now.video_error_type) == ("draft", "error", error)
    assert now.mux_playback_id is None


def test_a_course_has_a_preview_by_the_same_rules(world: World) -> None:
    course = make_course()
    world.uploaded(course)
    world.deliver()
    now = world.course(course)
    assert (now.video_processing_status, bool(now.mux_playback_id)) == ("ready", True)
    assert world.notices(course.instructor_id) == ["video_ready"]


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


def test_progress_only_grows(world: World) -> None:
    lesson = make_lesson()
    world.upload(lesson)
    for told, stored in ((10, 10), (60, 60), (30, 60)):
        with transaction(JOB):
            video = locking.lock_video_of(lesson)
            transitions.apply(
                video,
                video.rows[0],
                Observation(video_event=VideoEvent.ASSET_SEEN, asset_id="a", progress=told),
            )
        assert world.rows(lesson)[0].progress == stored


def test_what_was_deleted_while_its_successor_was_coming_is_history_once_that_plays(world: World) -> None:
    lesson, old, new = playing_with_another_coming(world)
    world.control.delete_asset_in_dashboard(old)
    world.deliver()
    assert world.lesson(lesson).video_processing_status == "processing"
    world.control.set_asset_ready(new)
    world.deliver()
    gone, plays = world.rows(lesson)
    assert (gone.status, gone.superseded_by, plays.status) == ("deleted", plays.id, "ready")
    assert world.lesson(lesson).mux_asset_id == new
