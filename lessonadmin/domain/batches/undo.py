"""Undo of a batch: a second batch that reverts what the first one changed, where nothing was changed since.

Read from the audit log, where every change by a batch carries the batch's id. What the app did because of the batch
(published when the video was ready) counts as the batch's change. Changes made since by anything else are never reverted.
"""

import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, select
from sqlalchemy.orm import aliased

from lessonadmin.db import actor, db
from lessonadmin.domain.batches import leases, registry
from lessonadmin.domain.batches.batches import MAX_REASON_LENGTH, action_of, create, get
from lessonadmin.domain.errors import Conflict
from lessonadmin.domain.models import AuditLog, Batch, BatchItem

# Changes of the same kind: the batch's own, and any since.
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


def can_undo(batch: Batch) -> bool:
    """May this batch be undone at all? `count_undoable` says how many items."""
    action = action_of(batch)
    if action.undone_by is None or batch.done == 0 or batch.undoes_id is not None:
        return False
    return action.undone_only_with is None or bool(batch.options.get(action.undone_only_with))


def count_undoable(batch_id: uuid.UUID) -> tuple[int, int]:
    """How many items an undo would touch, and how many it leaves alone because they were changed since."""
    batch = get(batch_id)
    count = db.session.scalar(select(func.count()).select_from(undoable(batch_id).subquery())) or 0
    return count, batch.done - count


def undo(batch_id: uuid.UUID, *, reason: str = "") -> Batch:
    """A batch that reverts what this one did, where nothing was changed since."""
    batch = get(batch_id)
    if batch.status in leases.ACTIVE:
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


def _changed_by(batch_id: uuid.UUID, target_id: Any, kind: tuple[str, ...]) -> ColumnElement[bool]:
    """The batch changed this target, and no audit row by anything else is younger."""
    done = AuditLog.__table__.alias("done")
    since = AuditLog.__table__.alias("since")
    changed_since = exists().where(
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
        ~changed_since,
    )


def _kind(batch_id: uuid.UUID) -> tuple[str, ...]:
    name = db.session.scalar(select(Batch.action).where(Batch.id == batch_id))
    return KINDS.get(name or "", ())


def undoable(batch_id: uuid.UUID) -> Select[Any]:
    """The targets that an undo of the batch would touch, in the batch's order."""
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
    """Of these targets, those that nothing has changed since the batch did. `but` is the undoing batch itself, which
    has not touched a target that it is about to."""
    item = aliased(BatchItem)
    rows = select(item.target_id).where(
        and_(
            item.batch_id == but,
            item.target_id.in_(target_ids),
            _changed_by(batch_id, item.target_id, _kind(batch_id)),
        )
    )
    return set(db.session.scalars(rows))
