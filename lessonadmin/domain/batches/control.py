"""Changing the course of a batch: stop, go on, try failed rows again, undo. Each leaves its audit row."""

import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, select, update
from sqlalchemy.orm import aliased

from lessonadmin.db import actor, db
from lessonadmin.domain.audit import audit_log
from lessonadmin.domain.batches import batch_items, registry
from lessonadmin.domain.batches.batch_lists import action_of, get
from lessonadmin.domain.batches.creation import MAX_REASON_LENGTH, create, nudge_worker
from lessonadmin.domain.errors import Conflict, Missing
from lessonadmin.domain.models import AuditLog, Batch, BatchItem
from lessonadmin.queue import enqueue_after_commit


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
    audit_log.record_for("batch.stopped", "batch", batch_id, done=batch.done, total=batch.total)


def resume(batch_id: uuid.UUID) -> None:
    """Go on with what is left."""
    batch = _locked(batch_id)
    if batch.status != "stopped":
        raise Conflict("not_stopped", "This batch was not stopped.")
    batch.status = "running" if batch.done + batch.failed + batch.skipped else "open"
    audit_log.record_for("batch.resumed", "batch", batch_id, done=batch.done, total=batch.total)
    db.session.flush()
    nudge_worker(batch_id)


def retry_failed(batch_id: uuid.UUID) -> int:
    """Open the failed rows again; how many."""
    count = _reopen(batch_id, BatchItem.batch_id == batch_id)
    if count == 0:
        raise Conflict("nothing_failed", "No row of this batch has failed.")
    nudge_worker(batch_id)
    return count


def retry_row(item_id: uuid.UUID) -> None:
    """Open one failed row again and let a worker carry it out by itself; if that job is lost, a sweep finds the row."""
    batch_id = db.session.scalar(select(BatchItem.batch_id).where(BatchItem.id == item_id))
    if batch_id is None:
        raise Missing()
    if _reopen(batch_id, BatchItem.id == item_id) == 0:
        raise Conflict("not_failed", "This row has not failed.")
    enqueue_after_commit("lessonadmin.jobs.batches.run_batch_item", str(item_id))


def _reopen(batch_id: uuid.UUID, which: ColumnElement[bool]) -> int:
    """Failed rows are open again, and the counters know it. What was stopped stays stopped until it is told to go on."""
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
        # The time that these rows took goes with them, so what is left is still reckoned by the pace of before.
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


def can_undo(batch: Batch) -> bool:
    """May this batch be undone at all? `undo_preview` says how many rows."""
    action = action_of(batch)
    if action.undone_by is None or batch.done == 0 or batch.undoes_id is not None:
        return False
    return action.undone_only_with is None or bool(batch.options.get(action.undone_only_with))


def undo_preview(batch_id: uuid.UUID) -> tuple[int, int]:
    """How many rows an undo would touch, and how many it leaves alone because somebody changed them since."""
    batch = get(batch_id)
    count = db.session.scalar(select(func.count()).select_from(undoable(batch_id).subquery())) or 0
    return count, batch.done - count


def undo(batch_id: uuid.UUID, *, reason: str = "") -> Batch:
    """A batch that takes back what this one did, where nobody changed anything since."""
    batch = get(batch_id)
    if batch.status in batch_items.ACTIVE:
        raise Conflict("still_running", "Stop this batch before you undo it.")
    by = action_of(batch).undone_by
    if by is None or not can_undo(batch):
        raise Conflict("cannot_be_undone", "There is nothing here that could be undone.")
    why = reason or actor().reason or f"undo of {batch.reason or 'an earlier batch'}"[:MAX_REASON_LENGTH]
    return create(
        registry.find(batch.target_type, by),
        undoable(batch_id),
        reason=why,
        options={registry.UNDOES: str(batch_id)},
        undoes_id=batch_id,
    )


# Which rows of a bulk action may be undone: those that it really changed, and that nobody has changed since.
#
# Read from the audit trail, where every change by a batch carries the batch's id. What the machine did because of the
# batch (fulfilled its promise to publish) counts as the batch's doing.

# What counts as a change of the same kind: the batch's own, and anybody's since.
PUBLICATION = (
    "lesson.published",
    "lesson.unpublished",
    "lesson.publish_requested",
    "lesson.publish_withdrawn",
)
VIDEO = (
    "video.upload_started",
    "video.ready",
    "video.replaced",
    "video.delete_requested",
    "video.deleted",
    "video.let_go",
    "video.restored",
)
KINDS = {"publish": PUBLICATION, "unpublish": PUBLICATION, "clear_asset": VIDEO}


def _changed_by(batch_id: uuid.UUID, target_id: Any, kind: tuple[str, ...]) -> ColumnElement[bool]:
    """The batch changed this row, and no row of the trail by anybody else is younger."""
    done = AuditLog.__table__.alias("done")
    since = AuditLog.__table__.alias("since")
    by_somebody_else = exists().where(
        since.c.target_id == done.c.target_id,
        since.c.action.in_(kind),
        since.c.at > done.c.at,
        since.c.detail["batch"].astext.is_distinct_from(str(batch_id)),
        since.c.detail["by_itself"].astext.is_distinct_from("true"),
    )
    return exists().where(
        done.c.target_id == target_id,
        done.c.action.in_(kind),
        done.c.detail["batch"].astext == str(batch_id),
        ~by_somebody_else,
    )


def _kind(batch_id: uuid.UUID) -> tuple[str, ...]:
    name = db.session.scalar(select(Batch.action).where(Batch.id == batch_id))
    return KINDS.get(name or "", ())


def undoable(batch_id: uuid.UUID) -> Select[Any]:
    """The rows of a batch that an undo would touch, in the batch's order."""
    item = aliased(BatchItem)
    return (
        select(item.target_id)
        .where(
            item.batch_id == batch_id,
            item.status == "done",
            _changed_by(batch_id, item.target_id, _kind(batch_id)),
        )
        .order_by(item.id)
    )


def untouched(batch_id: uuid.UUID, target_ids: Sequence[uuid.UUID], *, but: uuid.UUID) -> set[uuid.UUID]:
    """Of these rows, those that nobody has changed since the batch did. `but` is the undoing batch itself, which
    has not touched a row that it is about to."""
    item = aliased(BatchItem)
    rows = select(item.target_id).where(
        and_(
            item.batch_id == but,
            item.target_id.in_(target_ids),
            _changed_by(batch_id, item.target_id, _kind(batch_id)),
        )
    )
    return set(db.session.scalars(rows))
