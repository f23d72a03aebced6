"""Promises that an asset goes at Mux, or an upload is cancelled there: rows, written with the change that causes them.

Keeping the promises (asking Mux) is the business of `removal`; this room only writes and takes back.
"""

import uuid

from sqlalchemy import delete, func, update
from sqlalchemy.dialects.postgresql import insert

from lessonadmin import config
from lessonadmin.db import actor, db, later
from lessonadmin.domain.models import AssetDeletion, Tracking, UploadCancellation
from lessonadmin.queue import enqueue_after_commit
from lessonadmin.temporary_ids import is_temporary


def promise(row: Tracking, *, why: str, after_seconds: float = 0) -> None:
    """The asset of this upload goes at Mux; promised twice is promised once."""
    if row.mux_asset_id is not None:
        promise_asset(
            row.mux_asset_id,
            why=why,
            target=(row.target_type, row.target_id),
            tracking_id=row.id,
            after_seconds=after_seconds,
        )


def promise_after_grace(row: Tracking) -> None:
    """A replaced video is kept for a while, so that the swap can be undone."""
    promise(row, why="replaced by a new video", after_seconds=config.current().replaced_grace_seconds)


def promise_asset(
    asset_id: str,
    *,
    why: str,
    target: tuple[str, uuid.UUID] | None = None,
    tracking_id: uuid.UUID | None = None,
    after_seconds: float = 0,
) -> None:
    """The same for an asset of which no upload is at hand. A sooner promise beats a later one."""
    if is_temporary(asset_id):
        return
    by = actor()
    row = insert(AssetDeletion).values(
        mux_asset_id=asset_id,
        reason=by.reason or why,
        requested_by=by.id if by.type == "user" else None,
        tracking_id=tracking_id,
        target_type=target[0] if target else None,
        target_id=target[1] if target else None,
        due_at=later(after_seconds),
    )
    deletion_id = db.session.scalar(
        row.on_conflict_do_update(
            index_elements=["mux_asset_id"],
            set_={"due_at": func.least(AssetDeletion.due_at, row.excluded.due_at)},
            where=AssetDeletion.done_at.is_(None),
        ).returning(AssetDeletion.id)
    )
    if deletion_id is not None and after_seconds <= 0:
        enqueue_after_commit("lessonadmin.jobs.videos.delete_asset", str(deletion_id))


def take_back(asset_id: str) -> bool:
    """The asset is wanted again (undo): True if nobody has tried to delete it, not even in vain.

    A try without an answer may have been carried out, and nobody may be shown a video that is gone.
    """
    taken = db.session.execute(
        delete(AssetDeletion)
        .where(
            AssetDeletion.mux_asset_id == asset_id,
            AssetDeletion.done_at.is_(None),
            AssetDeletion.attempts == 0,
        )
        .returning(AssetDeletion.id)
    ).first()
    return taken is not None


def kept(row: Tracking) -> None:
    """Mux says that the asset is gone, whoever did it."""
    if row.mux_asset_id is not None:
        db.session.execute(
            update(AssetDeletion)
            .where(AssetDeletion.mux_asset_id == row.mux_asset_id, AssetDeletion.done_at.is_(None))
            .values(done_at=func.clock_timestamp(), lease_token=None, last_error=None)
        )


def promise_cancellation(row: Tracking) -> None:
    """An upload that may still bring something is cancelled at Mux, so that bytes on their way make no asset.

    Our clock may have given it up before Mux did, so one that timed out counts too.
    """
    may_come = row.is_open or row.error_type == "upload_timed_out"
    if row.upload_id is None or not may_come or row.mux_asset_id is not None:
        return
    promise_cancellation_of(row.upload_id, (row.target_type, row.target_id))


def promise_cancellation_of(upload_id: str, target: tuple[str, uuid.UUID]) -> None:
    """The same for an upload of which only the id is known."""
    cancellation_id = db.session.scalar(
        insert(UploadCancellation)
        .values(upload_id=upload_id, target_type=target[0], target_id=target[1])
        .on_conflict_do_nothing()
        .returning(UploadCancellation.id)
    )
    if cancellation_id is not None:
        enqueue_after_commit("lessonadmin.jobs.videos.cancel_upload", str(cancellation_id))
