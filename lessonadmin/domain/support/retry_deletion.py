"""Retry a deletion at Mux now, at the request of staff."""

import uuid

from sqlalchemy import func, update

from lessonadmin.db import Actor, db, transaction
from lessonadmin.domain.accounts import rate_limits
from lessonadmin.domain.audit import audit_log
from lessonadmin.domain.errors import Conflict, Missing
from lessonadmin.domain.models import AssetDeletion
from lessonadmin.domain.videos import cleanup


def try_now(deletion_id: uuid.UUID, *, actor: Actor) -> bool:
    """True if the asset is gone at Mux. One that has its grace time is left alone, so that it can still be undone.
    Raises MuxError."""
    with transaction(actor):
        row = db.session.get(AssetDeletion, deletion_id, populate_existing=True, with_for_update=True)
        if row is None:
            raise Missing
        if row.done_at is not None:
            raise Conflict("done_already", "Mux has deleted this asset already.")
        waits = db.session.scalar(
            AssetDeletion.__table__.select()
            .with_only_columns(AssetDeletion.due_at > func.clock_timestamp())
            .where(AssetDeletion.id == deletion_id)
        )
        if waits and row.attempts == 0:
            raise Conflict("in_grace", "It is kept for its grace time, so that the change can be undone.")
        if row.lease_token is not None and waits:
            raise Conflict("under_way", "A worker is asking Mux about it at this moment.")
        rate_limits.other_question(actor)
        db.session.execute(
            update(AssetDeletion)
            .where(AssetDeletion.id == deletion_id)
            .values(due_at=func.clock_timestamp(), lease_token=None)
        )
        audit_log.record_for("deletion.retried", "deletion", deletion_id, asset_id=row.mux_asset_id)
    gone = cleanup.finish_deletion(deletion_id, actor=actor, priority="high")
    with transaction(actor):
        ended = db.session.get(AssetDeletion, deletion_id, populate_existing=True) is None
    if ended:
        raise Conflict("in_use", "A lesson or course uses this asset, so it stays at Mux.")
    return gone
