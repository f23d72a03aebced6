"""An undo reverts what the batch changed and nothing that was changed since."""

import re
import uuid
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import update
from sqlalchemy.orm import Session

from lessonadmin.db import Actor, db, transaction
from lessonadmin.domain.batches import batches, registry, scheduling, undo
from lessonadmin.domain.batches.actions import publish_lessons
from lessonadmin.domain.errors import Conflict
from lessonadmin.domain.lessons import lessons
from lessonadmin.domain.models import Batch, BatchItem, Lesson
from tests.domain.batches import undo_worlds
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
    assert (undoing.total, undoing.undoes_id, undoing.action) == (3, batch_id, "restore_publication")
    finish(undoing.id)
    notes = [line.note for line in batches.items(undoing.id, status="skipped")]
    assert len(notes) == 2
    assert all(
        re.fullmatch(r"Changed since by .+ on \d+ \w+ \d+, \d\d:\d\d UTC, so it .+", note) for note in notes
    )
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
    assert line.note.startswith("Changed since by Support ")


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


def run_and_undo(
    action: registry.Action, world: list[tuple[undo_worlds.Start, undo_worlds.Change]], staff: Actor
) -> None:
    """The law: a row that no person changed since is what it was, every other one is what that person made of it."""
    lessons_of = [undo_worlds.made(start) for start, _ in world]
    before = [undo_worlds.rows_of(one) for one in lessons_of]
    batch_id = begin(action, [one.id for one in lessons_of], staff)
    finish(batch_id)
    changed = [change(one) for one, (_, change) in zip(lessons_of, world, strict=True)]
    between = [undo_worlds.rows_of(one) for one in lessons_of]
    if undo.can_undo(batches.get(batch_id)):
        with transaction(staff):
            undoing = undo.undo(batch_id).id
        finish(undoing)
    for number, lesson in enumerate(lessons_of):
        wanted = between[number] if changed[number] else before[number]
        wanted["lesson"]["title"] = between[number]["lesson"]["title"]
        assert undo_worlds.differences(undo_worlds.rows_of(lesson), wanted) == [], (
            action.name,
            world[number],
        )


WORLDS = st.lists(st.tuples(undo_worlds.starts, undo_worlds.since), min_size=1, max_size=4)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(action=st.sampled_from([PUBLISH, UNPUBLISH]), world=WORLDS)
def test_every_undo_restores_whole_rows(
    session: Session,
    staff: Actor,
    action: registry.Action,
    world: list[tuple[undo_worlds.Start, undo_worlds.Change]],
) -> None:
    run_and_undo(action, world, staff)


INTENT = (undo_worlds.Start("processing", published=False, wanted=True), undo_worlds.nothing)
WITHOUT_VIDEO = (undo_worlds.Start("none", published=False, wanted=True), undo_worlds.nothing)
OUT = (undo_worlds.Start("plays", published=True, wanted=False), undo_worlds.nothing)


@pytest.mark.parametrize("row", [WITHOUT_VIDEO, OUT])
def test_the_contrary_action_is_no_undo(
    session: Session,
    staff: Actor,
    row: tuple[undo_worlds.Start, undo_worlds.Change],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The control of the law: it does not hold when an undo does the contrary."""
    run_and_undo(UNPUBLISH, [row], staff)
    key = ("lesson", "restore_publication")
    contrary = replace(registry.TABLE[key], inside=lambda one, _options: publish_lessons.publish(one))
    monkeypatch.setitem(registry.TABLE, key, contrary)
    with pytest.raises(AssertionError):
        run_and_undo(UNPUBLISH, [row], staff)


def undone(batch_id: uuid.UUID, staff: Actor) -> batches.Item:
    with transaction(staff):
        undoing = undo.undo(batch_id).id
    finish(undoing)
    (line,) = batches.items(undoing)
    return line


def test_an_intent_that_was_withdrawn_by_mistake_is_fulfilled_if_the_video_is_ready_by_now(
    session: Session, staff: Actor
) -> None:
    lesson = undo_worlds.made(INTENT[0])
    batch_id = begin(UNPUBLISH, [lesson.id], staff)
    finish(batch_id)
    undo_worlds.became_ready(lesson)
    assert status_of(lesson.id) == "draft"
    assert "so it is published" in undone(batch_id, staff).note or status_of(lesson.id) == "published"


def test_a_lesson_is_not_published_again_without_its_video_or_with_another_one(
    session: Session, staff: Actor
) -> None:
    for made_of, note in (
        ({"mux_playback_id": None}, "Its video was deleted"),
        ({"mux_asset_id": "X"}, "another video"),
    ):
        lesson = make_playing_lesson()
        batch_id = begin(UNPUBLISH, [lesson.id], staff)
        finish(batch_id)
        db.session.execute(update(Lesson).where(Lesson.id == lesson.id).values(made_of))
        db.session.commit()
        line = undone(batch_id, staff)
        assert (line.status, note in line.note) == ("skipped", True), line.note
        assert status_of(lesson.id) == "draft"


def test_a_bulk_action_from_before_rows_were_recorded_cannot_be_undone(
    session: Session, staff: Actor
) -> None:
    lesson = make_playing_lesson()
    batch_id = begin(UNPUBLISH, [lesson.id], staff)
    finish(batch_id)
    db.session.execute(update(BatchItem).values(before=None))
    db.session.commit()
    assert undo.count_undoable(batch_id) == (0, 1)
    assert not undo.is_undoable(batch_id)
    with pytest.raises(Conflict, match="not recorded"), transaction(staff):
        undo.undo(batch_id)
    # One that was begun before, by the contrary action: it touches nothing.
    began = begin(PUBLISH, [lesson.id], staff, undoes_id=batch_id)
    finish(began)
    (line,) = batches.items(began)
    assert (line.status, status_of(lesson.id)) == ("skipped", "draft")


def test_a_republish_is_undone_as_far_as_it_is_about_publication(mux_sim: MuxSim, staff: Actor) -> None:
    lesson = make_lesson(publish_on_ready=False)
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    asset = mux_sim.lesson(lesson).mux_asset_id
    report = scheduling.run_now(registry.find("lesson", "republish"), [lesson.id], actor=staff)
    assert mux_sim.lesson(lesson).status == "published"
    assert undo.count_undoable(report.batch_id) == (1, 0)
    assert undone(report.batch_id, staff).status == "done"
    now = mux_sim.lesson(lesson)
    assert (now.status, now.published_at, now.publish_on_ready) == ("draft", None, False)
    assert (now.mux_asset_id, now.video_processing_status) == (asset, "ready")
    again = scheduling.run_now(registry.find("lesson", "republish"), [make_playing_lesson().id], actor=staff)
    assert not undo.is_undoable(again.batch_id), "what Mux does not know was not republished"


def test_an_undo_of_few_rows_runs_at_once_and_one_knows_the_other(session: Session, staff: Actor) -> None:
    lesson = make_playing_lesson(published_at=undo_worlds.LONG_AGO)
    batch_id = scheduling.run_now(UNPUBLISH, [lesson.id], actor=staff).batch_id
    report = scheduling.undo(batch_id, actor=staff)
    assert (report.count("done"), report.finished) == (1, True)
    assert db.session.get_one(Lesson, lesson.id, populate_existing=True).published_at == undo_worlds.LONG_AGO
    assert undo.latest_undos([batch_id])[batch_id].id == report.batch_id
    assert db.session.get_one(Batch, report.batch_id).undoes_id == batch_id


def test_an_undo_of_many_rows_is_left_to_the_worker(session: Session, staff: Actor) -> None:
    ids = drafts(21)
    batch_id = begin(PUBLISH, ids, staff)
    finish(batch_id)
    report = scheduling.undo(batch_id, actor=staff)
    assert (report.items, report.finished) == ((), False)
    finish(report.batch_id)
    assert {status_of(one) for one in ids} == {"draft"}


def test_what_cannot_be_undone(session: Session, staff: Actor) -> None:
    recheck = begin(RECHECK, [make_lesson().id], staff)
    assert not undo.can_undo(batches.get(recheck))
    with pytest.raises(Conflict), transaction(staff):
        undo.undo(recheck)
    running = begin(PUBLISH, drafts(1), staff)
    with pytest.raises(Conflict), transaction(staff):
        undo.undo(running)
