"""Carry out a batch: item by item under leases, or in small locked chunks where only the database is needed.

A chunk is one transaction of up to `Action.together` items: one commit, one audit statement and one move of the counters
for all of them, their lessons locked by one query and written by one UPDATE, so fifty thousand items take a minute or
two. The row locks are their lease: a killed worker's items are free at
once and nothing happened to them. If one item of a chunk fails, the chunk is rolled back and its items are carried out one
by one, so no item fails because of another. Items that ask Mux are always carried out singly, within the shared budget;
no transaction is ever open while Mux is asked. Pages that answer many of them are read first, so that a thousand items
do not cost a thousand calls.

A run ends because nothing is left that is due, because its time is up (then the next job goes on at once), or because Mux
asks for a pause (then the sweep enqueues the batch again when the pause is over).
"""

import logging
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

from lessonadmin import mux
from lessonadmin.database import bulk_write
from lessonadmin.database.database_errors import in_short, is_conflict, is_outage
from lessonadmin.db import Actor, db, transaction
from lessonadmin.domain import backoff, mux_budget
from lessonadmin.domain.batches import leases, own_lessons, prefetch, registry, results, undo
from lessonadmin.domain.batches.before import BEFORE
from lessonadmin.domain.batches.leases import Lease, OpenItem
from lessonadmin.domain.batches.registry import Action
from lessonadmin.domain.batches.results import Result
from lessonadmin.domain.batches.undo import Judged
from lessonadmin.domain.models import Batch, owners
from lessonadmin.domain.polling.ask_mux import Answers
from lessonadmin.domain.videos import locking
from lessonadmin.observability import traces
from lessonadmin.text.texts import plain

log = logging.getLogger(__name__)

# Half an hour in all; when Mux is back every item is asked about within a minute.
MAX_ATTEMPTS = 32
MAX_BACKOFF_SECONDS = 60.0
FETCH_SIZE = 1000
WAIT_STEP_SECONDS = 5.0
CONFLICT_SECONDS = 1.0
MAX_UNANSWERED = 3
Ending = Literal["nothing left", "time is up", "paused"]


class _LeaseLost(Exception):
    """The lease ran out and another worker has the item: what this transaction did to it is rolled back."""


@dataclass(frozen=True)
class Job:
    """What to do to the items of one batch, and as which actor. `owner`: the instructor to whose lessons it is bound."""

    id: uuid.UUID
    action: Action
    actor: Actor
    options: Mapping[str, object]
    undoes: uuid.UUID | None
    owner: uuid.UUID | None = None

    @classmethod
    def of(cls, batch: Batch) -> "Job":
        by, reason = batch.created_by, batch.reason or None
        actor = Actor("user" if by else "job", by, reason, batch.id)
        action = registry.find(batch.target_type, batch.action)
        options = dict(batch.options or {})
        return cls(batch.id, action, actor, options, batch.undoes_id, own_lessons.owner_of(options))


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How long one run may go on, with which Mux token, and whether the caller wants every result."""

    until: float  # of the monotonic clock
    priority: mux.Priority
    alive: Callable[[], bool]
    keep_results: bool

    def reached(self) -> bool:
        return time.monotonic() >= self.until or not self.alive()


@dataclass
class Run:
    """What one run did. `more`: due items are left and the next run may start at once."""

    results: dict[uuid.UUID, Result] = field(default_factory=dict)
    count: int = 0
    more: bool = False


def load(batch_id: uuid.UUID) -> Job | None:
    """The job of a batch; None if the batch is gone."""
    batch = db.session.get(Batch, batch_id, populate_existing=True)
    job = Job.of(batch) if batch is not None else None
    db.session.rollback()
    return job


def run_item(item_id: uuid.UUID, *, answers: Answers | None = None) -> Result | None:
    """Carry out one item; None if it is done, not due yet, or another worker has it."""
    lease = leases.claim(item_id)
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
) -> Run:
    """Work on a batch for a while. `alive` is asked between items and may end the run."""
    ran = Run()
    job = load(batch_id)
    if job is None:
        return ran
    leases.free_expired(batch_id)
    db.session.commit()
    work = _run_chunks if job.action.inside is not None else _run_singly
    with _timed(batch_id):
        until = time.monotonic() + seconds
        limits = Limits(until=until, priority=priority, alive=alive, keep_results=keep_results)
        ending = work(job, limits, ran)
    # Items locked by another transaction are due but cannot be taken: a run that did nothing is not repeated at once.
    goes_on = ending == "time is up" or (ending == "nothing left" and ran.count > 0)
    ran.more = goes_on and leases.has_due(batch_id)
    return ran


@contextmanager
def _timed(batch_id: uuid.UUID) -> Iterator[None]:
    """Count how long the batch is really worked on; a killed worker counts up to its last row."""
    leases.start_timing(batch_id)
    db.session.commit()
    yield
    leases.stop_timing(batch_id)
    db.session.commit()


def _run_chunks(job: Job, limits: Limits, ran: Run) -> Ending:
    last: uuid.UUID | None = None
    while not limits.reached():
        try:
            done, last = _chunk(job, last)
        except Exception as error:  # one bad row must not fail the rows beside it: they are tried singly
            if is_outage(error):
                raise
            log.warning("a chunk of batch %s failed, its rows are tried singly: %s", job.id, error)
            done, last = _chunk_singly(job, last, limits.priority)
        if last is None:
            return "nothing left"
        ran.count += len(done)
        if limits.keep_results:
            ran.results |= done
    return "time is up"


def _chunk(job: Job, after: uuid.UUID | None) -> tuple[dict[uuid.UUID, Result], uuid.UUID | None]:
    """One transaction of items; the last key, or None when there was nothing."""
    with own_lessons.rows_of(job.owner), transaction(job.actor):
        items = leases.next_open(job.id, after, job.action.together, lock=True)
        if not items:
            return {}, None
        by_target = _all_inside(job, [item.target_id for item in items])
        by_item = {item.id: by_target[item.target_id] for item in items}
        bulk_write.write(db.session())
        befores = {item.target_id: by_item[item.id].before for item in items}
        leases.keep_before(job.id, {target_id: state for target_id, state in befores.items() if state})
        leases.finish_locked(job.id, by_item)
        return {item.target_id: by_item[item.id] for item in items}, items[-1].id


def _all_inside(job: Job, target_ids: list[uuid.UUID]) -> dict[uuid.UUID, Result]:
    """What becomes of these rows, in the open transaction."""
    if job.owner is None:
        _lock_together(job.action, target_ids)
        judged = _judged(job, target_ids)
        return {one: _inside(job, one, judged) for one in target_ids}
    theirs = own_lessons.locked(job.owner, target_ids)
    judged = _judged(job, target_ids)
    return {
        one: results.in_words_for_owner(_inside(job, one, judged)) if one in theirs else results.of("missing")
        for one in target_ids
    }


def _lock_together(action: Action, target_ids: list[uuid.UUID]) -> None:
    """In one order, so that two batches over the same lessons never wait for each other in a circle. An action that goes
    by itself locks what it needs in an order of its own."""
    if action.together > 1 and action.target in owners.MODELS:
        locking.lock_many((action.target, target_id) for target_id in target_ids)


def _judged(job: Job, target_ids: list[uuid.UUID]) -> Mapping[uuid.UUID, Judged] | None:
    return undo.judge(job.undoes, job.action.name, target_ids) if job.undoes is not None else None


def _inside(job: Job, target_id: uuid.UUID, judged: Mapping[uuid.UUID, Judged] | None) -> Result:
    if job.action.inside is None:
        raise TypeError("this action opens its own transactions")
    if judged is None:
        return job.action.inside(target_id, job.options)
    one = judged.get(target_id)
    if one is None:
        return results.of("not_recorded")
    return one.refused or job.action.inside(target_id, {**job.options, BEFORE: one.before})


def _chunk_singly(
    job: Job, after: uuid.UUID | None, priority: mux.Priority
) -> tuple[dict[uuid.UUID, Result], uuid.UUID | None]:
    items = leases.next_open(job.id, after, job.action.together, lock=False)
    db.session.rollback()
    done = {}
    for item in items:
        result = run_item(item.id, answers=Answers(priority))
        if result is not None:
            done[item.target_id] = result
    return done, items[-1].id if items else None


def _run_singly(job: Job, limits: Limits, ran: Run) -> Ending:
    last: uuid.UUID | None = None
    unanswered = 0
    while items := leases.next_open(job.id, last, FETCH_SIZE, lock=False):
        db.session.rollback()
        answers, items = _prepared(job, items, limits.priority)
        for number, item in enumerate(items):
            if limits.reached():
                return "time is up"
            if number and not answers.fresh:
                break
            if limits.priority == "low" and (ending := _wait_for_budget(job, item, answers, limits)):
                return ending
            result = run_item(item.id, answers=answers)
            if result is None:
                continue
            ran.count += 1
            if limits.keep_results:
                ran.results[item.target_id] = result
            unanswered = unanswered + 1 if result.status == "later" else 0
            if limits.priority == "low" and unanswered >= MAX_UNANSWERED:
                return "paused"
        else:
            last = max(item.id for item in items)
    db.session.rollback()
    return "nothing left"


def _prepared(job: Job, items: list[OpenItem], priority: mux.Priority) -> tuple[Answers, list[OpenItem]]:
    """Items that pages answer come first: they do not wait for the budget."""
    if priority == "high" or not job.action.asks_mux:
        return Answers(priority), items
    answers, answered = prefetch.about(job.action.target, [item.target_id for item in items])
    return answers, sorted(items, key=lambda item: item.target_id not in answered)


def _wait_for_budget(job: Job, item: OpenItem, answers: Answers, limits: Limits) -> Ending | None:
    """Wait for as many calls as this item may cost. None when they are granted, else why the run ends here."""
    wanted = job.action.calls(item.target_id, answers) if job.action.calls is not None else 0
    while wanted:
        paused = mux_budget.left()[1] > WAIT_STEP_SECONDS
        db.session.rollback()
        if paused:
            return "paused"
        step = min(WAIT_STEP_SECONDS, max(0.0, limits.until - time.monotonic()))
        if mux_budget.wait(wanted, max_seconds=step):
            return None
        if limits.reached():
            return "time is up"
    return None


def _carry_out(job: Job, lease: Lease, answers: Answers, *, again: bool = True) -> Result | None:
    try:
        result = _do(job, lease, answers)
    except _LeaseLost:
        return None
    except mux.MuxError as error:
        return _mux_failed(job, lease, error, answers.priority)
    except Exception as error:  # one bad row must not stop the others; it keeps its error as its result
        if is_outage(error):
            raise
        if again and answers.priority == "high" and is_conflict(error):
            time.sleep(CONFLICT_SECONDS)  # a person waits for the answer
            return _carry_out(job, lease, answers, again=False)
        return _broke(job, lease, error)
    if answers.priority == "low" and job.action.asks_mux:
        mux_budget.went_well()
    return result


def _do(job: Job, lease: Lease, answers: Answers) -> Result:
    if job.action.outside is not None:
        result = job.action.outside(lease.target_id, job.actor, answers)
        with transaction(job.actor):
            if not leases.finish(lease, result):
                raise _LeaseLost
        return result
    with own_lessons.rows_of(job.owner), transaction(job.actor):
        result = _all_inside(job, [lease.target_id])[lease.target_id]
        db.session.flush()
        if not leases.finish(lease, result):
            raise _LeaseLost
    return result


def _mux_failed(job: Job, lease: Lease, error: mux.MuxError, priority: mux.Priority) -> Result | None:
    """Retry what may pass by itself, with growing pauses; a refusal of this one item ends it."""
    if priority == "low":
        mux_budget.went_wrong(error)
    passes = error.kind == "later" or error.category == "auth_error"
    if passes and lease.attempts < MAX_ATTEMPTS:
        pause = backoff.pause(
            lease.attempts, first=15, max_seconds=MAX_BACKOFF_SECONDS, retry_after=error.retry_after
        )
        with transaction(job.actor):
            put = leases.put_back(lease, error.message, seconds=pause)
        return results.later(f"{error.message} It is tried again automatically.") if put else None
    return _end(job, lease, results.failed(error.message))


def _broke(job: Job, lease: Lease, error: Exception) -> Result | None:
    if is_conflict(error) and lease.attempts < MAX_ATTEMPTS:
        log.warning("row %s of batch %s waits: %s", lease.item_id, lease.batch_id, in_short(error))
        with transaction(job.actor):
            put = leases.put_back(lease, "another process worked on the same row", seconds=CONFLICT_SECONDS)
        return (
            results.later("Another process worked on it; it is tried again automatically.") if put else None
        )
    log.exception("row %s of batch %s failed", lease.item_id, lease.batch_id)
    return _end(job, lease, results.failed(plain(traces.with_words(error))))


def _end(job: Job, lease: Lease, result: Result) -> Result | None:
    with transaction(job.actor):
        return result if leases.finish(lease, result) else None
