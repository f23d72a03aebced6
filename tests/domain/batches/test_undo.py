"""An undo reverts what the batch changed and nothing that was changed since."""

import pytest
from sqlalchemy.orm import Session

from lessonadmin.db import Actor, db, transaction
from lessonadmin.domain.batches import batches, scheduling, undo
from lessonadmin.domain.errors import Conflict
from lessonadmin.domain.lessons import lessons
from lessonadmin.domain.models import Lesson
from tests.domain.batches.support import PUBLISH, RECHECK, UNPUBLISH, begin, drafts, finish, status_of
from tests.factories import make_lesson, make_playing_lesson, make_user
from tests.mux_sim import MuxSim


def test_undo_takes_back_only_what_the_batch_did_and_what_was_not_changed_since(
    session: Session, staff: Actor
) -> None:
    out = make_playing_lesson().id  # was published before: not the batch's doing
    plain, touched, twice = drafts(3)
    batch_id = begin(PUBLISH, [out, plain, touched, twice], staff)
    finish(batch_id)
    with transaction(Actor.user(make_user(role="support").id)):
        lessons.unpublish(db.session.get_one(Lesson, touched))
        lessons.unpublish(db.session.get_one(Lesson, twice))
    scheduling.run_now(PUBLISH, [touched], actor=staff)
    assert undo.can_undo(batches.get(batch_id))
    assert undo.count_undoable(batch_id) == (1, 2)
    with transaction(staff):
        undoing = undo.undo(batch_id)
    assert (undoing.total, undoing.undoes_id, undoing.action) == (1, batch_id, "unpublish")
    finish(undoing.id)
    assert [status_of(one) for one in (out, plain, touched, twice)] == [
        "published",
        "draft",
        "published",
        "draft",
    ]
    assert undo.count_undoable(batch_id) == (0, 3)
    with pytest.raises(Conflict), transaction(staff):
        undo.undo(undoing.id)


def test_undo_looks_again_when_it_runs(session: Session, staff: Actor) -> None:
    first, second = drafts(2)
    batch_id = begin(PUBLISH, [first, second], staff)
    finish(batch_id)
    with transaction(staff):
        undoing = undo.undo(batch_id)
    with transaction(Actor.user(make_user(role="support").id)):
        lessons.unpublish(db.session.get_one(Lesson, second))
    scheduling.run_now(PUBLISH, [second], actor=staff)
    finish(undoing.id)
    assert [status_of(first), status_of(second)] == ["draft", "published"]
    (line,) = batches.items(undoing.id, status="skipped")
    assert line.note.startswith("Somebody changed it since")


def test_undoing_an_unpublish_publishes_again(session: Session, staff: Actor) -> None:
    lesson = make_playing_lesson()
    batch_id = begin(UNPUBLISH, [lesson.id], staff)
    finish(batch_id)
    with transaction(staff):
        undoing = undo.undo(batch_id)
    finish(undoing.id)
    assert status_of(lesson.id) == "published"


def test_undoing_a_request_to_publish_also_undoes_the_publication(mux_sim: MuxSim, staff: Actor) -> None:
    lesson = make_lesson(publish_on_ready=False)
    mux_sim.upload(lesson)
    batch_id = begin(PUBLISH, [lesson.id], staff)
    finish(batch_id)
    mux_sim.control.complete_upload(mux_sim.uploads(lesson)[0].upload_id or "")
    mux_sim.deliver()
    assert mux_sim.lesson(lesson).status == "published"
    with transaction(staff):
        undoing = undo.undo(batch_id)
    finish(undoing.id)
    assert mux_sim.lesson(lesson).status == "draft"


def test_what_cannot_be_undone(session: Session, staff: Actor) -> None:
    recheck = begin(RECHECK, [make_lesson().id], staff)
    assert not undo.can_undo(batches.get(recheck))
    with pytest.raises(Conflict), transaction(staff):
        undo.undo(recheck)
    running = begin(PUBLISH, drafts(1), staff)
    with pytest.raises(Conflict), transaction(staff):
        undo.undo(running)
