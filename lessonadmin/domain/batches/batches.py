"""Bulk actions as people handle them: begin, watch, stop, go on, try the failed ones again, undo. The front door.

A batch is rows first: what was chosen is written down by one statement and a worker is nudged after the commit. Whatever
stops it (a lost job, a killed worker, a pause that Mux wishes, rows that are tried again later), every sweep looks for
batches with rows that are due and sends them off again (`waiting`, `wake`). The work itself is in `runner`, what is
written where in `creation`, `control` and `batch_lists`. Whoever may see the panel may do this; that is
decided at its door.
"""

import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import exists, func, select

from lessonadmin import queue
from lessonadmin.db import Actor, db, transaction
from lessonadmin.domain import heartbeats, mux_budget
from lessonadmin.domain.accounts import rate_limits
from lessonadmin.domain.batches import batch_items, leases, runner
from lessonadmin.domain.batches.batch_lists import Line, Progress, action_of, author_of, get, lines, progress
from lessonadmin.domain.batches.control import (
    can_undo,
    resume,
    retry_failed,
    retry_row,
    stop,
    undo,
    undo_preview,
)
from lessonadmin.domain.batches.creation import MAX_REASON_LENGTH, RUN_BATCH, create, nudge_worker, send
from lessonadmin.domain.batches.registry import Action
from lessonadmin.domain.batches.row_results import Result
from lessonadmin.domain.errors import Invalid
from lessonadmin.domain.models import Batch, BatchItem

__all__ = [
    "MAX_AT_ONCE",
    "MAX_REASON_LENGTH",
    "RUN_BATCH",
    "Line",
    "Progress",
    "Report",
    "action_of",
    "author_of",
    "can_undo",
    "create",
    "get",
    "lines",
    "progress",
    "resume",
    "retry_failed",
    "retry_row",
    "run_now",
    "run_slice",
    "stop",
    "undo",
    "undo_preview",
    "waiting",
    "wake",
]  # fmt: skip

MAX_AT_ONCE = 20
SLICE_SECONDS = 20.0
TIMEOUT_SECONDS = 20.0  # of somebody who waits for up to MAX_AT_ONCE rows in front of a page


@dataclass(frozen=True)
class Report:
    """What became of the rows that were run at once; a batch that is not finished goes on in the worker."""

    batch_id: uuid.UUID
    lines: tuple[Line, ...]
    finished: bool

    def count(self, status: str) -> int:
        return sum(line.status == status for line in self.lines)


def run_now(
    action: Action,
    ids: Sequence[uuid.UUID],
    *,
    actor: Actor,
    options: Mapping[str, object] | None = None,
    undoes_id: uuid.UUID | None = None,
    seconds: float = TIMEOUT_SECONDS,
) -> Report:
    """Run up to MAX_AT_ONCE rows while somebody waits, with Mux's high-priority token. Opens its own transactions.

    It is a batch like any other, so it stands in the history and can be undone; what is not finished in time (Mux
    hangs) is left to a worker at once, and what has to be tried again later to the sweep that finds it due.
    """
    if len(set(ids)) > MAX_AT_ONCE:
        raise Invalid("too_many", f"At most {MAX_AT_ONCE} rows can be run at once.")
    with transaction(actor):
        if action.asks_mux:
            rate_limits.other_question(actor)
        batch = create(action, list(ids), options=options, undoes_id=undoes_id, nudge=False)
        turn = leases.appoint(batch.id, begun=True)
    batch_id = batch.id
    if turn is None:
        raise RuntimeError("a batch that was just made has no turn")
    ran = runner.run_some(
        batch_id,
        seconds=seconds,
        priority="high",
        alive=lambda: leases.keep(batch_id, turn),
        keep_results=True,
    )
    leases.end(batch_id, turn)
    if ran.more:
        with transaction(actor):
            nudge_worker(batch_id)
    progress_now = progress(batch_id)
    return Report(batch_id, tuple(_with_notes(lines(batch_id), ran.results)), progress_now.finished)


def _with_notes(found: list[Line], results: Mapping[uuid.UUID, Result]) -> list[Line]:
    """A row that is done keeps no sentence; whoever ran it knows it."""
    return [
        replace(line, note=results[line.target_id].note) if line.target_id in results else line
        for line in found
    ]


def run_slice(batch_id: uuid.UUID, turn: uuid.UUID, *, seconds: float = SLICE_SECONDS) -> int:
    """One job's share of a batch: work for a while, then hand the turn to a new job behind the others in the queue."""
    if not leases.keep(batch_id, turn):
        return 0
    ran = runner.run_some(batch_id, seconds=seconds, alive=lambda: leases.keep(batch_id, turn))
    following = leases.pass_on(batch_id, turn) if ran.more else None
    if following is not None:
        send(batch_id, following)
    else:
        leases.end(batch_id, turn)
    return ran.rows


def waiting() -> list[uuid.UUID]:
    """Batches with rows that are due, the oldest first."""
    batch_items.free_expired()
    db.session.commit()
    due = exists().where(
        BatchItem.batch_id == Batch.id,
        BatchItem.status == "open",
        BatchItem.due_at <= func.clock_timestamp(),
    )
    found = db.session.scalars(
        select(Batch.id).where(Batch.status.in_(batch_items.ACTIVE), due).order_by(Batch.id)
    ).all()
    db.session.rollback()
    return list(found)


def wake(batch_id: uuid.UUID, *, until: float) -> bool:
    """Send a batch off again, unless it is being worked on, its job is in line, or Mux wants a pause. True if it goes on.

    When Redis or all workers are silent, its rows are carried out here and now, until this moment (of the monotonic
    clock) and not longer, since whoever sweeps has other things to do.
    """
    if action_of(get(batch_id)).asks_mux and mux_budget.left()[1] > 0:
        return False
    answers = queue.answers()
    workers = heartbeats.hands()["worker"] and answers
    seconds = until - time.monotonic()
    before = leases.holder(batch_id)
    if before is not None and answers and before.may_be_lost:
        if not queue.in_line(RUN_BATCH, str(before.token)):
            leases.end(batch_id, before.token)  # its job is lost
        elif workers:
            leases.keep(batch_id, before.token, in_line=True)
            return False
    turn = leases.appoint(batch_id, begun=not workers) if workers or seconds > 0 else None
    db.session.commit()
    if turn is None:
        return False
    if workers:
        return send(batch_id, turn)
    ran = runner.run_some(batch_id, seconds=seconds, alive=lambda: leases.keep(batch_id, turn))
    leases.end(batch_id, turn)
    return ran.rows > 0
