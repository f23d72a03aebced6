"""Which rows of a bulk action may be undone: those that it really changed, and that nobody has changed since.

Read from the audit trail, where every change by a batch carries the batch's id. What the machine did because of the
batch (fulfilled its promise to publish) counts as the batch's doing.
"""

import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, select
from sqlalchemy.orm import aliased

from lessonadmin.db import db
from lessonadmin.domain.models import AuditLog, Batch, BatchItem

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
