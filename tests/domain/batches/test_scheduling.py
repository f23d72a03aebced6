"""Jobs, the sweep and a waiting page carry out what is due, one chain of jobs a batch, also without Redis or workers."""

import time
import uuid
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from lessonadmin import queue
from lessonadmin.db import Actor, db, transaction
from lessonadmin.domain import heartbeats, mux_budget
from lessonadmin.domain.batches import batches, leases, runner, scheduling
from lessonadmin.domain.errors import Conflict, Invalid
from lessonadmin.domain.maintenance import sweep
from lessonadmin.domain.models import Batch, BatchItem, MuxBudget
from tests.domain.batches.support import (
    PUBLISH,
    RECHECK,
    age_batch_leases,
    audit_count,
    batch_leases,
    batch_leases_expire,
    begin,
    claimed,
    drafts,
    finish,
    in_queue,
    in_threads,
    items_of,
    let_leases_run_out,
    swept,
    true_counts,
)
from tests.factories import make_lesson
from tests.mux_sim import MuxSim
from tests.settings import overridden


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
    assert batch_leases() == []


def test_only_the_holder_of_the_lease_works(session: Session, staff: Actor) -> None:
    batch_id = begin(PUBLISH, drafts(1), staff)
    assert scheduling.run_slice(batch_id, uuid.uuid4()) == 0
    assert batches.progress(batch_id).done == 0


@pytest.mark.usefixtures("a_worker")
def test_the_sweep_finds_a_batch_after_redis_was_emptied(staff: Actor, redis_connection: Any) -> None:
    batch_id = begin(PUBLISH, drafts(2), staff)
    redis_connection.flushdb()
    assert swept() == 0  # it may be on its way into the line
    age_batch_leases(seconds=3)
    assert swept() == 1
    age_batch_leases(seconds=3)
    assert swept() == 0
    (job,) = in_queue()
    scheduling.run_slice(batch_id, uuid.UUID(job.args[1]))
    assert batches.progress(batch_id).status == "done"
    batch_leases_expire()
    assert swept() == 0


@pytest.mark.usefixtures("a_worker")
def test_a_job_that_has_begun_is_waited_for_though_redis_has_lost_it(
    staff: Actor, redis_connection: Any
) -> None:
    batch_id = begin(PUBLISH, drafts(2), staff)
    (job,) = in_queue()
    assert leases.renew(batch_id, uuid.UUID(job.args[1]))
    redis_connection.flushdb()
    age_batch_leases(seconds=20)
    assert swept() == 0
    age_batch_leases(seconds=31)
    assert swept() == 1


@pytest.mark.usefixtures("a_worker")
def test_a_job_that_is_in_line_is_not_sent_again(staff: Actor) -> None:
    """However long the workers are busy with something else."""
    batch_id = begin(PUBLISH, drafts(1), staff)
    for _ in range(3):
        batch_leases_expire()
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
    batch_leases_expire()
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
def test_without_a_worker_the_sweep_carries_a_batch_out_itself(
    staff: Actor, redis_connection: Any, away: str
) -> None:
    if away == "Redis":
        heartbeats.record("worker:test:1")
    with overridden(**{"redis_url": "redis://127.0.0.1:1/0"} if away == "Redis" else {}):
        batch_id = begin(PUBLISH, drafts(60), staff)
        batch_leases_expire()
        assert swept() == 1
    assert batches.progress(batch_id).status == "done"
    assert audit_count("lesson.published") == 60
    assert batch_leases() == []


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


def test_a_stopped_batch_is_not_continued(session: Session, staff: Actor) -> None:
    batch_id = begin(PUBLISH, drafts(1), staff)
    with transaction(staff):
        batches.stop(batch_id)
    batch_leases_expire()
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


def test_a_run_that_ends_while_it_waits_for_the_budget_is_followed_by_another(
    mux_sim: MuxSim, staff: Actor, redis_connection: Any
) -> None:
    batch_id = begin(RECHECK, mux_sim.lost([make_lesson()]), staff)
    (job,) = in_queue()
    job.delete()
    assert mux_budget.take(18)
    scheduling.run_slice(batch_id, uuid.UUID(job.args[1]), seconds=0.3)
    (following,) = in_queue()
    assert following.args[0] == str(batch_id)
    assert following.args[1] != job.args[1], "one job, one lease"


def test_a_run_that_ends_because_of_a_pause_releases_the_lease(
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
    assert (in_queue(), batch_leases()) == ([], [])


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
    assert (in_queue(), batch_leases()) == ([], [])
    assert swept() == 1


def test_up_to_twenty_run_at_once_and_stand_in_the_history(session: Session, staff: Actor) -> None:
    ids = drafts(20)
    report = scheduling.run_now(PUBLISH, ids, actor=staff)
    assert report.finished
    assert report.count("done") == 20
    assert {line.note for line in report.items} == {"Published."}
    shown = batches.get(report.batch_id)
    assert (shown.status, shown.created_by, shown.reason) == ("done", staff.id, "ticket 1")
    assert batch_leases() == []
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
