"""Who carries out a batch: a chain of jobs in slices, the request of a page at once, or the sweep.

Every item that is due is carried out by one of them, also when Redis or all workers are silent; a batch is never worked
on by two chains of jobs. None of this decides what happens to an item: `runner` does.
"""

import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Select, exists, func, select

from lessonadmin import queue
from lessonadmin.db import Actor, db, transaction
from lessonadmin.domain import heartbeats, mux_budget
from lessonadmin.domain.accounts import rate_limits
from lessonadmin.domain.batches import batches, leases, own_lessons, results, runner, targets
from lessonadmin.domain.batches import undo as undoing
from lessonadmin.domain.batches.batches import RUN_BATCH, Item
from lessonadmin.domain.batches.own_lessons import Press
from lessonadmin.domain.batches.registry import Action
from lessonadmin.domain.batches.results import Result
from lessonadmin.domain.batches.targets import Source
from lessonadmin.domain.errors import Conflict, Invalid
from lessonadmin.domain.models import Batch, BatchItem

MAX_AT_ONCE = 20
SLICE_SECONDS = 20.0
TIMEOUT_SECONDS = 20.0  # of a page that waits for up to MAX_AT_ONCE items


@dataclass(frozen=True)
class Report:
    """What became of the items that were run at once; a batch that is not finished goes on in the worker."""

    batch_id: uuid.UUID
    items: tuple[Item, ...]
    finished: bool

    def count(self, status: str) -> int:
        return sum(item.status == status for item in self.items)


def first_ids(matching: Select[Any]) -> list[uuid.UUID]:
    """Some of these rows, one more than `run_now` takes if there are so many.

    In any order: asked for a few in order, PostgreSQL may read the whole table for them.
    """
    return sorted(db.session.scalars(matching.order_by(None).limit(MAX_AT_ONCE + 1)))


def run_now(
    action: Action,
    ids: Sequence[uuid.UUID],
    *,
    actor: Actor,
    options: Mapping[str, object] | None = None,
    seconds: float = TIMEOUT_SECONDS,
) -> Report:
    """Run up to MAX_AT_ONCE items while a page waits, with Mux's high-priority token. Opens its own transactions.

    It is a batch like any other, so it is in the history and can be undone. What is not finished in time (Mux hangs) is
    enqueued at once; what has to be retried later is left to the sweep that finds it due.
    """
    if len(set(ids)) > MAX_AT_ONCE:
        raise Invalid("too_many", f"At most {MAX_AT_ONCE} rows can be run at once.")
    with transaction(actor):
        if action.asks_mux:
            rate_limits.other_question(actor)
        batch_id = batches.create(action, list(ids), options=options, enqueue_job=False).id
        token = leases.lease_batch(batch_id, begun=True)
    return _run_begun(batch_id, token, actor=actor, seconds=seconds)


def start(
    press: Press, action: Action, source: Source, *, actor: Actor, options: Mapping[str, object]
) -> uuid.UUID:
    """The bulk action that a press begins, its first rows done at once if there are few: its id. The second of two presses
    begins nothing, and neither does one for lessons of which none is there. Opens its own transactions."""
    few = first_ids(targets.as_select(source))
    at_once = len(few) <= MAX_AT_ONCE
    db.session.rollback()
    with transaction(actor):
        if not press.is_the_first():
            return press.batch_id
        if not own_lessons.any_among(press.user_id, targets.as_select(source)):
            raise Conflict("nothing_left", results.NOTHING_LEFT)
        batches.create(
            action,
            few if at_once else source,
            options=options,
            batch_id=press.batch_id,
            enqueue_job=not at_once,
        )
        token = leases.lease_batch(press.batch_id, begun=True) if at_once else None
    if at_once:
        _run_begun(press.batch_id, token, actor=actor, seconds=TIMEOUT_SECONDS)
    return press.batch_id


def undo(batch_id: uuid.UUID, *, actor: Actor, seconds: float = TIMEOUT_SECONDS) -> Report:
    """Undo a batch: at once if it has few items, else in the worker. Opens its own transactions."""
    with transaction(actor):
        few = batches.get(batch_id).done <= MAX_AT_ONCE
        begun = undoing.undo(batch_id, enqueue_job=not few)
        begun_id, total = begun.id, begun.total
        token = leases.lease_batch(begun_id, begun=True) if few and total else None
    if not few or not total:
        return Report(begun_id, (), finished=not total)
    return _run_begun(begun_id, token, actor=actor, seconds=seconds)


def _run_begun(batch_id: uuid.UUID, token: uuid.UUID | None, *, actor: Actor, seconds: float) -> Report:
    if token is None:
        raise RuntimeError("a batch that was just made has no lease")
    ran = runner.run_some(
        batch_id,
        seconds=seconds,
        priority="high",
        alive=lambda: leases.renew(batch_id, token),
        keep_results=True,
    )
    leases.release(batch_id, token)
    if ran.more:
        with transaction(actor):
            batches.enqueue(batch_id)
    finished = batches.progress(batch_id).finished
    return Report(batch_id, tuple(_with_notes(batches.items(batch_id), ran.results)), finished)


def _with_notes(found: list[Item], results: Mapping[uuid.UUID, Result]) -> list[Item]:
    """An item that is done has no note in the database; the run that did it has one."""
    return [
        replace(item, note=results[item.target_id].note) if item.target_id in results else item
        for item in found
    ]


def run_slice(batch_id: uuid.UUID, token: uuid.UUID, *, seconds: float = SLICE_SECONDS) -> int:
    """One job's share of a batch: work for a while, then pass the lease to a new job behind the others in the queue."""
    if not leases.renew(batch_id, token):
        return 0
    ran = runner.run_some(batch_id, seconds=seconds, alive=lambda: leases.renew(batch_id, token))
    following = leases.pass_on(batch_id, token) if ran.more else None
    if following is not None:
        batches.enqueue_holder(batch_id, following)
    else:
        leases.release(batch_id, token)
    return ran.count


def due() -> list[uuid.UUID]:
    """Batches with items that are due, the oldest first."""
    leases.free_expired()
    db.session.commit()
    due_item = exists().where(
        BatchItem.batch_id == Batch.id,
        BatchItem.status == "open",
        BatchItem.due_at <= func.clock_timestamp(),
    )
    found = db.session.scalars(
        select(Batch.id).where(Batch.status.in_(leases.ACTIVE), due_item).order_by(Batch.created_at, Batch.id)
    ).all()
    db.session.rollback()
    return list(found)


def continue_batch(batch_id: uuid.UUID, *, until: float) -> bool:
    """Enqueue a batch again, unless a job works on it, its job is queued, or Mux asks for a pause. True if it goes on.

    When Redis or all workers are silent, its items are carried out here and now, until this moment (of the monotonic
    clock) and never longer, since the sweep has other parts to do.
    """
    if batches.action_of(batches.get(batch_id)).asks_mux and mux_budget.left()[1] > 0:
        return False
    answers = queue.answers()
    workers = heartbeats.worker_and_clock()["worker"] and answers
    seconds = until - time.monotonic()
    before = leases.batch_lease(batch_id)
    if before is not None and answers and before.may_be_lost:
        if not queue.in_line(RUN_BATCH, str(before.token)):
            leases.release(batch_id, before.token)  # its job is lost
        elif workers:
            leases.renew(batch_id, before.token, queued=True)
            return False
    token = leases.lease_batch(batch_id, begun=not workers) if workers or seconds > 0 else None
    db.session.commit()
    if token is None:
        return False
    if workers:
        return batches.enqueue_holder(batch_id, token)
    ran = runner.run_some(batch_id, seconds=seconds, alive=lambda: leases.renew(batch_id, token))
    leases.release(batch_id, token)
    return ran.count > 0
