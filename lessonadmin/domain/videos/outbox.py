"""Rows that say which asset must go at Mux and which upload must be cancelled there, written with the change that causes
them.

An asset that a lesson or course uses is never put down here: `users_of` says which do, and the last one to give it up
writes the row. Asking Mux is the business of `removal` and `cancellation`.
"""

import uuid
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Text,
    Uuid,
    and_,
    delete,
    exists,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from lessonadmin import config
from lessonadmin.db import actor, db, later
from lessonadmin.domain.models import AssetDeletion, Kind, Tracking, UploadCancellation, owners
from lessonadmin.queue import enqueue_after_commit
from lessonadmin.text.temporary_ids import is_temporary

# An upload in one of these states uses its asset, unless another upload has taken its place.
USING = ("uploading", "processing", "ready", "error")
ASSETS = 0x1E550B  # any number, the same in every process; locks of assets are told from others by it


def hold(asset_id: str) -> None:
    """One decision about an asset at a time, until this transaction ends.

    Else two that give it up at once would each take the other for a user, and nobody would delete it. Whoever locks
    lessons and courses does that before.
    """
    db.session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(asset_id, ASSETS))))


def users_of(asset_id: str) -> list[tuple[Kind, uuid.UUID]]:
    """Every lesson and course whose video this asset is or is about to be.

    What was given up, replaced or deleted does not use it any more. A lesson from before tracking names it itself.
    """
    return sorted((kind, one) for kind in owners.MODELS for one in db.session.scalars(_users(kind, asset_id)))


def _users(kind: Kind, asset_id: str) -> CompoundSelect[Any]:
    model, owner_id = owners.MODELS[kind], owners.COLUMNS[kind]
    of_asset = and_(Tracking.mux_asset_id == asset_id, owner_id.is_not(None))
    using = select(owner_id).where(of_asset, Tracking.is_current, Tracking.status.in_(USING))
    tracked = exists().where(of_asset, owner_id == model.id)
    return using.union(select(model.id).where(model.mux_asset_id == asset_id, ~tracked))


def promise(row: Tracking, *, why: str, after_seconds: float = 0) -> bool:
    """The asset of this upload goes at Mux; promised twice is promised once. False: something uses it, so it stays."""
    return row.mux_asset_id is not None and promise_asset(
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
) -> bool:
    """The same for an asset of which no upload is at hand. A sooner promise beats a later one."""
    if is_temporary(asset_id):
        return False
    if not _write(asset_id, why, target, tracking_id, after_seconds):
        # What is used, or is down already; and whoever gives it up at this very moment still looks like a user.
        hold(asset_id)
        if users_of(asset_id):
            return False
        _write(asset_id, why, target, tracking_id, after_seconds)
    return True


def _write(
    asset_id: str,
    why: str,
    target: tuple[str, uuid.UUID] | None,
    tracking_id: uuid.UUID | None,
    after_seconds: float,
) -> bool:
    """Put it down, or make it due sooner, unless something uses it: one statement, since every replacement costs it."""
    by = actor()
    columns = {
        "mux_asset_id": literal(asset_id, Text),
        "reason": literal(by.reason or why, Text),
        "requested_by": literal(by.id if by.type == "user" else None, Uuid),
        "tracking_id": literal(tracking_id, Uuid),
        "target_type": literal(target[0] if target else None, Text),
        "target_id": literal(target[1] if target else None, Uuid),
        "due_at": func.greatest(later(after_seconds), _end_of_grace(asset_id)),
    }
    unused = [~exists(_users(kind, asset_id).subquery()) for kind in owners.MODELS]
    row = insert(AssetDeletion).from_select(list(columns), select(*columns.values()).where(*unused))
    deletion_id = db.session.scalar(
        row.on_conflict_do_update(
            index_elements=["mux_asset_id"],
            set_={"due_at": row.excluded.due_at},
            # what is due already has its job
            where=AssetDeletion.done_at.is_(None) & (AssetDeletion.due_at > row.excluded.due_at),
        ).returning(AssetDeletion.id)
    )
    if deletion_id is not None and after_seconds <= 0:
        enqueue_after_commit("lessonadmin.jobs.videos.delete_asset", str(deletion_id))
    return deletion_id is not None


def _end_of_grace(asset_id: str) -> ColumnElement[Any]:
    """A lesson in which this asset was replaced a moment ago may still undo that."""
    grace = func.make_interval(0, 0, 0, 0, 0, 0, config.current().replaced_grace_seconds)
    replaced = select(func.max(Tracking.superseded_at)).where(
        Tracking.mux_asset_id == asset_id, Tracking.status == "ready", Tracking.ready_at.is_not(None)
    )
    return replaced.scalar_subquery() + grace


def waited_for(kind: Kind, owner_id: uuid.UUID) -> ColumnElement[bool]:
    """The open deletions that a lesson or course waits for: its own, and that of a shared asset, which names one of those
    that gave it up."""
    giving_up = select(Tracking.mux_asset_id).where(
        owners.COLUMNS[kind] == owner_id, Tracking.status == "deleting"
    )
    named = and_(AssetDeletion.target_type == kind, AssetDeletion.target_id == owner_id)
    return and_(AssetDeletion.done_at.is_(None), or_(named, AssetDeletion.mux_asset_id.in_(giving_up)))


def drop(deletion_id: uuid.UUID) -> None:
    """Something uses the asset after all: it stays at Mux, and whoever gives it up last writes a new row."""
    db.session.execute(delete(AssetDeletion).where(AssetDeletion.id == deletion_id))


def take_back(asset_id: str) -> bool:
    """The asset is wanted again (undo): True if it is at Mux for sure.

    So it is if nobody has tried to delete it, not even in vain: a try without an answer may have been carried out, and
    nobody may be shown a video that is gone. Of an asset that others use all the time there is nothing to take back.
    """
    hold(asset_id)
    taken = db.session.execute(
        delete(AssetDeletion)
        .where(
            AssetDeletion.mux_asset_id == asset_id,
            AssetDeletion.done_at.is_(None),
            AssetDeletion.attempts == 0,
        )
        .returning(AssetDeletion.id)
    ).first()
    if taken is not None:
        return True
    known = select(exists().where(AssetDeletion.mux_asset_id == asset_id))
    return not db.session.scalar(known) and bool(users_of(asset_id))


def asset_finished(asset_id: str | None) -> None:
    """Mux has ended its work on an asset, so a deletion that it refused before may now succeed: it is due at once.

    One that nobody has tried yet keeps its time: it may be in its grace, or its first try is enqueued already.
    """
    deletion_id = db.session.scalar(
        update(AssetDeletion)
        .where(
            AssetDeletion.mux_asset_id == asset_id,
            AssetDeletion.done_at.is_(None),
            AssetDeletion.attempts > 0,
        )
        # without its lease, so that a try that is being refused at this moment does not put it off again
        .values(due_at=func.clock_timestamp(), lease_token=None)
        .returning(AssetDeletion.id)
    )
    if deletion_id is not None:
        enqueue_after_commit("lessonadmin.jobs.videos.delete_asset", str(deletion_id))


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
