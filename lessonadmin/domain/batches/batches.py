"""A batch: one bulk action over many lessons, courses, uploads or events. Create, follow, stop, resume, retry.

The items are written first, by one statement, and a job is enqueued after the commit. Whatever stops the batch (a lost
job, a killed worker, a pause that Mux asks for, items that are retried later), every sweep finds batches with due items
and enqueues them again (`scheduling`). The work itself is in `runner`. Each change of course leaves its audit row. Who may do
this is not checked here: the panel does, and `own_lessons` for instructors.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Text, Uuid, cast, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert

from lessonadmin import queue
from lessonadmin.db import actor, after_commit, db, new_id
from lessonadmin.domain import mux_budget
from lessonadmin.domain.audit import audit_log
from lessonadmin.domain.batches import leases, registry, targets
from lessonadmin.domain.batches.registry import Action
from lessonadmin.domain.batches.targets import Source
from lessonadmin.domain.errors import Conflict, Invalid, Missing
from lessonadmin.domain.models import Batch, BatchItem, User
from lessonadmin.queue import enqueue_after_commit

MAX_REASON_LENGTH = 500
RUN_BATCH = "lessonadmin.jobs.batches.run_batch"


def create(
    action: Action,
    source: Source,
    *,
    reason: str = "",
    options: Mapping[str, object] | None = None,
    undoes_id: uuid.UUID | None = None,
    batch_id: uuid.UUID | None = None,
    enqueue_job: bool = True,
) -> Batch:
    """Write a batch and its items, however many, inside the open transaction; a job is enqueued after it.

    A choice that matches nothing makes a batch that is done at once. `batch_id`: the id that it has, if that is known before.
    """
    reason = _checked_reason(reason or actor().reason or "")
    batch = Batch(
        id=batch_id or new_id(),
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
    _record_created(batch)
    if batch.total and enqueue_job:
        enqueue(batch.id)
    return batch


def _record_created(batch: Batch) -> None:
    audit_log.record_for(
        "batch.created",
        "batch",
        batch.id,
        bulk_action=f"{batch.target_type}.{batch.action}",
        total=batch.total,
        undoes=str(batch.undoes_id) if batch.undoes_id else None,
        reason=batch.reason or None,
    )


def _checked_reason(reason: str) -> str:
    reason = reason.strip()
    if len(reason) > MAX_REASON_LENGTH:
        raise Invalid.field("reason", f"Write down the reason in at most {MAX_REASON_LENGTH} characters.")
    return reason


def _write_items(batch_id: uuid.UUID, source: Source) -> int:
    """One statement for all items. Their ids count upwards, so the order of the choice is the order of the work."""
    chosen = targets.as_select(source).subquery()
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


def enqueue(batch_id: uuid.UUID) -> None:
    """Enqueue a first job for this batch after the commit, unless a chain of jobs works on it already."""
    token = leases.lease_batch(batch_id)
    if token is not None:
        after_commit(lambda: enqueue_holder(batch_id, token))


def enqueue_holder(batch_id: uuid.UUID, token: uuid.UUID) -> bool:
    """Enqueue the job that holds this lease. If Redis is away the lease is released, and the next sweep gives a new one."""
    if queue.enqueue(RUN_BATCH, str(batch_id), str(token), job_id=str(token)):
        return True
    leases.release(batch_id, token)
    return False


@dataclass(frozen=True)
class Item:
    """One item of a batch, for a list."""

    item_id: uuid.UUID
    target_id: uuid.UUID
    name: str | None
    status: str
    note: str
    attempts: int
    finished_at: datetime | None


@dataclass(frozen=True)
class Progress:
    """How far a batch is, from its own counters alone: one row of one table, whatever its size."""

    id: uuid.UUID
    status: str
    total: int
    done: int
    failed: int
    skipped: int
    created_at: datetime
    finished_at: datetime | None
    rows_per_second: float | None  # while it was really worked on
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


def get(batch_id: uuid.UUID) -> Batch:
    batch = db.session.get(Batch, batch_id, populate_existing=True)
    if batch is None:
        raise Missing()
    return batch


def by_ids(batch_ids: set[uuid.UUID]) -> dict[uuid.UUID, Batch]:
    """Those of these that there are."""
    found = db.session.scalars(select(Batch).where(Batch.id.in_(batch_ids))) if batch_ids else ()
    return {batch.id: batch for batch in found}


def action_of(batch: Batch) -> Action:
    return registry.find(batch.target_type, batch.action)


def progress(batch_id: uuid.UUID) -> Progress:
    batch = get(batch_id)
    finished = batch.done + batch.failed + batch.skipped
    pause = mux_budget.left()[1] if batch.status in leases.ACTIVE and action_of(batch).asks_mux else 0.0
    return Progress(
        id=batch.id,
        status=batch.status,
        total=batch.total,
        done=batch.done,
        failed=batch.failed,
        skipped=batch.skipped,
        created_at=batch.created_at,
        finished_at=batch.finished_at,
        rows_per_second=finished / batch.running_seconds if finished and batch.running_seconds else None,
        paused_seconds=pause,
    )


def items(
    batch_id: uuid.UUID, *, status: str | None = None, after: uuid.UUID | None = None, limit: int = 50
) -> list[Item]:
    """Items of a batch in their order, by key after the last one shown, with the names that they have now."""
    wanted = select(BatchItem).where(BatchItem.batch_id == batch_id).order_by(BatchItem.id).limit(limit)
    if status is not None:
        wanted = wanted.where(BatchItem.status == status)
    if after is not None:
        wanted = wanted.where(BatchItem.id > after)
    rows = list(db.session.scalars(wanted.execution_options(populate_existing=True)))
    names = targets.names_of(action_of(get(batch_id)), [row.target_id for row in rows])
    return [
        Item(
            row.id,
            row.target_id,
            names.get(row.target_id),
            row.status,
            row.error or "",
            row.attempts,
            row.finished_at,
        )
        for row in rows
    ]


def author_of(batch: Batch) -> User | None:
    return db.session.get(User, batch.created_by) if batch.created_by else None


def _locked(batch_id: uuid.UUID) -> Batch:
    batch = db.session.scalar(
        select(Batch).where(Batch.id == batch_id).with_for_update().execution_options(populate_existing=True)
    )
    if batch is None:
        raise Missing()
    return batch


def stop(batch_id: uuid.UUID) -> None:
    """Begin no further item; those under way are finished."""
    batch = _locked(batch_id)
    if batch.status not in leases.ACTIVE:
        raise Conflict("not_running", "This batch is not running.")
    batch.status = "stopped"
    audit_log.record_for("batch.stopped", "batch", batch_id, done=batch.done, total=batch.total)


def resume(batch_id: uuid.UUID) -> None:
    """Go on with what is left."""
    batch = _locked(batch_id)
    if batch.status != "stopped":
        raise Conflict("not_stopped", "This batch was not stopped.")
    batch.status = "running" if batch.done + batch.failed + batch.skipped else "open"
    audit_log.record_for("batch.resumed", "batch", batch_id, done=batch.done, total=batch.total)
    db.session.flush()
    enqueue(batch_id)


def retry_failed(batch_id: uuid.UUID) -> int:
    """Reopen the failed items; how many."""
    count = _reopen(batch_id, BatchItem.batch_id == batch_id)
    if count == 0:
        raise Conflict("nothing_failed", "No row of this batch has failed.")
    enqueue(batch_id)
    return count


def retry_item(item_id: uuid.UUID) -> None:
    """Reopen one failed item and enqueue a job for it alone; if that job is lost, a sweep finds the item."""
    batch_id = db.session.scalar(select(BatchItem.batch_id).where(BatchItem.id == item_id))
    if batch_id is None:
        raise Missing()
    if _reopen(batch_id, BatchItem.id == item_id) == 0:
        raise Conflict("not_failed", "This row has not failed.")
    enqueue_after_commit("lessonadmin.jobs.batches.run_batch_item", str(item_id))


def _reopen(batch_id: uuid.UUID, which: ColumnElement[bool]) -> int:
    """Reopen failed items and correct the counters. A stopped batch stays stopped until it is resumed."""
    if _locked(batch_id).status == "stopped":
        raise Conflict("stopped", "This batch is stopped: let it go on first.")
    again = db.session.execute(
        update(BatchItem)
        .where(which, BatchItem.status == "failed")
        .values(status="open", attempts=0, error=None, due_at=func.clock_timestamp(), finished_at=None)
        .execution_options(synchronize_session=False)
    )
    count = int(again.rowcount)  # type: ignore[attr-defined]  # an UPDATE has one
    if count:
        # The time that these items took goes with them, so the rest is still estimated by the earlier pace.
        finished = Batch.done + Batch.failed + Batch.skipped
        left_over = Batch.running_seconds * (finished - count) / func.greatest(finished, 1)
        db.session.execute(
            update(Batch)
            .where(Batch.id == batch_id)
            .values(
                failed=Batch.failed - count, status="running", finished_at=None, running_seconds=left_over
            )
            .execution_options(synchronize_session=False)
        )
        audit_log.record_for("batch.retried", "batch", batch_id, rows=count)
    return count
