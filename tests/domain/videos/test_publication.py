"""The intent, its one fulfilment, and the person who beats the machine."""

import pytest

from lessonadmin.db import JOB, Actor, db, transaction
from lessonadmin.domain import permissions
from lessonadmin.domain.lessons import lessons
from lessonadmin.domain.lessons.lessons import Changes
from lessonadmin.domain.models import User
from lessonadmin.domain.videos import publication
from lessonadmin.domain.webhooks import inbox
from tests.factories import make_lesson, make_playing_lesson, make_user
from tests.world import World


def test_the_intent_is_the_default_of_the_database(session: object) -> None:
    assert make_lesson().publish_on_ready is True


def test_a_repeated_ready_does_not_publish_what_somebody_took_back(world: World) -> None:
    lesson = make_lesson()
    world.uploaded(lesson)
    payloads = world.waiting()
    for payload in payloads:
        world.give(payload)
    with transaction(Actor.user(lesson.creator_id)):
        lessons.unpublish(lesson)
    for payload in payloads:
        assert world.give(payload) == "duplicate"
        assert world.give(payload | {"id": "another-" + payload["id"]}) in ("no_change", "ignored", "applied")
    for event in world.events():
        inbox.replay(event.id, actor=JOB)
    now = world.lesson(lesson)
    assert (now.status, now.publish_on_ready) == ("draft", False)
    assert world.actions(lesson.id).count("lesson.published") == 1


def test_an_intent_that_was_withdrawn_is_not_fulfilled(world: World) -> None:
    lesson = make_lesson()
    ticket = world.upload(lesson)
    with transaction(Actor.user(lesson.creator_id)):
        lessons.unpublish(lesson)
    world.control.complete_upload(ticket.upload_id)
    world.deliver()
    assert world.lesson(lesson).status == "draft"
    assert world.actions(lesson.id)[1] == "lesson.publish_withdrawn"
    assert world.notices(lesson.creator_id) == ["video_ready"]


def test_asking_twice_is_one_wish_and_one_publication(world: World) -> None:
    lesson = make_lesson(publish_on_ready=False)
    world.upload(lesson)
    actor = Actor.user(lesson.creator_id)
    for _ in range(2):
        assert lessons.publish(lesson, actor=actor) is False
    assert world.actions(lesson.id).count("lesson.publish_requested") == 1
    world.control.complete_upload(world.rows(lesson)[0].upload_id or "")
    world.deliver()
    for _ in range(2):
        assert lessons.publish(lesson, actor=actor) is True
    assert world.actions(lesson.id).count("lesson.published") == 1


def test_only_a_playable_video_is_published(session: object) -> None:
    with pytest.raises(ValueError, match="playable"), transaction(JOB):
        publication.publish(make_lesson())


@pytest.mark.parametrize("ids", [{"mux_asset_id": "temp_1"}, {"mux_playback_id": "temp_playback_1"}])
def test_a_temporary_id_is_never_published_by_any_door(session: object, ids: dict[str, object]) -> None:
    """Old rows may say "ready" with an id that an older program made up; Mux never confirmed it."""
    lesson = make_playing_lesson(status="draft", published_at=None, **ids)
    assert not lesson.is_playable
    owner = db.session.get_one(User, lesson.creator_id)
    with transaction(Actor.user(owner.id)):
        edited = lessons.edit(owner, lesson.id, Changes(status="published"))
    assert edited.status == "draft"
    with pytest.raises(ValueError, match="playable"), transaction(JOB):
        publication.publish(lesson)


@pytest.mark.parametrize("ids", [{"mux_asset_id": "temp_1"}, {"mux_playback_id": "temp_playback_1"}])
def test_an_old_lesson_with_a_temporary_id_is_not_on_sale(session: object, ids: dict[str, object]) -> None:
    lesson = make_playing_lesson(**ids)
    real = make_playing_lesson()
    assert not permissions.visible_to_students(lesson)
    shown = db.session.query(type(lesson)).filter(permissions.on_sale()).all()
    assert [one.id for one in shown] == [real.id]


def test_a_failed_replacement_does_not_spend_or_lose_the_publication(world: World) -> None:
    lesson = make_lesson()
    world.uploaded(lesson)
    world.deliver()
    world.control.error_upload(world.upload(lesson).upload_id)
    world.deliver()
    assert world.lesson(lesson).status == "published"
    assert world.actions(lesson.id).count("lesson.published") == 1


def test_whoever_published_needs_no_notice_of_it(world: World) -> None:
    lesson = make_lesson(publish_on_ready=False)
    world.uploaded(lesson)
    world.deliver()
    lessons.publish(lesson, actor=Actor.user(lesson.creator_id))
    assert world.notices(lesson.creator_id) == ["video_ready"]
    other = make_lesson(publish_on_ready=False)
    world.uploaded(other)
    world.deliver()
    lessons.publish(other, actor=Actor.user(make_user(role="admin").id))
    assert world.notices(other.creator_id) == ["video_ready", "lesson_published"]
