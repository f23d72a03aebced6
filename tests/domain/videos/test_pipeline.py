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
from tests.factories import make_lesson, make_user
from tests.settings import overridden
from tests.world import World


def test_a_lesson_publishes_itself(world: World) -> None:
    lesson = make_lesson()
    upload_id = world.uploaded(lesson)
    assert set(world.deliver()) <= {"applied", "no_change", "ignored"}
    now = world.lesson(lesson)
    assert (now.status, now.video_processing_status) == ("published", "ready")
    asset = world.control.assets()[0]
    assert now.mux_asset_id == asset["id"]
    assert now.mux_playback_id == asset["playback_ids"][0]["id"]
    (row,) = world.rows(lesson)
    assert (row.upload_id, row.status, row.ready_found_by) == (upload_id, "ready", "webhook")
    assert world.actions(lesson.id) == [
        "video.upload_started",
        "video.processing",
        "video.ready",
        "lesson.published",
    ]
    assert world.notices(lesson.creator_id) == ["lesson_published"]


@pytest.mark.parametrize("order", ["asset_first", "upload_first"])
def test_whichever_of_the_first_events_comes_first(world: World, order: str) -> None:
    world.control.set_switch("event_order", order)
    lesson = make_lesson()
    world.uploaded(lesson)
    world.control.flush_events()
    payloads = world.waiting()
    first = "video.asset.created" if order == "asset_first" else "video.upload.asset_created"
    assert payloads[1]["type"] == first
    assert [world.give(payload) for payload in payloads[:2]] == ["ignored", "applied"]
    assert world.lesson(lesson).mux_asset_id == world.control.assets()[0]["id"]
    assert {world.give(payload) for payload in payloads[2:]} <= {"applied", "no_change"}
    assert world.lesson(lesson).status == "published"
    assert world.actions(lesson.id).count("video.processing") == 1


def test_captions_that_mux_skipped_hold_up_no_lesson(world: World) -> None:
    lesson = make_lesson()
    file = direct_upload.File(name="silent.mp4", caption_language="en")
    ticket = direct_upload.start(lesson, file, actor=Actor.user(lesson.owner_id))
    world.control.complete_upload(ticket.upload_id, audio=False)
    assert set(world.deliver()) <= {"applied", "no_change", "ignored"}
    assert world.control.events()[-1]["type"] == "video.asset.track.skipped"
    assert world.lesson(lesson).status == "published"
    (row,) = world.rows(lesson)
    assert (row.status, row.error_type) == ("ready", None)


def test_a_lesson_whose_webhooks_arrive_costs_one_call(world: World) -> None:
    lesson = make_lesson()
    ticket = world.upload(lesson)
    world.control.complete_upload(ticket.upload_id)
    direct_upload.bytes_are_in(
        lesson, ticket.upload_id, temp_asset_id="temp_1", actor=Actor.user(lesson.creator_id)
    )
    world.deliver()
    sweep.sweep()
    assert [call["operation"] for call in world.calls()] == ["create_upload"]


def test_every_webhook_lost_is_found_by_the_sweep(world: World) -> None:
    lessons_ = [make_lesson() for _ in range(12)]
    for lesson in lessons_:
        world.uploaded(lesson)
    world.forget()
    with overridden(recheck_after_seconds=1):
        db.session.execute(update(Tracking).values(next_check_at=Tracking.created_at))
        db.session.commit()
        summary = sweep.sweep()
    assert not summary.failed
    assert {world.lesson(lesson).status for lesson in lessons_} == {"published"}
    assert [call["operation"] for call in world.calls() if call["method"] == "GET"] == ["list_assets"]


def test_replacement_keeps_playing_until_the_new_one_is_ready_and_can_be_undone(world: World) -> None:
    lesson = make_lesson()
    world.uploaded(lesson)
    world.deliver()
    old = world.lesson(lesson).mux_asset_id
    ticket = world.upload(lesson)
    assert world.lesson(lesson).mux_asset_id == old
    assert world.lesson(lesson).status == "published"
    world.control.complete_upload(ticket.upload_id)
    world.deliver()
    new = world.lesson(lesson)
    assert new.mux_asset_id != old
    assert new.status == "published"
    deletion = db.session.scalars(select(AssetDeletion)).one()
    assert deletion.mux_asset_id == old
    assert deletion.done_at is None
    sweep.sweep()
    assert len(world.control.assets()) == 2
    with transaction(CLI):
        assert removal.undo_replacement(locking.lock_video_of(new))
    assert world.lesson(lesson).mux_asset_id == old


def test_a_failed_replacement_leaves_the_lesson_as_it_was(world: World) -> None:
    lesson = make_lesson()
    world.uploaded(lesson)
    world.deliver()
    old = world.lesson(lesson).mux_asset_id
    ticket = world.upload(lesson)
    world.control.error_upload(ticket.upload_id)
    world.deliver()
    now = world.lesson(lesson)
    assert (now.mux_asset_id, now.status, now.video_processing_status) == (old, "published", "ready")
    assert world.rows(lesson)[-1].superseded_at is not None
    assert world.notices(lesson.creator_id) == ["lesson_published", "video_failed"]


def test_deleting_a_video_clears_the_lesson_and_then_mux(world: World) -> None:
    lesson = make_lesson()
    world.uploaded(lesson)
    world.deliver()
    asset_id = world.lesson(lesson).mux_asset_id
    assert asset_id
    with transaction(Actor.user(lesson.creator_id)):
        removal.request_delete(asset_id)
    now = world.lesson(lesson)
    assert (now.status, now.video_processing_status, now.mux_asset_id, now.publish_on_ready) == (
        "draft",
        "deleting",
        None,
        False,
    )
    sweep.sweep()
    now = world.lesson(lesson)
    assert now.video_processing_status == "none"
    assert world.control.assets() == []
    assert db.session.scalars(select(AssetDeletion)).one().done_at is not None


def test_deleted_in_the_dashboard(world: World) -> None:
    lesson = make_lesson()
    world.uploaded(lesson)
    world.deliver()
    world.control.delete_asset_in_dashboard(world.control.assets()[0]["id"])
    world.deliver()
    now = world.lesson(lesson)
    assert (now.status, now.video_processing_status, now.video_error_type) == (
        "draft",
        "error",
        "deleted_at_mux",
    )
    assert world.notices(lesson.creator_id)[-1] == "video_deleted"


def test_cancelling_cancels_at_mux_too(world: World) -> None:
    lesson = make_lesson()
    ticket = world.upload(lesson)
    actor = Actor.user(lesson.creator_id)
    assert direct_upload.cancel(ticket.upload_id, lesson, actor=actor) == "cancelled"
    assert world.lesson(lesson).video_processing_status == "none"
    sweep.sweep()
    assert world.control.upload(ticket.upload_id)["status"] == "cancelled"
    assert db.session.scalars(select(UploadCancellation)).one().done_at is not None


def test_a_lesson_deleted_while_processing_leaves_nothing_at_mux(world: World) -> None:
    lesson = make_lesson()
    world.uploaded(lesson)
    payloads = world.waiting()
    world.give(next(p for p in payloads if p["type"] == "video.upload.asset_created"))
    owner = db.session.get_one(type(make_user()), lesson.creator_id)
    with transaction(Actor.user(owner.id)):
        lessons.delete(owner, lesson.id)
    for payload in payloads:
        world.give(payload)
    sweep.sweep()
    assert world.control.assets() == []


def test_publish_answers(world: World) -> None:
    lesson = make_lesson(publish_on_ready=False)
    actor = Actor.user(lesson.creator_id)
    with pytest.raises(Invalid, match="no video"):
        lessons.publish(lesson, actor=actor)
    ticket = world.upload(lesson)
    assert lessons.publish(lesson, actor=actor) is False
    assert world.lesson(lesson).publish_on_ready
    world.control.complete_upload(ticket.upload_id)
    world.forget()
    with overridden(stuck_after_seconds=0):
        assert lessons.publish(lesson, actor=actor) is True
    assert world.lesson(lesson).status == "published"
