"""Carrying out a batch: row by row under leases, or in small locked chunks where nothing but our database is needed.

A chunk is one transaction of up to `Action.together` rows: one commit, one audit statement and one move of the counters
for all of them, which is what makes fifty thousand rows a matter of minutes. The rows' own locks are their lease: a
killed worker's rows are free at once and nothing of them happened. If one row of a chunk fails, the chunk is rolled
back and its rows are carried out one by one, so no row suffers for another. Rows that ask Mux are always carried out
singly, within the shared budget, with no transaction open while Mux is asked; pages that show many of them at once are
read before, so that a thousand rows do not cost a thousand calls.

A spell of work ends because nothing is left that is due, because its time is up (then the next job goes on at once), or
because Mux wants to be left alone (then the sweep sends the batch off again when the pause is over).
"""

import logging
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

from lessonadmin import mux, traces
from lessonadmin.database_errors import is_conflict, is_outage
from lessonadmin.db import Actor, db, transaction
from lessonadmin.domain import backoff, mux_budget
from lessonadmin.domain.batches import batch_items, control, prefetch, registry, row_results
from lessonadmin.domain.batches.batch_items import Lease
from lessonadmin.domain.batches.registry import Action
from lessonadmin.domain.batches.row_results import Result
from lessonadmin.domain.models import Batch
from lessonadmin.domain.polling.ask_mux import Answers
from lessonadmin.texts import plain

log = logging.getLogger(__name__)

# Half an hour in all, and when Mux is back every row is asked about within a minute.
MAX_ATTEMPTS = 32
MAX_BACKOFF_SECONDS = 60.0
FETCH_SIZE = 1000
WAIT_IN_STEPS = 5.0
GIVE_UP_AFTER = 3
Ending = Literal["nothing left", "time is up", "paused"]


class _NotOurs(Exception):
    """The lease ran out and somebody else has the row: what was done to it in this transaction is taken back."""


@dataclass(frozen=True)
class Job:
    """What is to be done to the rows of one batch, and in whose name."""

    id: uuid.UUID
    action: Action
    actor: Actor
    options: Mapping[str, object]
    undoes: uuid.UUID | None

    @classmethod
    def of(cls, batch: Batch) -> "Job":
        by, reason = batch.created_by, batch.reason or None
        actor = Actor("user" if by else "job", by, reason, batch.id)
        action = registry.find(batch.target_type, batch.action)
        return cls(batch.id, action, actor, dict(batch.options or {}), batch.undoes_id)


@dataclass
class Ran:
    """What one spell of work did."""

    results: dict[uuid.UUID, Result] = field(default_factory=dict)
    rows: int = 0
    more: bool = False


def load(batch_id: uuid.UUID) -> Job | None:
    """The job of a batch; None if the batch is gone."""
    batch = db.session.get(Batch, batch_id, populate_existing=True)
    job = Job.of(batch) if batch is not None else None
    db.session.rollback()
    return job


def run_item(item_id: uuid.UUID, *, answers: Answers | None = None) -> Result | None:
    """Carry out one row; None if it is not ours to do (done, waiting, in other hands)."""
    lease = batch_items.claim(item_id)
    db.session.commit()
    job = load(lease.batch_id) if lease is not None else None
    return (
        _carry_out(job, lease, answers or Answers("low")) if job is not None and lease is not None else None
    )


def run_some(
    batch_id: uuid.UUID,
    *,
    seconds: float,
    priority: mux.Priority = "low",
    alive: Callable[[], bool] = lambda: True,
    keep_results: bool = False,
) -> Ran:
    """Work on a batch for a while. `alive` is asked between rows and may end the spell."""
    ran = Ran()
    job = load(batch_id)
    if job is None:
        return ran
    batch_items.free_expired(batch_id)
    db.session.commit()
    work = _run_chunks if job.action.inside is not None else _run_singly
    with _timed(batch_id):
        until = time.monotonic() + seconds
        ending = work(job, ran, until, priority, alive, keep_results)
    # Rows that another transaction holds are due and cannot be had: a spell that did nothing is not followed at once.
    goes_on = ending == "time is up" or (ending == "nothing left" and ran.rows > 0)
    ran.more = goes_on and batch_items.has_due(batch_id)
    return ran


@contextmanager
def _timed(batch_id: uuid.UUID) -> Iterator[None]:
    """Count how long the batch is really worked on; a killed worker counts up to its last row."""
    batch_items.running_begins(batch_id)
    db.session.commit()
    yield
    batch_items.running_ends(batch_id)
    db.session.commit()


def _run_chunks(
    job: Job, ran: Ran, until: float, priority: mux.Priority, alive: Callable[[], bool], keep: bool
) -> Ending:
    last: uuid.UUID | None = None
    while time.monotonic() < until and alive():
        try:
            results, last = _chunk(job, last)
        except Exception as error:
            if is_outage(error):
                raise
            log.warning("a chunk of batch %s failed, its rows are tried singly: %s", job.id, error)
            results, last = _chunk_singly(job, last, priority)
        if last is None:
            return "nothing left"
        ran.rows += len(results)
        if keep:
            ran.results |= results
    return "time is up"


def _chunk(job: Job, after: uuid.UUID | None) -> tuple[dict[uuid.UUID, Result], uuid.UUID | None]:
    """One transaction of rows; the last key, or None when there was nothing."""
    with transaction(job.actor):
        items = batch_items.next_open(job.id, after, job.action.together, lock=True)
        if not items:
            return {}, None
        untouched = _untouched(job, items)
        by_item: dict[uuid.UUID, Result] = {}
        # Sorted, so that two batches over the same lessons never wait for each other in a circle.
        for item in sorted(items, key=lambda one: one.target_id):
            by_item[item.id] = _inside(job, item.target_id, untouched)
        db.session.flush()
        batch_items.finish_locked(job.id, by_item)
        return {item.target_id: by_item[item.id] for item in items}, items[-1].id


def _untouched(job: Job, items: list[batch_items.Open]) -> set[uuid.UUID] | None:
    if job.undoes is None:
        return None
    return control.untouched(job.undoes, [item.target_id for item in items], but=job.id)


def _inside(job: Job, target_id: uuid.UUID, untouched: set[uuid.UUID] | None) -> Result:
    if untouched is not None and target_id not in untouched:
        return row_results.of("changed_since")
    if job.action.inside is None:
        raise TypeError("this action opens its own transactions")
    return job.action.inside(target_id, job.options)


def _chunk_singly(
    job: Job, after: uuid.UUID | None, priority: mux.Priority
) -> tuple[dict[uuid.UUID, Result], uuid.UUID | None]:
    items = batch_items.next_open(job.id, after, job.action.together, lock=False)
    db.session.rollback()
    results = {}
    for item in items:
        result = run_item(item.id, answers=Answers(priority))
        if result is not None:
            results[item.target_id] = result
    return results, items[-1].id if items else None


def _run_singly(
    job: Job, ran: Ran, until: float, priority: mux.Priority, alive: Callable[[], bool], keep: bool
) -> Ending:
    last: uuid.UUID | None = None
    unanswered = 0
    while items := batch_items.next_open(job.id, last, FETCH_SIZE, lock=False):
        db.session.rollback()
        answers, items = _prepared(job, items, priority)
        for number, item in enumerate(items):
            if time.monotonic() > until or not alive():
                return "time is up"
            if number and not answers.fresh:
                break
            if priority == "low" and (ending := _wait_for_budget(job, item, answers, until, alive)):
                return ending
            result = run_item(item.id, answers=answers)
            if result is None:
                continue
            ran.rows += 1
            if keep:
                ran.results[item.target_id] = result
            unanswered = unanswered + 1 if result.status == "later" else 0
            if priority == "low" and unanswered >= GIVE_UP_AFTER:
                return "paused"
        else:
            last = max(item.id for item in items)
    db.session.rollback()
    return "nothing left"


def _prepared(
    job: Job, items: list[batch_items.Open], priority: mux.Priority
) -> tuple[Answers, list[batch_items.Open]]:
    """What pages answer comes first: it does not have to wait for the budget."""
    if priority == "high" or not job.action.asks_mux:
        return Answers(priority), items
    answers, answered = prefetch.about(job.action.target, [item.target_id for item in items])
    return answers, sorted(items, key=lambda item: item.target_id not in answered)


def _wait_for_budget(
    job: Job, item: batch_items.Open, answers: Answers, until: float, alive: Callable[[], bool]
) -> Ending | None:
    """Wait for as many calls as this row may cost. None when they are granted, else why the spell ends here."""
    wanted = job.action.calls(item.target_id, answers) if job.action.calls is not None else 0
    while wanted:
        paused = mux_budget.left()[1] > WAIT_IN_STEPS
        db.session.rollback()
        if paused:
            return "paused"
        step = min(WAIT_IN_STEPS, max(0.0, until - time.monotonic()))
        if mux_budget.wait(wanted, longest=step):
            return None
        if time.monotonic() >= until or not alive():
            return "time is up"
    return None


def _carry_out(job: Job, lease: Lease, answers: Answers) -> Result | None:
    try:
        result = _do(job, lease, answers)
    except _NotOurs:
        return None
    except mux.MuxError as error:
        return _mux_failed(job, lease, error, answers.priority)
    except Exception as error:
        if is_outage(error):
            raise
        return _broke(job, lease, error)
    if answers.priority == "low" and job.action.asks_mux:
        mux_budget.went_well()
    return result


def _do(job: Job, lease: Lease, answers: Answers) -> Result:
    if job.action.outside is not None:
        result = job.action.outside(lease.target_id, job.actor, answers)
        with transaction(job.actor):
            if not batch_items.finish(lease, result):
                raise _NotOurs
        return result
    with transaction(job.actor):
        guard = None if job.undoes is None else control.untouched(job.undoes, [lease.target_id], but=job.id)
        result = _inside(job, lease.target_id, guard)
        db.session.flush()
        if not batch_items.finish(lease, result):
            raise _NotOurs
    return result


def _mux_failed(job: Job, lease: Lease, error: mux.MuxError, priority: mux.Priority) -> Result | None:
    """What may pass by itself is tried again with growing pauses; a refusal of this one row is its end."""
    if priority == "low":
        mux_budget.went_wrong(error)
    passes = error.kind == "later" or error.category == "auth_error"
    if passes and lease.attempts < MAX_ATTEMPTS:
        pause = backoff.pause(lease.attempts, first=15, longest=MAX_BACKOFF_SECONDS, wished=error.retry_after)
        with transaction(job.actor):
            put = batch_items.put_back(lease, f"{error.category}: {error.message}", seconds=pause)
        return row_results.later(f"{error.message} It is tried again by itself.") if put else None
    return _end(job, lease, row_results.failed(f"{error.category}: {error.message}"))


def _broke(job: Job, lease: Lease, error: Exception) -> Result | None:
    if is_conflict(error) and lease.attempts < MAX_ATTEMPTS:
        with transaction(job.actor):
            put = batch_items.put_back(lease, "somebody else worked on the same row", seconds=1)
        return row_results.later("Somebody else worked on it; it is tried again by itself.") if put else None
    log.exception("row %s of batch %s failed", lease.item_id, lease.batch_id)
    return _end(job, lease, row_results.failed(plain(traces.with_words(error))))


def _end(job: Job, lease: Lease, result: Result) -> Result | None:
    with transaction(job.actor):
        return result if batch_items.finish(lease, result) else None
