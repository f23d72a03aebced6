"""Items are carried out once, also with many workers, killed workers, bad rows, and a Mux that fails."""

import threading
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, select, update
from sqlalchemy.orm import Session

from lessonadmin import mux
from lessonadmin.db import CLI, Actor, db, transaction
from lessonadmin.domain import mux_budget
from lessonadmin.domain.batches import batches, registry, runner
from lessonadmin.domain.batches.actions import publish_lessons
from lessonadmin.domain.models import AuditLog, Batch, Lesson, MuxBudget
from tests.domain.batches.support import (
    PUBLISH,
    RECHECK,
    UNPUBLISH,
    audit_count,
    begin,
    drafts,
    finish,
    in_threads,
    items_of,
    killed_at,
    let_leases_run_out,
    status_of,
    true_counts,
)
from tests.factories import make_lesson
from tests.mux_sim import MuxSim
from tests.queries import counted


def test_publishing_a_batch(session: Session, staff: Actor) -> None:
    ids = [*drafts(120), make_lesson().id, uuid.uuid4()]
    batch_id = begin(PUBLISH, ids, staff)
    finish(batch_id)
    shown = batches.progress(batch_id)
    assert (shown.status, shown.done, shown.skipped, shown.failed) == ("done", 120, 2, 0)
    assert shown.finished_at is not None
    assert shown.percent == 100
    assert audit_count("lesson.published") == 120
    notes = {line.note for line in batches.items(batch_id, status="skipped")}
    assert notes == {"It has no video.", "It is not there any more."}
    finish(batch_id)
    assert audit_count("lesson.published") == 120


@pytest.mark.parametrize("action", [PUBLISH, UNPUBLISH], ids=["publish", "unpublish"])
def test_a_whole_chunk_costs_as_many_statements_as_one_row(
    session: Session, staff: Actor, action: registry.Action
) -> None:
    """The lessons are locked by one query, their uploads read by one, and all changes written by one."""
    costs = []
    for count in (1, action.together):
        ids = drafts(count)
        if action is UNPUBLISH:
            finish(begin(PUBLISH, ids, staff))
        batch_id = begin(action, ids, staff)
        with counted() as sent:
            finish(batch_id)
        costs.append(len(sent))
        db.session.rollback()
        assert batches.progress(batch_id).done == count
    assert costs[0] == costs[1]


def test_many_workers_on_one_batch_do_each_row_once(app: Flask, session: Session, staff: Actor) -> None:
    batch_id = begin(PUBLISH, drafts(400), staff)
    ran = in_threads(app, 4, lambda _: runner.run_some(batch_id, seconds=30).count)
    assert sum(ran) == 400
    assert audit_count("lesson.published") == 400
    shown = batches.progress(batch_id)
    assert (shown.done, shown.status) == (400, "done") == (true_counts(batch_id)["done"], "done")


def test_two_batches_over_the_same_lessons_at_once(app: Flask, session: Session, staff: Actor) -> None:
    ids = drafts(200)
    both = [begin(PUBLISH, ids, staff), begin(PUBLISH, list(reversed(ids)), staff)]
    in_threads(app, 2, lambda number: runner.run_some(both[number], seconds=30))
    shown = [batches.progress(one) for one in both]
    assert [one.status for one in shown] == ["done", "done"]
    assert sum(one.done for one in shown) == 200 == sum(one.skipped for one in shown)
    assert audit_count("lesson.published") == 200


def test_one_row_is_carried_out_by_one_of_many(app: Flask, session: Session, staff: Actor) -> None:
    batch_id = begin(PUBLISH, drafts(1), staff)
    (item_id,) = items_of(batch_id)
    results = in_threads(app, 6, lambda _: runner.run_item(item_id))
    assert [one.status for one in results if one is not None] == ["done"]
    assert batches.progress(batch_id).done == 1


@pytest.mark.parametrize("row", [1, 50, 51, 75, 100])
def test_a_worker_killed_in_the_middle_leaves_the_rest_to_the_next(
    session: Session, staff: Actor, monkeypatch: pytest.MonkeyPatch, row: int
) -> None:
    batch_id = begin(PUBLISH, drafts(100), staff)
    with killed_at(monkeypatch, row):
        runner.run_some(batch_id, seconds=30)
    done = true_counts(batch_id).get("done", 0)
    assert done == audit_count("lesson.published") == batches.progress(batch_id).done == (row - 1) // 50 * 50
    ran = runner.run_some(batch_id, seconds=30)
    assert ran.count == 100 - done
    assert audit_count("lesson.published") == 100
    assert batches.progress(batch_id).status == "done"


def test_one_bad_row_harms_no_other(session: Session, staff: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = drafts(60)
    true = publish_lessons.publish

    def publish(lesson_id: uuid.UUID) -> Any:
        if lesson_id == ids[30]:
            raise LookupError("planted")
        return true(lesson_id)

    monkeypatch.setattr(publish_lessons, "publish", publish)
    batch_id = begin(PUBLISH, ids, staff)
    finish(batch_id)
    shown = batches.progress(batch_id)
    assert (shown.status, shown.done, shown.failed) == ("done", 59, 1)
    (line,) = batches.items(batch_id, status="failed")
    assert (line.target_id, line.note) == (ids[30], "LookupError: planted")
    assert audit_count("lesson.published") == 59


def test_a_row_that_vanishes_before_it_is_carried_out(session: Session, staff: Actor) -> None:
    ids = drafts(3)
    batch_id = begin(PUBLISH, ids, staff)
    with transaction(CLI):
        db.session.delete(db.session.get_one(Lesson, ids[1]))
    finish(batch_id)
    assert {line.target_id: line.status for line in batches.items(batch_id)} == {
        ids[0]: "done",
        ids[1]: "skipped",
        ids[2]: "done",
    }


def test_a_batch_asks_with_the_workers_token_within_the_budget(
    mux_sim: MuxSim, staff: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mux_budget, "PER_SECOND", 0.0)  # a slow machine would fill the bucket while this runs
    ids = mux_sim.lost([make_lesson() for _ in range(3)])
    batch_id = begin(RECHECK, ids, staff)
    finish(batch_id)
    asked = [call for call in mux_sim.calls() if call["method"] == "GET"]
    assert {call["token_id"] for call in asked} == {"worker-token"}
    assert len(asked) == 6
    assert mux_budget.left()[0] == mux_budget.CAPACITY - 6
    assert [status_of(one) for one in ids] == ["published"] * 3


def test_429_in_the_middle_pauses_and_the_rest_follows(mux_sim: MuxSim, staff: Actor) -> None:
    ids = mux_sim.lost([make_lesson() for _ in range(4)])
    batch_id = begin(RECHECK, ids, staff)
    mux_sim.control.fault("api", "rate_limited", match={"operation": "get_asset"}, skip=2, retry_after=30)
    ran = runner.run_some(batch_id, seconds=5)
    assert not ran.more
    shown = batches.progress(batch_id)
    assert (shown.done, shown.failed, shown.status) == (2, 0, "running")
    assert 25 < shown.paused_seconds <= 30
    before = len(mux_sim.calls())
    assert runner.run_some(batch_id, seconds=2).count == 0
    assert len(mux_sim.calls()) == before
    mux_sim.control.clear_faults()
    db.session.execute(update(MuxBudget).values(paused_until=None))
    let_leases_run_out()
    finish(batch_id)
    assert batches.progress(batch_id).done == 4


def test_what_mux_cannot_answer_is_tried_again_and_fails_in_the_end(mux_sim: MuxSim, staff: Actor) -> None:
    (lesson_id,) = mux_sim.lost([make_lesson() for _ in range(1)])
    batch_id = begin(RECHECK, [lesson_id], staff)
    mux_sim.control.fault("api", "status", status=500)
    for attempt in range(runner.MAX_ATTEMPTS):
        shown = batches.progress(batch_id)
        assert (shown.left, shown.failed) == (1, 0), attempt
        runner.run_some(batch_id, seconds=2)
        db.session.execute(update(MuxBudget).values(paused_until=None, tokens=mux_budget.CAPACITY))
        let_leases_run_out()
    shown = batches.progress(batch_id)
    assert (shown.status, shown.failed) == ("done", 1)
    (line,) = batches.items(batch_id)
    assert line.attempts == runner.MAX_ATTEMPTS
    assert line.note.startswith("Mux has an internal error")


@pytest.fixture
def impatient(app: Flask) -> Iterator[None]:
    """Connections that wait for a lock for a fifth of a second."""

    def limit(connection: Any, *_: object) -> None:
        connection.execute("SET LOCAL lock_timeout = '200ms'")  # of this transaction, so nothing is left

    with app.app_context():
        engine = db.engine
    event.listen(engine, "checkout", limit)
    yield
    event.remove(engine, "checkout", limit)


@pytest.mark.parametrize(
    ("priority", "held", "note"),
    [
        ("high", 0.8, "done"),
        ("high", 5.0, "Another process worked on it; it is tried again automatically."),
        ("low", 0.8, "Another process worked on it; it is tried again automatically."),
    ],
)
def test_a_row_that_another_process_has_is_tried_once_more_while_a_person_waits(
    app: Flask,
    mux_sim: MuxSim,
    staff: Actor,
    impatient: None,
    priority: mux.Priority,
    held: float,
    note: str,
) -> None:
    (lesson_id,) = mux_sim.lost([make_lesson()])
    batch_id = begin(RECHECK, [lesson_id], staff)
    db.session.remove()
    with db.engine.connect() as other:
        other.execute(select(Lesson.id).where(Lesson.id == lesson_id).with_for_update())
        release = threading.Timer(held, other.rollback)
        release.start()
        ran = runner.run_some(batch_id, seconds=10, priority=priority, keep_results=True)
        release.cancel()
        release.join()
        other.rollback()
    result = ran.results[lesson_id]
    assert note in (result.status, result.note)
    let_leases_run_out()
    finish(batch_id)
    assert status_of(lesson_id) == "published"


def test_without_budget_nothing_is_asked(mux_sim: MuxSim, staff: Actor) -> None:
    ids = mux_sim.lost([make_lesson() for _ in range(1)])
    batch_id = begin(RECHECK, ids, staff)
    assert mux_budget.take(18)
    before = len(mux_sim.calls())
    runner.run_some(batch_id, seconds=0.2)
    assert len(mux_sim.calls()) == before
    assert true_counts(batch_id) == {"open": 1}


def test_a_batch_of_a_removed_account_still_runs(session: Session, staff: Actor) -> None:
    batch_id = begin(PUBLISH, drafts(1), staff)
    db.session.execute(update(Batch).values(created_by=None))
    db.session.commit()
    finish(batch_id)
    row = db.session.scalars(select(AuditLog).where(AuditLog.action == "lesson.published")).one()
    assert (row.actor_type, row.actor_id) == ("job", None)
