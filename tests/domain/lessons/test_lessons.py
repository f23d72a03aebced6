"""Lessons: written, changed, published, taken back, deleted; each change on record."""

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text

from lessonadmin.db import Actor, db, transaction
from lessonadmin.domain.errors import Conflict, Forbidden, Invalid, Missing, Unavailable
from lessonadmin.domain.lessons import lessons
from lessonadmin.domain.lessons.lessons import Changes
from lessonadmin.domain.models import Lesson, User
from tests.domain.lessons.support import as_, trail
from tests.factories import make_course, make_lesson, make_playing_lesson, make_user
from tests.mux_sim import MuxSim
from tests.settings import overridden


@pytest.mark.parametrize(("status", "intent"), [(None, True), ("published", True), ("draft", False)])
def test_a_new_lesson_is_a_draft_with_or_without_the_intent(
    session: object, status: Any, intent: bool
) -> None:
    user = make_user()
    with as_(user):
        made = lessons.create(user, Changes(title="  One  ", **({"status": status} if status else {})))
    assert (made.title, made.status, made.publish_on_ready) == ("One", "draft", intent)
    assert [action for action, _ in trail(made.id)] == ["lesson.created"]


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"title": ""}, "title"),
    ({"title": "   "}, "title"),
    ({"title": "x" * 201}, "title"),
    ({"title": "a\x00b"}, "title"),
    ({"title": "a\nb"}, "title"),
    ({"title": "a\u202eb"}, "title"),
    ({"title": "ok", "description": "x" * 20_001}, "description"),
    ({"title": "ok", "description": "\x00"}, "description"),
    ({"title": "ok", "price_cents": -1}, "price_cents"),
    ({"title": "ok", "price_cents": 99_999_901}, "price_cents"),
]


@pytest.mark.parametrize(("given", "field"), WRONG)
def test_what_is_wrong_is_said_beside_its_field(session: object, given: dict[str, Any], field: str) -> None:
    user = make_user()
    with pytest.raises(Invalid) as refusal, as_(user):
        lessons.create(user, Changes(**given))
    assert list(refusal.value.fields or {}) == [field]
    assert db.session.scalars(select(Lesson)).all() == []


def test_a_description_may_have_lines(session: object) -> None:
    user = make_user()
    with as_(user):
        made = lessons.create(user, Changes(title="ok", description="one\ntwo\tthree — ü"))
    assert made.description.count("\n") == 1


def test_students_write_nothing(session: object) -> None:
    student = make_user(role="student")
    with pytest.raises(Forbidden), as_(student):
        lessons.create(student, Changes(title="One"))


@pytest.mark.parametrize("there", [True, False], ids=["of another", "not there"])
def test_a_foreign_course_takes_no_lesson(session: object, there: bool) -> None:
    user = make_user()
    course_id = make_course().id if there else uuid.uuid4()
    with pytest.raises(Invalid) as refusal, as_(user):
        lessons.create(user, Changes(title="One", course_id=course_id))
    assert "course_id" in (refusal.value.fields or {})


def test_a_lesson_that_a_client_asks_for_twice_is_made_once(session: object) -> None:
    user, other, key = make_user(), make_user(), uuid.uuid4()
    made = []
    for who, title, its_key in (
        (user, "One", key),
        (user, "Again", key),
        (other, "Of another", key),
        (user, "Two", uuid.uuid4()),
    ):
        with as_(who):
            lesson, is_new = lessons.create_once(who, Changes(title=title), key=its_key)
        made.append((lesson.title, is_new))
    assert made == [("One", True), ("One", False), ("Of another", True), ("Two", True)]
    with as_(user):
        first, _ = lessons.create_once(user, Changes(title="One"), key=key)
        lessons.delete(user, first.id)
    with as_(user):
        deleted, is_new = lessons.create_once(user, Changes(title="One"), key=key)
    assert (deleted.id, is_new, deleted.deleted_at is not None) == (first.id, False, True)


def test_of_two_requests_with_one_key_at_the_same_time_the_second_waits(app: Flask) -> None:
    user, key = make_user(), uuid.uuid4()
    barrier = threading.Barrier(2)

    def make(_: int) -> tuple[uuid.UUID, bool]:
        with app.app_context(), transaction(Actor.user(user.id)):
            who = db.session.get_one(User, user.id)
            barrier.wait(10)
            lesson, is_new = lessons.create_once(who, Changes(title="One"), key=key)
            return lesson.id, is_new

    with ThreadPoolExecutor(2) as pool:
        made = list(pool.map(make, range(2)))
    assert len({lesson_id for lesson_id, _ in made}) == 1
    assert sorted(is_new for _, is_new in made) == [False, True]


def test_a_change_writes_before_and_after_and_no_change_writes_nothing(session: object) -> None:
    lesson = make_lesson(price_cents=100)
    owner = db.session.get_one(User, lesson.creator_id)
    with as_(owner):
        lessons.edit(owner, lesson.id, Changes(title=lesson.title, price_cents=100))
    assert trail(lesson.id) == []
    with as_(owner):
        lessons.edit(owner, lesson.id, Changes(price_cents=250))
    ((action, detail),) = trail(lesson.id)
    assert action == "lesson.updated"
    assert (detail["before"], detail["after"]) == ({"price_cents": 100}, {"price_cents": 250})


def test_two_who_edit_at_once_do_not_overwrite_each_other(session: object) -> None:
    lesson = make_lesson()
    owner = db.session.get_one(User, lesson.creator_id)
    with as_(owner):
        lessons.edit(owner, lesson.id, Changes(title="First"), version=1)
    with pytest.raises(Conflict) as refusal, as_(owner):
        lessons.edit(owner, lesson.id, Changes(title="Second"), version=1)
    assert refusal.value.type == "edit_conflict"
    db.session.refresh(lesson)
    assert (lesson.title, lesson.version) == ("First", 2)


@pytest.mark.parametrize(("what", "given"), [("edit", [Changes(title="Mine")]), ("delete", [])])
def test_the_lesson_of_another_is_not_there(session: object, what: str, given: list[Any]) -> None:
    lesson, stranger = make_lesson(), make_user()
    with pytest.raises(Missing), as_(stranger):
        getattr(lessons, what)(stranger, lesson.id, *given)
    assert trail(lesson.id) == []


def test_publishing_and_taking_back_through_the_form(session: object) -> None:
    lesson = make_playing_lesson()
    owner = db.session.get_one(User, lesson.creator_id)
    for status in ("draft", "draft", "published", "published"):
        with as_(owner):
            assert lessons.edit(owner, lesson.id, Changes(status=status)).status == status  # type: ignore[arg-type]
    assert [action for action, _ in trail(lesson.id)] == ["lesson.unpublished", "lesson.published"]


def test_a_stuck_video_is_asked_about_at_once(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.forget()
    actor = Actor.user(lesson.creator_id)
    before = len(mux_sim.calls())
    assert lessons.publish(lesson, actor=actor) is False
    assert len(mux_sim.calls()) == before, "young ones are not asked about"
    db.session.execute(text("UPDATE mux_asset_tracking SET created_at = now() - interval '1 hour'"))
    db.session.commit()
    mux_sim.control.fault("api", "status", status=500)
    with pytest.raises(Unavailable) as refusal:
        lessons.publish(lesson, actor=actor)
    assert refusal.value.type == "mux_unavailable"
    assert mux_sim.lesson(lesson).status == "draft"
    mux_sim.control.clear_faults()
    assert lessons.publish(lesson, actor=actor) is True
    assert mux_sim.lesson(lesson).status == "published"


@pytest.mark.parametrize(
    ("columns", "problem", "kind"),
    [
        ({}, Invalid, "no_video"),
        ({"video_processing_status": "deleting"}, Invalid, "no_video"),
        ({"video_processing_status": "processing", "mux_asset_id": "temp_1"}, Invalid, "temporary_asset"),
        (
            {"video_processing_status": "ready", "mux_asset_id": "temp_1", "mux_playback_id": "p"},
            Invalid,
            "temporary_asset",
        ),
        ({"video_processing_status": "error"}, Conflict, "video_error"),
    ],
)
def test_what_cannot_be_published_is_told_why(
    session: object, columns: dict[str, Any], problem: type[Exception], kind: str
) -> None:
    lesson = make_lesson(publish_on_ready=False, **columns)
    with pytest.raises(problem) as refusal:
        lessons.publish(lesson, actor=Actor.user(lesson.creator_id))
    assert refusal.value.type == kind  # type: ignore[attr-defined]
    db.session.refresh(lesson)
    assert (lesson.status, lesson.publish_on_ready) == ("draft", False)
    assert trail(lesson.id) == []


def test_an_asset_that_failed_meanwhile_is_told_as_such(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    mux_sim.control.hold_processing()
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    mux_sim.control.error_asset(mux_sim.control.assets()[0]["id"])
    mux_sim.forget()
    with overridden(stuck_after_seconds=0), pytest.raises(Conflict) as refusal:
        lessons.publish(lesson, actor=Actor.user(lesson.creator_id))
    assert refusal.value.type == "video_error"
