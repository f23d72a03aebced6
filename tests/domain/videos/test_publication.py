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
from tests.mux_sim import MuxSim


def test_the_intent_is_the_default_of_the_database(session: object) -> None:
    assert make_lesson().publish_on_ready is True


def test_a_repeated_ready_does_not_publish_what_a_user_took_back(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    payloads = mux_sim.waiting()
    for payload in payloads:
        mux_sim.give(payload)
    with transaction(Actor.user(lesson.creator_id)):
        lessons.unpublish(lesson)
    for payload in payloads:
        assert mux_sim.give(payload) == "duplicate"
        assert mux_sim.give(payload | {"id": "another-" + payload["id"]}) in (
            "no_change",
            "ignored",
            "applied",
        )
    for event in mux_sim.events():
        inbox.replay(event.id, actor=JOB)
    now = mux_sim.lesson(lesson)
    assert (now.status, now.publish_on_ready) == ("draft", False)
    assert mux_sim.actions(lesson.id).count("lesson.published") == 1


def test_an_intent_that_was_withdrawn_is_not_fulfilled(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    ticket = mux_sim.upload(lesson)
    with transaction(Actor.user(lesson.creator_id)):
        lessons.unpublish(lesson)
    mux_sim.control.complete_upload(ticket.upload_id)
    mux_sim.deliver()
    assert mux_sim.lesson(lesson).status == "draft"
    assert mux_sim.actions(lesson.id)[1] == "lesson.publish_withdrawn"
    assert mux_sim.notices(lesson.creator_id) == ["video_ready"]


def test_asking_twice_is_one_intent_and_one_publication(mux_sim: MuxSim) -> None:
    lesson = make_lesson(publish_on_ready=False)
    mux_sim.upload(lesson)
    actor = Actor.user(lesson.creator_id)
    for _ in range(2):
        assert lessons.publish(lesson, actor=actor) is False
    assert mux_sim.actions(lesson.id).count("lesson.publish_requested") == 1
    mux_sim.control.complete_upload(mux_sim.uploads(lesson)[0].upload_id or "")
    mux_sim.deliver()
    for _ in range(2):
        assert lessons.publish(lesson, actor=actor) is True
    assert mux_sim.actions(lesson.id).count("lesson.published") == 1


def test_only_a_playable_video_is_published(session: object) -> None:
    with pytest.raises(ValueError, match="playable"), transaction(JOB):
        publication.publish(make_lesson())


@pytest.mark.parametrize("ids", [{"mux_asset_id": "temp_1"}, {"mux_playback_id": "temp_playback_1"}])
def test_a_temporary_id_is_never_published_in_any_way(session: object, ids: dict[str, object]) -> None:
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


def test_a_failed_replacement_does_not_spend_or_lose_the_publication(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    mux_sim.control.error_upload(mux_sim.upload(lesson).upload_id)
    mux_sim.deliver()
    assert mux_sim.lesson(lesson).status == "published"
    assert mux_sim.actions(lesson.id).count("lesson.published") == 1


def test_a_user_who_published_needs_no_notice_of_it(mux_sim: MuxSim) -> None:
    lesson = make_lesson(publish_on_ready=False)
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    lessons.publish(lesson, actor=Actor.user(lesson.creator_id))
    assert mux_sim.notices(lesson.creator_id) == ["video_ready"]
    other = make_lesson(publish_on_ready=False)
    mux_sim.uploaded(other)
    mux_sim.deliver()
    lessons.publish(other, actor=Actor.user(make_user(role="admin").id))
    assert mux_sim.notices(other.creator_id) == ["video_ready", "lesson_published"]
