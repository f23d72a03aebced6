"""Batches as rows: leases, counters under concurrency and crashes, stop and go on, undo, waking after everything is lost."""

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, func, select, text, update
from sqlalchemy.orm import Session

from lessonadmin import queue
from lessonadmin.db import CLI, Actor, db, transaction
from lessonadmin.domain import heartbeats, mux_budget
from lessonadmin.domain.batches import batches, leases, registry, runner, scheduling, undo
from lessonadmin.domain.batches.actions import publish_lessons
from lessonadmin.domain.errors import Conflict, Invalid
from lessonadmin.domain.lessons import lessons
from lessonadmin.domain.maintenance import sweep
from lessonadmin.domain.models import AuditLog, Batch, BatchItem, Heartbeat, Lesson, MuxBudget
from tests.factories import make_lesson, make_playing_lesson, make_user
from tests.mux_sim import MuxSim
from tests.settings import overridden

PUBLISH = registry.find("lesson", "publish")
UNPUBLISH = registry.find("lesson", "unpublish")
RECHECK = registry.find("lesson", "recheck")


@pytest.fixture
def staff(session: Session) -> Actor:
    return Actor.user(make_user(role="support").id, reason="ticket 1")


def drafts(count: int) -> list[uuid.UUID]:
    """Lessons whose video is ready, written by one statement."""
    creator = make_user()
    with transaction(CLI):
        return list(
            db.session.scalars(
                text(
                    "INSERT INTO lessons (creator_id, title, publish_on_ready, video_processing_status,"
                    " mux_asset_id, mux_playback_id)"
                    " SELECT :creator, 'Lesson ' || n, false, 'ready', 'asset' || n, 'play' || n"
                    " FROM generate_series(1, :count) n RETURNING id"
                ),
                {"creator": creator.id, "count": count},
            )
        )


def begin(action: registry.Action, source: Any, actor: Actor, **more: Any) -> uuid.UUID:
    with transaction(actor):
        return batches.create(action, source, **more).id


def finish(batch_id: uuid.UUID, seconds: float = 30) -> None:
    ran = runner.run_some(batch_id, seconds=seconds)
    assert not ran.more


def audit_count(action: str) -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(AuditLog).where(AuditLog.action == action)) or 0


def true_counts(batch_id: uuid.UUID) -> dict[str, int]:
    """What the rows say, whatever the counters claim."""
    db.session.rollback()
    return dict(
        db.session.execute(
            select(BatchItem.status, func.count())
            .where(BatchItem.batch_id == batch_id)
            .group_by(BatchItem.status)
        ).all()  # type: ignore[arg-type]
    )


def items_of(batch_id: uuid.UUID) -> list[uuid.UUID]:
    found = db.session.scalars(
        select(BatchItem.id).where(BatchItem.batch_id == batch_id).order_by(BatchItem.id)
    ).all()
    db.session.rollback()
    return list(found)


def in_threads(app: Flask, count: int, work: Callable[[int], Any]) -> list[Any]:
    """Run in that many threads at once, each with a context and a connection of its own."""
    results: list[Any] = [None] * count
    errors: list[BaseException] = []
    together = threading.Barrier(count)

    def run(number: int) -> None:
        try:
            with app.app_context():
                together.wait(10)
                results[number] = work(number)
                db.session.remove()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not errors, errors
    return results


# Beginning


def test_a_choice_of_many_rows_is_written_by_one_statement(session: Session, staff: Actor) -> None:
    drafts(3000)
    statements: list[str] = []

    def listen(_conn: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        statements.append(statement)

    event.listen(db.engine, "before_cursor_execute", listen)
    try:
        batch_id = begin(PUBLISH, select(Lesson.id).order_by(Lesson.title), staff)
    finally:
        event.remove(db.engine, "before_cursor_execute", listen)
    assert len([one for one in statements if "INSERT INTO batch_items" in one]) == 1
    assert len(statements) <= 6
    shown = batches.progress(batch_id)
    assert (shown.status, shown.total, shown.left, shown.percent) == ("open", 3000, 3000, 0)
    names = [line.name for line in batches.items(batch_id, limit=3)]
    assert names == sorted(session.scalars(select(Lesson.title)).all())[:3]


def test_ids_are_taken_once_and_in_their_order(session: Session, staff: Actor) -> None:
    ids = drafts(5)
    batch_id = begin(PUBLISH, [ids[3], ids[1], ids[3], ids[0]], staff)
    assert [line.target_id for line in batches.items(batch_id)] == [ids[3], ids[1], ids[0]]


def test_a_reason_is_kept_and_bounded(session: Session, staff: Actor) -> None:
    batch_id = begin(PUBLISH, drafts(1), staff, reason="  spring clean  ")
    assert batches.get(batch_id).reason == "spring clean"
    with pytest.raises(Invalid), transaction(staff):
        batches.create(PUBLISH, [], reason="x" * 501)


def test_a_batch_nudges_a_worker_once_its_rows_are_safe(
    session: Session, staff: Actor, redis_connection: Any
) -> None:
    batch_id = begin(PUBLISH, drafts(1), staff)
    (job,) = queue.queue("bulk").jobs
    assert (job.func_name, job.args[0]) == (batches.RUN_BATCH, str(batch_id))


# Running


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


class Killed(BaseException):
    """As if the process ended here: nothing catches it, nothing is tidied up."""


@contextmanager
def killed_at(monkeypatch: pytest.MonkeyPatch, row: int) -> Iterator[None]:
    """The worker dies in the middle of its work on the n-th row."""
    true, seen = publish_lessons.publish, [0]

    def publish(lesson_id: uuid.UUID) -> Any:
        seen[0] += 1
        if seen[0] == row:
            raise Killed
        return true(lesson_id)

    with monkeypatch.context() as patch:
        patch.setattr(publish_lessons, "publish", publish)
        with pytest.raises(Killed):
            yield


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


def test_a_row_that_vanishes_before_its_turn(session: Session, staff: Actor) -> None:
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


# Running time


def hours_pass(hours: int = 12) -> None:
    """As if nobody had looked at any batch for so long."""
    passed = timedelta(hours=hours)
    earlier = {"created_at": Batch.created_at - passed, "running_since": Batch.running_since - passed}
    db.session.execute(update(Batch).values(earlier))
    db.session.commit()


def run_for_ten_seconds(batch_id: uuid.UUID, rows: int) -> None:
    """Carry out so many rows of a batch, as if that had taken ten seconds."""
    turns = iter([True] * (rows // 50) + [False])
    assert runner.run_some(batch_id, seconds=30, alive=lambda: next(turns)).count == rows
    db.session.execute(update(Batch).values(running_seconds=10.0))
    db.session.commit()


def test_a_batch_that_was_stopped_overnight_goes_on_at_its_old_pace(session: Session, staff: Actor) -> None:
    batch_id = begin(PUBLISH, drafts(150), staff)
    run_for_ten_seconds(batch_id, 50)
    with transaction(staff):
        batches.stop(batch_id)
    hours_pass()
    assert batches.progress(batch_id).rows_per_second == 5.0
    with transaction(staff):
        batches.resume(batch_id)
    finish(batch_id)
    assert 10.0 < batches.get(batch_id).running_seconds < 40.0
    assert batches.get(batch_id).running_since is None


def test_the_hours_after_a_killed_worker_are_no_running_time(
    session: Session, staff: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch_id = begin(PUBLISH, drafts(150), staff)
    with killed_at(monkeypatch, 51):
        runner.run_some(batch_id, seconds=30)
    hours_pass()
    assert runner.run_item(items_of(batch_id)[-1]) is not None
    hours_pass()
    finish(batch_id)
    assert 0.0 < batches.get(batch_id).running_seconds < 2 * leases.LEASE_SECONDS


def test_rows_that_are_tried_again_a_day_later_do_not_slow_the_pace(
    session: Session, staff: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = drafts(100)
    batch_id = begin(PUBLISH, ids, staff)
    run_for_ten_seconds(batch_id, 100)
    db.session.execute(update(BatchItem).where(BatchItem.target_id.in_(ids[:50])).values(status="failed"))
    db.session.execute(update(Batch).values(done=50, failed=50))
    db.session.commit()
    hours_pass(24)
    with transaction(staff):
        batches.retry_failed(batch_id)
    assert batches.progress(batch_id).rows_per_second == 10.0
    finish(batch_id)
    db.session.execute(update(BatchItem).values(status="failed"))
    db.session.execute(update(Batch).values(done=0, skipped=0, failed=100))
    db.session.commit()
    with transaction(staff):
        batches.retry_failed(batch_id)
    assert batches.progress(batch_id).rows_per_second is None


# Leases


def claimed(batch_id: uuid.UUID) -> leases.Lease:
    lease = leases.claim(items_of(batch_id)[0])
    db.session.commit()
    assert lease is not None
    return lease


def let_leases_run_out() -> None:
    db.session.execute(update(BatchItem).values(due_at=func.clock_timestamp()))
    db.session.commit()


def turns_fall_silent() -> None:
    let_turns_age(seconds=600)


def let_turns_age(*, seconds: int) -> None:
    """Nothing was heard of them for so long."""
    then = func.clock_timestamp() - timedelta(seconds=seconds)
    db.session.execute(update(Heartbeat).where(Heartbeat.name.startswith("batch:")).values(at=then))
    db.session.commit()


def test_a_row_in_other_hands_is_left_alone_until_its_lease_runs_out(session: Session, staff: Actor) -> None:
    batch_id = begin(PUBLISH, drafts(1), staff)
    lease = claimed(batch_id)
    assert runner.run_item(lease.item_id) is None
    assert runner.run_some(batch_id, seconds=5).count == 0
    let_leases_run_out()
    assert runner.run_some(batch_id, seconds=5).count == 1


def test_a_zombie_changes_nothing(session: Session, staff: Actor) -> None:
    """A worker that was thought dead comes back after another one has taken and finished its row."""
    ids = drafts(1)
    batch_id = begin(PUBLISH, ids, staff)
    old = claimed(batch_id)
    let_leases_run_out()
    finish(batch_id)
    with transaction(staff):
        lessons.unpublish(db.session.get_one(Lesson, ids[0]))
    job = runner.load(batch_id)
    assert job is not None
    assert runner._carry_out(job, old, "low") is None
    assert db.session.get_one(Lesson, ids[0], populate_existing=True).status == "draft"
    shown = batches.progress(batch_id)
    assert (shown.done, shown.status) == (1, "done")
    assert audit_count("lesson.published") == 1


def test_a_zombie_cannot_put_a_row_back(session: Session, staff: Actor) -> None:
    batch_id = begin(PUBLISH, drafts(1), staff)
    old = claimed(batch_id)
    let_leases_run_out()
    finish(batch_id)
    with transaction(staff):
        assert not leases.put_back(old, "late", seconds=0)
    assert true_counts(batch_id) == {"done": 1}


# Turns and waking


def turns() -> list[str]:
    db.session.rollback()
    return list(db.session.scalars(select(Heartbeat.name).where(Heartbeat.name.startswith("batch:"))))


def test_a_batch_runs_in_slices_that_hand_over(session: Session, staff: Actor, redis_connection: Any) -> None:
    batch_id = begin(PUBLISH, drafts(120), staff)
    slices = 0
    while jobs := queue.queue("bulk").jobs:
        assert len(jobs) == 1
        jobs[0].delete()
        scheduling.run_slice(batch_id, uuid.UUID(jobs[0].args[1]), seconds=0.0001)
        slices += 1
        assert slices < 50
    assert slices >= 2
    assert batches.progress(batch_id).status == "done"
    assert turns() == []


def test_only_the_holder_of_the_turn_works(session: Session, staff: Actor) -> None:
    batch_id = begin(PUBLISH, drafts(1), staff)
    assert scheduling.run_slice(batch_id, uuid.uuid4()) == 0
    assert batches.progress(batch_id).done == 0


@pytest.fixture
def a_worker(session: Session, redis_connection: Any) -> None:
    """One was seen just now; it is the test that does its work."""
    heartbeats.record("worker:test:1")


def swept() -> int:
    """What a sweep did for bulk actions."""
    summary = sweep.sweep()
    assert summary.failed == {}
    return summary.figures["batches"]


def in_queue() -> list[Any]:
    return list(queue.queue("bulk").jobs)


@pytest.mark.usefixtures("a_worker")
def test_the_sweep_finds_a_batch_after_redis_was_emptied(staff: Actor, redis_connection: Any) -> None:
    batch_id = begin(PUBLISH, drafts(2), staff)
    redis_connection.flushdb()
    assert swept() == 0  # it may be on its way into the line
    let_turns_age(seconds=3)
    assert swept() == 1
    let_turns_age(seconds=3)
    assert swept() == 0
    (job,) = in_queue()
    scheduling.run_slice(batch_id, uuid.UUID(job.args[1]))
    assert batches.progress(batch_id).status == "done"
    turns_fall_silent()
    assert swept() == 0


@pytest.mark.usefixtures("a_worker")
def test_a_job_that_has_begun_is_waited_for_though_redis_has_lost_it(
    staff: Actor, redis_connection: Any
) -> None:
    batch_id = begin(PUBLISH, drafts(2), staff)
    (job,) = in_queue()
    assert leases.renew(batch_id, uuid.UUID(job.args[1]))
    redis_connection.flushdb()
    let_turns_age(seconds=20)
    assert swept() == 0
    let_turns_age(seconds=31)
    assert swept() == 1


@pytest.mark.usefixtures("a_worker")
def test_a_job_that_is_in_line_is_not_sent_again(staff: Actor) -> None:
    """However long the workers are busy with something else."""
    batch_id = begin(PUBLISH, drafts(1), staff)
    for _ in range(3):
        turns_fall_silent()
        assert swept() == 0
    (job,) = in_queue()
    scheduling.run_slice(batch_id, uuid.UUID(job.args[1]))
    assert batches.progress(batch_id).status == "done"


@pytest.mark.usefixtures("a_worker")
def test_the_sweep_frees_the_row_of_a_dead_worker(staff: Actor, redis_connection: Any) -> None:
    batch_id = begin(PUBLISH, drafts(1), staff)
    redis_connection.flushdb()
    old = claimed(batch_id)
    let_leases_run_out()
    turns_fall_silent()
    assert swept() == 1
    assert runner.run_item(old.item_id) is not None


@pytest.mark.usefixtures("a_worker")
def test_a_row_whose_single_job_is_lost_is_found_by_the_sweep(staff: Actor, redis_connection: Any) -> None:
    batch_id = begin(PUBLISH, drafts(2), staff, enqueue_job=False)
    finish(batch_id)
    first, _ = items_of(batch_id)
    db.session.execute(update(BatchItem).where(BatchItem.id == first).values(status="failed"))
    db.session.execute(update(Batch).values(done=1, failed=1))
    db.session.commit()
    with transaction(staff):
        batches.retry_item(first)
    redis_connection.flushdb()
    assert swept() == 1
    (job,) = in_queue()
    scheduling.run_slice(batch_id, uuid.UUID(job.args[1]))
    assert true_counts(batch_id) == {"done": 1, "skipped": 1}
    assert batches.progress(batch_id).status == "done"


@pytest.mark.usefixtures("a_worker")
def test_a_batch_that_asks_mux_is_sent_off_when_the_pause_is_over(mux_sim: MuxSim, staff: Actor) -> None:
    batch_id = begin(RECHECK, mux_sim.lost([make_lesson()]), staff, enqueue_job=False)
    other = begin(PUBLISH, drafts(1), staff, enqueue_job=False)
    mux_budget.take()
    db.session.execute(update(MuxBudget).values(paused_until=func.now() + text("interval '1 hour'")))
    db.session.commit()
    assert swept() == 1
    assert [job.args[0] for job in in_queue()] == [str(other)]
    db.session.execute(update(MuxBudget).values(paused_until=None))
    db.session.commit()
    assert swept() == 1
    assert [job.args[0] for job in in_queue()] == [str(other), str(batch_id)]


@pytest.mark.parametrize("away", ["Redis", "all workers"])
def test_with_nobody_to_send_it_to_the_sweep_carries_a_batch_out_itself(
    staff: Actor, redis_connection: Any, away: str
) -> None:
    if away == "Redis":
        heartbeats.record("worker:test:1")
    with overridden(**{"redis_url": "redis://127.0.0.1:1/0"} if away == "Redis" else {}):
        batch_id = begin(PUBLISH, drafts(60), staff)
        turns_fall_silent()
        assert swept() == 1
    assert batches.progress(batch_id).status == "done"
    assert audit_count("lesson.published") == 60
    assert turns() == []


def test_what_the_sweep_does_itself_is_bounded(
    session: Session, staff: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep, "BATCH_SECONDS", 0.0)
    both = [begin(PUBLISH, drafts(60), staff, enqueue_job=False) for _ in range(2)]
    assert swept() == 0
    assert [batches.progress(one).done for one in both] == [0, 0]
    monkeypatch.setattr(sweep, "BATCH_SECONDS", 30.0)
    assert swept() == 2
    assert [batches.progress(one).done for one in both] == [60, 60]


@pytest.mark.usefixtures("a_worker")
def test_two_sweeps_send_one_chain(app: Flask, staff: Actor) -> None:
    """Also when both have found the batch before one of them has sent it off."""
    batch_id = begin(PUBLISH, drafts(1), staff, enqueue_job=False)
    until = time.monotonic() + 10
    assert in_threads(app, 4, lambda _: scheduling.continue_batch(batch_id, until=until)).count(True) == 1
    assert len(in_queue()) == 1
    assert [one.figures.get("batches", 0) for one in in_threads(app, 4, lambda _: sweep.sweep())] == [0] * 4
    assert len(in_queue()) == 1


def test_a_stopped_batch_is_not_woken(session: Session, staff: Actor) -> None:
    batch_id = begin(PUBLISH, drafts(1), staff)
    with transaction(staff):
        batches.stop(batch_id)
    turns_fall_silent()
    assert swept() == 0
    assert true_counts(batch_id) == {"open": 1}


def test_failed_rows_of_a_stopped_batch_wait_until_it_goes_on(session: Session, staff: Actor) -> None:
    """Else the sweep would begin rows that were to be stopped."""
    batch_id = begin(PUBLISH, drafts(2), staff, enqueue_job=False)
    first, _ = items_of(batch_id)
    db.session.execute(update(BatchItem).where(BatchItem.id == first).values(status="failed"))
    db.session.execute(update(Batch).values(failed=1, status="running"))
    db.session.commit()
    with transaction(staff):
        batches.stop(batch_id)
    for again in (lambda: batches.retry_item(first), lambda: batches.retry_failed(batch_id)):
        with pytest.raises(Conflict), transaction(staff):
            again()
    assert swept() == 0
    assert true_counts(batch_id) == {"failed": 1, "open": 1}


# Why a spell of work ends


def test_a_spell_that_ends_while_it_waits_for_the_budget_is_followed_by_another(
    mux_sim: MuxSim, staff: Actor, redis_connection: Any
) -> None:
    batch_id = begin(RECHECK, mux_sim.lost([make_lesson()]), staff)
    (job,) = in_queue()
    job.delete()
    assert mux_budget.take(18)
    scheduling.run_slice(batch_id, uuid.UUID(job.args[1]), seconds=0.3)
    (following,) = in_queue()
    assert following.args[0] == str(batch_id)
    assert following.args[1] != job.args[1], "one job, one turn"


def test_a_spell_that_ends_because_of_a_pause_ends_the_turn(
    mux_sim: MuxSim, staff: Actor, redis_connection: Any
) -> None:
    batch_id = begin(RECHECK, mux_sim.lost([make_lesson()]), staff)
    (job,) = in_queue()
    job.delete()
    mux_budget.take()
    db.session.execute(update(MuxBudget).values(paused_until=func.now() + text("interval '1 hour'")))
    db.session.commit()
    began = time.monotonic()
    scheduling.run_slice(batch_id, uuid.UUID(job.args[1]))
    assert time.monotonic() - began < scheduling.SLICE_SECONDS
    assert (in_queue(), turns()) == ([], [])


def test_rows_that_another_transaction_holds_are_not_run_after(
    app: Flask, session: Session, staff: Actor, redis_connection: Any
) -> None:
    """A worker that hangs in its chunk would make the others send themselves after it, again and again."""
    batch_id = begin(PUBLISH, drafts(1), staff)
    (job,) = in_queue()
    job.delete()
    db.session.execute(select(BatchItem).with_for_update())
    in_threads(app, 1, lambda _: scheduling.run_slice(batch_id, uuid.UUID(job.args[1])))
    db.session.rollback()
    assert (in_queue(), turns()) == ([], [])
    assert swept() == 1


# Changing course


def test_stop_and_go_on(session: Session, staff: Actor) -> None:
    batch_id = begin(PUBLISH, drafts(100), staff)
    alive = iter([True, False])
    assert runner.run_some(batch_id, seconds=30, alive=lambda: next(alive)).count == 50
    with transaction(staff):
        batches.stop(batch_id)
    assert runner.run_some(batch_id, seconds=30).count == 0
    assert runner.run_item(items_of(batch_id)[-1]) is None
    assert batches.progress(batch_id).status == "stopped"
    with pytest.raises(Conflict), transaction(staff):
        batches.stop(batch_id)
    with transaction(staff):
        batches.resume(batch_id)
    finish(batch_id)
    assert (batches.progress(batch_id).done, batches.progress(batch_id).status) == (100, "done")
    assert [audit_count(f"batch.{what}") for what in ("created", "stopped", "resumed")] == [1, 1, 1]


def test_the_failed_ones_are_tried_again(
    session: Session, staff: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = drafts(4)
    true, broken = publish_lessons.publish, set(ids[:2])

    def publish(lesson_id: uuid.UUID) -> Any:
        if lesson_id in broken:
            raise LookupError("planted")
        return true(lesson_id)

    monkeypatch.setattr(publish_lessons, "publish", publish)
    batch_id = begin(PUBLISH, ids, staff)
    finish(batch_id)
    assert batches.progress(batch_id).failed == 2
    broken.clear()
    with transaction(staff):
        assert batches.retry_failed(batch_id) == 2
    shown = batches.progress(batch_id)
    assert (shown.status, shown.failed, shown.finished_at) == ("running", 0, None)
    finish(batch_id)
    shown = batches.progress(batch_id)
    assert (shown.status, shown.done, shown.failed) == ("done", 4, 0)
    with pytest.raises(Conflict), transaction(staff):
        batches.retry_failed(batch_id)


def test_one_failed_row_is_tried_again_by_itself(
    session: Session, staff: Actor, monkeypatch: pytest.MonkeyPatch, redis_connection: Any
) -> None:
    def publish(_lesson_id: uuid.UUID) -> Any:
        raise LookupError("planted")

    batch_id = begin(PUBLISH, drafts(2), staff, enqueue_job=False)
    with monkeypatch.context() as patch:
        patch.setattr(publish_lessons, "publish", publish)
        finish(batch_id)
    first, second = items_of(batch_id)
    with transaction(staff):
        batches.retry_item(first)
    (job,) = queue.queue("bulk").jobs
    assert (job.func_name, list(job.args)) == ("lessonadmin.jobs.batches.run_batch_item", [str(first)])
    runner.run_item(first)
    shown = batches.progress(batch_id)
    assert (shown.done, shown.failed, shown.status) == (1, 1, "done")
    with pytest.raises(Conflict), transaction(staff):
        batches.retry_item(first)
    assert true_counts(batch_id) == {"done": 1, "failed": 1}
    assert second != first


def status_of(lesson_id: uuid.UUID) -> str:
    return db.session.get_one(Lesson, lesson_id, populate_existing=True).status


def test_undo_takes_back_only_what_the_batch_did_and_nobody_touched(session: Session, staff: Actor) -> None:
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


def test_undoing_a_promise_also_takes_back_its_fulfilment(mux_sim: MuxSim, staff: Actor) -> None:
    lesson = make_lesson(publish_on_ready=False)
    mux_sim.upload(lesson)
    batch_id = begin(PUBLISH, [lesson.id], staff)
    finish(batch_id)
    mux_sim.control.complete_upload(mux_sim.rows(lesson)[0].upload_id or "")
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


# At once


def test_up_to_twenty_run_at_once_and_stand_in_the_history(session: Session, staff: Actor) -> None:
    ids = drafts(20)
    report = scheduling.run_now(PUBLISH, ids, actor=staff)
    assert report.finished
    assert report.count("done") == 20
    assert {line.note for line in report.items} == {"Published."}
    shown = batches.get(report.batch_id)
    assert (shown.status, shown.created_by, shown.reason) == ("done", staff.id, "ticket 1")
    assert turns() == []
    with pytest.raises(Invalid):
        scheduling.run_now(PUBLISH, [*ids, uuid.uuid4()], actor=staff)


def test_what_is_not_finished_in_time_goes_on_in_the_worker(
    mux_sim: MuxSim, staff: Actor, redis_connection: Any
) -> None:
    owners = [make_lesson() for _ in range(3)]
    for owner in owners:
        mux_sim.uploaded(owner)
    mux_sim.forget()
    mux_sim.control.fault("api", "slow", match={"operation": "get_upload"}, seconds=0.4)
    report = scheduling.run_now(RECHECK, [one.id for one in owners], actor=staff, seconds=0.3)
    assert not report.finished
    assert report.count("done") == 1
    assert len(queue.queue("bulk").jobs) == 1
    finish(report.batch_id)
    assert batches.progress(report.batch_id).done == 3


# Mux in between


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
    assert line.note.startswith("server_error")


def test_without_budget_nothing_is_asked(mux_sim: MuxSim, staff: Actor) -> None:
    ids = mux_sim.lost([make_lesson() for _ in range(1)])
    batch_id = begin(RECHECK, ids, staff)
    assert mux_budget.take(18)
    before = len(mux_sim.calls())
    runner.run_some(batch_id, seconds=0.2)
    assert len(mux_sim.calls()) == before
    assert true_counts(batch_id) == {"open": 1}


def test_a_turn_is_taken_over_only_when_it_fell_silent(session: Session) -> None:
    batch_id = uuid.uuid4()
    with transaction(CLI):
        first = leases.lease_batch(batch_id)
        assert first is not None
        assert leases.lease_batch(batch_id) is None
    turns_fall_silent()
    with transaction(CLI):
        second = leases.lease_batch(batch_id)
    assert second is not None
    assert not leases.renew(batch_id, first)
    assert leases.renew(batch_id, second)
    leases.release(batch_id, first)
    assert leases.renew(batch_id, second)


def test_a_batch_of_a_removed_account_still_runs(session: Session, staff: Actor) -> None:
    batch_id = begin(PUBLISH, drafts(1), staff)
    db.session.execute(update(Batch).values(created_by=None))
    db.session.commit()
    finish(batch_id)
    row = db.session.scalars(select(AuditLog).where(AuditLog.action == "lesson.published")).one()
    assert (row.actor_type, row.actor_id) == ("job", None)
