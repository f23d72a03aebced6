"""A caller that waits for a lesson or course asks once more whether it is still theirs: it may have been given away, or their
account been changed, by the caller that held it. Two connections and a held lock for each way to change something."""

import threading
import time
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from lessonadmin import auth
from lessonadmin.db import Actor, db, transaction
from lessonadmin.domain import permissions
from lessonadmin.domain.errors import Invalid, Missing
from lessonadmin.domain.lessons import courses, lessons
from lessonadmin.domain.lessons.lessons import Changes
from lessonadmin.domain.models import Course, Lesson, User
from lessonadmin.domain.polling import ask_now
from lessonadmin.domain.uploads import direct_upload
from lessonadmin.domain.videos import removal
from lessonadmin.views.videos import actions
from tests.blocked import is_waited_for
from tests.factories import make_course, make_lesson, make_tracking, make_user
from tests.mux_sim import MuxSim

LATE = Changes(title="late")
FILE = direct_upload.File(name="talk.mp4", size=1000)
Owner = Lesson | Course
Call = Callable[[User, Owner], object]


def inside(call: Call) -> Call:
    def run(user: User, owner: Owner) -> object:
        with transaction(Actor.user(user.id)):
            return call(user, owner)

    return run


LESSON_CALLS: dict[str, Call] = {
    "edit": inside(lambda user, one: lessons.edit(user, one.id, LATE)),
    "delete": inside(lambda user, one: lessons.delete(user, one.id)),
    "unpublish": inside(lambda user, one: lessons.unpublish(permissions.lesson_to_change(user, one.id))),
    "delete its asset": inside(lambda user, _one: removal.delete_asset(user, "asset-a")),
}
LESSON_CALLS |= {
    "publish": lambda user, one: lessons.publish(
        permissions.lesson_to_change(user, one.id), actor=Actor.user(user.id)
    )
}
COURSE_CALLS: dict[str, Call] = {
    "edit": inside(lambda user, one: courses.edit(user, one.id, LATE)),
    "order": inside(lambda user, one: courses.reorder(user, one.id, [])),
    "delete": inside(lambda user, one: courses.delete(user, one.id)),
}
VIDEO_CALLS: dict[str, Call] = {
    "start an upload": lambda user, one: direct_upload.start(one, FILE, actor=Actor.user(user.id)),
    "say that the bytes are in": lambda user, one: direct_upload.bytes_are_in(
        one, "upload-a", temp_asset_id=None, actor=Actor.user(user.id)
    ),
    "cancel an upload": lambda user, one: direct_upload.cancel("upload-a", one, actor=Actor.user(user.id)),
    "ask Mux": lambda user, one: ask_now.ask_now(one, actor=Actor.user(user.id)),
    "cancel on the page": lambda user, one: actions.cancel(one),
    "remove on the page": inside(lambda user, one: removal.remove_video(one)),
    "undo on the page": lambda user, one: actions.undo(one),
}
ALL = [
    *(("lesson", name, call) for name, call in (LESSON_CALLS | VIDEO_CALLS).items()),
    *(("course", name, call) for name, call in (COURSE_CALLS | VIDEO_CALLS).items()),
]
GIVE = {
    "lesson": "UPDATE lessons SET creator_id = :to WHERE id = :id",
    "course": "UPDATE courses SET instructor_id = :to WHERE id = :id",
}


def given_away(held: Connection, owner: Owner, taker: User) -> None:
    held.execute(text(GIVE[owner.kind]), {"to": taker.id, "id": owner.id})


def demoted(held: Connection, owner: Owner, taker: User) -> None:
    held.execute(text("UPDATE users SET role = 'student' WHERE id = :id"), {"id": owner.owner_id})


def disabled(held: Connection, owner: Owner, taker: User) -> None:
    held.execute(text("UPDATE users SET active = false WHERE id = :id"), {"id": owner.owner_id})


def deleted(held: Connection, owner: Owner, taker: User) -> None:
    """It is in the trash, where it is no more to change; its video may be deleted there."""
    held.execute(text(f"UPDATE {owner.kind}s SET deleted_at = now() WHERE id = :id"), {"id": owner.id})  # noqa: S608 - a table's name


LOSSES = (given_away, demoted, disabled, deleted)
CASES = [
    pytest.param(*case, loss, id=f"{case[0]}: {case[1]}, {loss.__name__}")
    for case in ALL
    for loss in LOSSES
    if (case[1], loss) != ("delete its asset", deleted)
]


def as_it_is() -> list[object]:
    """Everything that such a call could have written, but for the columns that the one who held the lock changed."""
    db.session.rollback()
    queries = (
        "SELECT title, status, publish_on_ready, video_processing_status FROM lessons ORDER BY id",
        "SELECT title, video_processing_status FROM courses ORDER BY id",
        "SELECT upload_id, status, bytes_in_at, superseded_at FROM mux_asset_tracking ORDER BY id",
        "SELECT mux_asset_id FROM asset_deletions",
        "SELECT upload_id FROM upload_cancellations",
        "SELECT action FROM audit_log ORDER BY id",
    )
    return [db.session.execute(text(query)).all() for query in queries]


@pytest.fixture
def things(session: Session, mux_sim: MuxSim) -> dict[str, Owner]:
    instructor = make_user()
    made: dict[str, Owner] = {
        "lesson": make_lesson(
            creator=instructor,
            title="Before",
            mux_asset_id="asset-a",
            video_processing_status="processing",
            publish_on_ready=False,
        ),
        "course": make_course(instructor=instructor, title="Before"),
    }
    make_tracking(made["lesson"], status="processing", mux_asset_id="asset-a")
    return made


@pytest.mark.parametrize(("kind", "name", "call", "loss"), CASES)
def test_what_was_lost_while_waiting_is_not_changed(
    app: Flask,
    things: dict[str, Owner],
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    name: str,
    call: Call,
    loss: Callable[[Connection, Owner, User], None],
) -> None:
    owner, taker = things[kind], make_user()
    if "upload" in name or "bytes" in name:
        if kind == "lesson":
            db.session.execute(text("DELETE FROM mux_asset_tracking"))
            db.session.commit()
        make_tracking(owner, upload_id="upload-a")
    instructor_id, owner_id = owner.owner_id, owner.id
    monkeypatch.setattr(auth, "current_actor", lambda: Actor.user(instructor_id))
    before, raised = as_it_is(), []

    def late() -> None:
        with app.app_context():
            user = db.session.get_one(User, instructor_id)
            one = db.session.get_one(Lesson if kind == "lesson" else Course, owner_id)
            db.session.commit()
            try:
                call(user, one)
            except Exception as error:
                raised.append(error)
            db.session.remove()

    with db.engine.connect() as held:
        loss(held, owner, taker)
        thread = threading.Thread(target=late)
        thread.start()
        while thread.is_alive() and not is_waited_for(held):
            time.sleep(0.005)
        assert thread.is_alive(), f"it did not wait: {raised}"
        held.commit()
    thread.join(10)
    assert [type(error) for error in raised] == [Missing]
    assert as_it_is() == before


@pytest.mark.parametrize("loss", LOSSES)
def test_a_lesson_is_put_into_no_course_that_was_lost_while_waiting(
    app: Flask, things: dict[str, Owner], loss: Callable[[Connection, Owner, User], None]
) -> None:
    course, lesson, taker = things["course"], things["lesson"], make_user()
    instructor_id, lesson_id, course_id = course.owner_id, lesson.id, course.id
    raised: list[Exception] = []

    def late() -> None:
        with app.app_context():
            user = db.session.get_one(User, instructor_id)
            db.session.commit()
            try:
                with transaction(Actor.user(instructor_id)):
                    lessons.edit(user, lesson_id, Changes(course_id=course_id))
            except Exception as error:
                raised.append(error)
            db.session.remove()

    with db.engine.connect() as held:
        loss(held, course, taker)
        thread = threading.Thread(target=late)
        thread.start()
        while thread.is_alive() and not is_waited_for(held):
            time.sleep(0.005)
        assert thread.is_alive(), f"it did not wait: {raised}"
        held.commit()
    thread.join(10)
    assert [type(error) for error in raised] in ([Missing], [Invalid])
    db.session.rollback()
    assert db.session.scalar(text("SELECT course_id FROM lessons WHERE id = :id"), {"id": lesson_id}) is None


def test_who_keeps_the_right_is_not_stopped(things: dict[str, Owner]) -> None:
    """The control: the same call by the same person, when nothing was taken away."""
    instructor = db.session.get_one(User, things["lesson"].owner_id)
    for call in (LESSON_CALLS["edit"], COURSE_CALLS["edit"]):
        call(instructor, things["lesson" if call is LESSON_CALLS["edit"] else "course"])
    assert [row[0] for row in as_it_is()[0]] == ["late"]
    assert [row[0] for row in as_it_is()[1]] == ["late"]
