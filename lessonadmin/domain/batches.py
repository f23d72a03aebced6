"""Bulk actions as people handle them: begin, watch, stop, go on, try the failed ones again, undo.

A batch is rows first: what was chosen is written down by one statement, a worker is nudged after the commit, and if the
nudge is lost the sweep finds the batch again. The work itself is in `batch_runs`. Whoever may see the panel may do
this; that is decided at its door.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Text, Uuid, cast, exists, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert

from lessonadmin import queue
from lessonadmin.db import Actor, actor, after_commit, db, new_id, transaction
from lessonadmin.domain import (
    actions,
    batch_items,
    batch_runs,
    batch_turns,
    budget,
    journal,
    previews,
    undoing,
)
from lessonadmin.domain.actions import Action
from lessonadmin.domain.errors import Conflict, Invalid, Missing
from lessonadmin.domain.models import Batch, BatchItem, User
from lessonadmin.domain.outcomes import Result
from lessonadmin.domain.previews import Source

MOST_AT_ONCE = 20
LONGEST_REASON = 500
SLICE_SECONDS = 20.0
PATIENCE_SECONDS = 20.0  # of somebody who waits for up to MOST_AT_ONCE rows in front of a page
RUN_BATCH = "lessonadmin.jobs.batches.run_batch"


@dataclass(frozen=True)
class Line:
    """One row of a batch, for a list."""

    item_id: uuid.UUID
    target_id: uuid.UUID
    name: str | None
    status: str
    note: str
    attempts: int
    finished_at: datetime | None


@dataclass(frozen=True)
class Report:
    """What became of the rows that were run at once; a batch that is not finished goes on in the worker."""

    batch_id: uuid.UUID
    lines: tuple[Line, ...]
    finished: bool

    def count(self, status: str) -> int:
        return sum(line.status == status for line in self.lines)


@dataclass(frozen=True)
class Progress:
    """How far a batch is, from its own counters alone."""

    id: uuid.UUID
    status: str
    total: int
    done: int
    failed: int
    skipped: int
    created_at: datetime
    finished_at: datetime | None
    rows_per_second: float | None
    paused_seconds: float

    @property
    def left(self) -> int:
        return max(0, self.total - self.done - self.failed - self.skipped)

    @property
    def percent(self) -> int:
        return 100 if not self.total else int(100 * (self.total - self.left) / self.total)

    @property
    def finished(self) -> bool:
        return self.status == "done"


# Beginning


def create(
    action: Action,
    source: Source,
    *,
    reason: str = "",
    options: Mapping[str, object] | None = None,
    undoes_id: uuid.UUID | None = None,
    nudge: bool = True,
) -> Batch:
    """Write down a batch and its rows, however many, inside the open transaction; a worker is nudged after it.

    A choice that matches nothing makes a batch that is done at once.
    """
    reason = (reason or actor().reason or "").strip()
    if len(reason) > LONGEST_REASON or "\x00" in reason:
        raise Invalid.field("reason", f"Write down the reason in at most {LONGEST_REASON} characters.")
    batch = Batch(
        id=new_id(),
        action=action.name,
        target_type=action.target,
        reason=reason,
        options=dict(options or {}),
        undoes_id=undoes_id,
        created_by=actor().id if actor().type == "user" else None,
    )
    db.session.add(batch)
    db.session.flush()
    batch.total = _write_items(batch.id, source)
    if batch.total == 0:
        batch.status, batch.finished_at = "done", func.clock_timestamp()
    db.session.flush()
    journal.record_for(
        "batch.created",
        "batch",
        batch.id,
        bulk_action=f"{action.target}.{action.name}",
        total=batch.total,
        undoes=str(undoes_id) if undoes_id else None,
        reason=reason or None,
    )
    if batch.total and nudge:
        _nudge(batch.id)
    return batch


def _write_items(batch_id: uuid.UUID, source: Source) -> int:
    """One statement for all rows. Their ids count upwards, so the order of the choice is the order of the work."""
    chosen = previews.as_select(source).subquery()
    numbered = select(
        next(iter(chosen.c)).label("target"), func.row_number().over().label("number")
    ).subquery()
    tail = batch_id.hex[16:]
    number = func.lpad(func.to_hex(numbered.c.number), 16, "0")
    item_id = cast(func.concat(literal(tail, Text), number), Uuid)
    rows = select(item_id, literal(batch_id, Uuid), numbered.c.target).order_by(numbered.c.number)
    written = db.session.execute(
        insert(BatchItem)
        .from_select(["id", "batch_id", "target_id"], rows)
        .on_conflict_do_nothing(index_elements=["batch_id", "target_id"])
        .execution_options(preserve_rowcount=True)
    )
    return int(written.rowcount)  # type: ignore[attr-defined]  # asked for above


def _nudge(batch_id: uuid.UUID) -> None:
    """Appoint a chain of jobs for this batch, unless there is one, and send it off once this transaction is safe."""
    turn = batch_turns.appoint(batch_id)
    if turn is not None:
        after_commit(lambda: _send(batch_id, turn))


def _send(batch_id: uuid.UUID, turn: uuid.UUID) -> bool:
    if queue.enqueue(RUN_BATCH, str(batch_id), str(turn)):
        return True
    batch_turns.end(batch_id, turn)  # Redis is away: the next sweep appoints anew
    return False


def run_now(
    action: Action,
    ids: Sequence[uuid.UUID],
    *,
    actor: Actor,
    options: Mapping[str, object] | None = None,
    undoes_id: uuid.UUID | None = None,
    seconds: float = PATIENCE_SECONDS,
) -> Report:
    """Run up to MOST_AT_ONCE rows while somebody waits, with Mux's high-priority token. Opens its own transactions.

    It is a batch like any other, so it stands in the history and can be undone; what is not finished in time (Mux
    hangs) or has to be tried again is left to the worker.
    """
    if len(set(ids)) > MOST_AT_ONCE:
        raise Invalid("too_many", f"At most {MOST_AT_ONCE} rows can be run at once.")
    with transaction(actor):
        batch = create(action, list(ids), options=options, undoes_id=undoes_id, nudge=False)
        turn = batch_turns.appoint(batch.id)
    batch_id = batch.id
    ran = batch_runs.run_some(batch_id, seconds=seconds, priority="high", keep_results=True)
    if turn is not None:
        batch_turns.end(batch_id, turn)
    if ran.more:
        with transaction(actor):
            _nudge(batch_id)
    progress_now = progress(batch_id)
    return Report(batch_id, tuple(_with_notes(lines(batch_id), ran.results)), progress_now.finished)


def _with_notes(found: list[Line], results: Mapping[uuid.UUID, Result]) -> list[Line]:
    """A row that is done keeps no sentence; whoever ran it knows it."""
    told = []
    for line in found:
        result = results.get(line.target_id)
        note = result.note if result is not None else line.note
        told.append(
            Line(line.item_id, line.target_id, line.name, line.status, note, line.attempts, line.finished_at)
        )
    return told


# Working


def run_slice(batch_id: uuid.UUID, turn: uuid.UUID, *, seconds: float = SLICE_SECONDS) -> int:
    """One job's share of a batch: work for a while, then hand the turn to a new job behind the others in the queue."""
    if not batch_turns.keep(batch_id, turn):
        return 0
    ran = batch_runs.run_some(batch_id, seconds=seconds, alive=lambda: batch_turns.keep(batch_id, turn))
    if ran.more and batch_turns.keep(batch_id, turn):
        _send(batch_id, turn)
    else:
        batch_turns.end(batch_id, turn)
    return ran.rows


def wake() -> int:
    """Send off every batch that has work nobody does: after a crash, an emptied Redis, or a pause. How many."""
    batch_items.free_expired()
    db.session.commit()
    due = exists().where(
        BatchItem.batch_id == Batch.id,
        BatchItem.status == "open",
        BatchItem.due_at <= func.clock_timestamp(),
    )
    ids = db.session.scalars(
        select(Batch.id).where(Batch.status.in_(batch_items.ACTIVE), due).order_by(Batch.id)
    ).all()
    woken = 0
    for batch_id in ids:
        turn = batch_turns.appoint(batch_id)
        db.session.commit()
        if turn is not None:
            woken += _send(batch_id, turn)
    return woken


# Watching


def get(batch_id: uuid.UUID) -> Batch:
    batch = db.session.get(Batch, batch_id, populate_existing=True)
    if batch is None:
        raise Missing()
    return batch


def action_of(batch: Batch) -> Action:
    return actions.find(batch.target_type, batch.action)


def progress(batch_id: uuid.UUID) -> Progress:
    """One row of one table, whatever the size of the batch."""
    age = func.extract("epoch", func.coalesce(Batch.finished_at, func.clock_timestamp()) - Batch.created_at)
    row = db.session.execute(
        select(Batch, age).where(Batch.id == batch_id).execution_options(populate_existing=True)
    ).first()
    if row is None:
        raise Missing()
    batch, seconds = row
    finished = batch.done + batch.failed + batch.skipped
    pause = budget.left()[1] if batch.status in batch_items.ACTIVE and action_of(batch).asks_mux else 0.0
    return Progress(
        id=batch.id,
        status=batch.status,
        total=batch.total,
        done=batch.done,
        failed=batch.failed,
        skipped=batch.skipped,
        created_at=batch.created_at,
        finished_at=batch.finished_at,
        rows_per_second=finished / float(seconds) if finished and seconds else None,
        paused_seconds=pause,
    )


def lines(
    batch_id: uuid.UUID, *, status: str | None = None, after: uuid.UUID | None = None, limit: int = 50
) -> list[Line]:
    """Rows of a batch in their order, by key after the last one shown, with the names that they have now."""
    wanted = select(BatchItem).where(BatchItem.batch_id == batch_id).order_by(BatchItem.id).limit(limit)
    if status is not None:
        wanted = wanted.where(BatchItem.status == status)
    if after is not None:
        wanted = wanted.where(BatchItem.id > after)
    items = list(db.session.scalars(wanted.execution_options(populate_existing=True)))
    names = previews.names_of(action_of(get(batch_id)), [item.target_id for item in items])
    return [
        Line(
            item.id,
            item.target_id,
            names.get(item.target_id),
            item.status,
            item.error or "",
            item.attempts,
            item.finished_at,
        )
        for item in items
    ]


def author_of(batch: Batch) -> User | None:
    return db.session.get(User, batch.created_by) if batch.created_by else None


# Changing course


def _locked(batch_id: uuid.UUID) -> Batch:
    batch = db.session.scalar(
        select(Batch).where(Batch.id == batch_id).with_for_update().execution_options(populate_existing=True)
    )
    if batch is None:
        raise Missing()
    return batch


def stop(batch_id: uuid.UUID) -> None:
    """No further row is begun; those under way are finished."""
    batch = _locked(batch_id)
    if batch.status not in batch_items.ACTIVE:
        raise Conflict("not_running", "This batch is not running.")
    batch.status = "stopped"
    journal.record_for("batch.stopped", "batch", batch_id, done=batch.done, total=batch.total)


def resume(batch_id: uuid.UUID) -> None:
    """Go on with what is left."""
    batch = _locked(batch_id)
    if batch.status != "stopped":
        raise Conflict("not_stopped", "This batch was not stopped.")
    batch.status = "running" if batch.done + batch.failed + batch.skipped else "open"
    journal.record_for("batch.resumed", "batch", batch_id, done=batch.done, total=batch.total)
    db.session.flush()
    _nudge(batch_id)


def retry_failed(batch_id: uuid.UUID) -> int:
    """Open the failed rows again; how many."""
    _must_exist(batch_id)
    again = db.session.execute(
        update(BatchItem)
        .where(BatchItem.batch_id == batch_id, BatchItem.status == "failed")
        .values(status="open", attempts=0, error=None, due_at=func.clock_timestamp(), finished_at=None)
        .execution_options(synchronize_session=False)
    )
    count = int(again.rowcount)  # type: ignore[attr-defined]  # an UPDATE has one
    if count == 0:
        raise Conflict("nothing_failed", "No row of this batch has failed.")
    db.session.execute(
        update(Batch)
        .where(Batch.id == batch_id)
        .values(failed=Batch.failed - count, status="running", finished_at=None)
        .execution_options(synchronize_session=False)
    )
    journal.record_for("batch.retried", "batch", batch_id, rows=count)
    _nudge(batch_id)
    return count


def _must_exist(batch_id: uuid.UUID) -> None:
    if db.session.scalar(select(Batch.id).where(Batch.id == batch_id)) is None:
        raise Missing()


def can_undo(batch: Batch) -> bool:
    """May this kind of batch be undone at all? `undo_preview` says how many rows."""
    return action_of(batch).undone_by is not None and batch.done > 0 and batch.undoes_id is None


def undo_preview(batch_id: uuid.UUID) -> tuple[int, int]:
    """How many rows an undo would touch, and how many it leaves alone because somebody changed them since."""
    batch = get(batch_id)
    count = db.session.scalar(select(func.count()).select_from(undoing.undoable(batch_id).subquery())) or 0
    return count, batch.done - count


def undo(batch_id: uuid.UUID, *, reason: str = "") -> Batch:
    """A batch that takes back what this one did, where nobody changed anything since."""
    batch = get(batch_id)
    by = action_of(batch).undone_by
    if by is None or batch.undoes_id is not None:
        raise Conflict("cannot_be_undone", "This action cannot be undone.")
    if batch.status in batch_items.ACTIVE:
        raise Conflict("still_running", "Stop this batch before you undo it.")
    why: Any = reason or actor().reason or f"undo of {batch.reason or 'an earlier batch'}"[:LONGEST_REASON]
    return create(
        actions.find(batch.target_type, by), undoing.undoable(batch_id), reason=why, undoes_id=batch_id
    )
