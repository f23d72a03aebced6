"""Rows that say which asset must go at Mux and which upload must be cancelled there, written with the change that causes
them.

An asset that a lesson or course uses is never put down here: `users_of` says which do, and the last one to give it up
writes the row. Asking Mux is the business of `cleanup`.
"""

import uuid
from dataclasses import dataclass
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

from lessonadmin import config, mux
from lessonadmin.database import row_access
from lessonadmin.db import actor, db, later, new_id
from lessonadmin.domain import backoff
from lessonadmin.domain.models import AssetDeletion, Kind, Tracking, UploadCancellation, in_trash, owners
from lessonadmin.queue import enqueue_after_commit
from lessonadmin.text.temporary_ids import is_temporary

# An upload in one of these states uses its asset, unless another upload has taken its place.
STATUSES_USING_ASSET = ("uploading", "processing", "ready", "error")
ASSET_LOCK_SEED = (
    0x1E550B  # any number, the same in every process; locks of assets are told from others by it
)


def lock_asset(asset_id: str) -> None:
    """One decision about an asset at a time, until this transaction ends.

    Else two that give it up at once would each take the other for a user, and neither would delete it. A transaction that locks
    lessons and courses does that before.
    """
    db.session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(asset_id, ASSET_LOCK_SEED))))


def users_of(asset_id: str) -> list[tuple[Kind, uuid.UUID]]:
    """Every lesson and course whose video this asset is or is about to be, also of one in the trash, which may come back.

    What was given up, replaced or deleted does not use it any more. A lesson from before tracking names it itself.
    """
    with row_access.everything():
        return sorted(
            (kind, one)
            for kind in owners.MODELS
            for one in db.session.scalars(_users(kind, asset_id), execution_options=in_trash.too())
        )


def _users(kind: Kind, asset_id: str) -> CompoundSelect[Any]:
    model, owner_id = owners.MODELS[kind], owners.COLUMNS[kind]
    of_asset = and_(Tracking.mux_asset_id == asset_id, owner_id.is_not(None))
    using = select(owner_id).where(of_asset, Tracking.is_current, Tracking.status.in_(STATUSES_USING_ASSET))
    tracked = exists().where(of_asset, owner_id == model.id)
    return using.union(select(model.id).where(model.mux_asset_id == asset_id, ~tracked))


def request_deletion(upload: Tracking, *, why: str, after_seconds: float = 0) -> bool:
    """The asset of this upload goes at Mux; asked for twice it is one row. False: something uses it, so it stays."""
    return upload.mux_asset_id is not None and request_deletion_of_asset(
        upload.mux_asset_id,
        why=why,
        target=(upload.target_type, upload.target_id),
        tracking_id=upload.id,
        after_seconds=after_seconds,
    )


def request_deletion_after_grace(upload: Tracking) -> None:
    """A replaced video is kept for a while, so that the swap can be undone."""
    request_deletion(
        upload, why="replaced by a new video", after_seconds=config.current().replaced_grace_seconds
    )


def request_deletion_of_asset(
    asset_id: str,
    *,
    why: str,
    target: tuple[str, uuid.UUID] | None = None,
    tracking_id: uuid.UUID | None = None,
    after_seconds: float = 0,
) -> bool:
    """The same for an asset of which no upload is at hand. An earlier date replaces a later one."""
    if is_temporary(asset_id):
        return False
    if not _insert_deletion(asset_id, why, target, tracking_id, after_seconds):
        # What is used, or is down already; and an owner that gives it up at this very moment still looks like a user.
        lock_asset(asset_id)
        if users_of(asset_id):
            return False
        _insert_deletion(asset_id, why, target, tracking_id, after_seconds)
    return True


def _insert_deletion(
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
    wanted = row.on_conflict_do_update(
        index_elements=["mux_asset_id"],
        set_={"due_at": row.excluded.due_at},
        # what is due already has its job
        where=AssetDeletion.done_at.is_(None) & (AssetDeletion.due_at > row.excluded.due_at),
    ).returning(AssetDeletion.id)
    with row_access.everything():  # also those of others
        deletion_id = db.session.scalar(wanted)
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


def open_deletions_of(kind: Kind, owner_id: uuid.UUID) -> ColumnElement[bool]:
    """The open deletions that a lesson or course waits for: its own, and that of a shared asset, which names one of those
    that gave it up."""
    giving_up = select(Tracking.mux_asset_id).where(
        owners.COLUMNS[kind] == owner_id, Tracking.status == "deleting"
    )
    named = and_(AssetDeletion.target_type == kind, AssetDeletion.target_id == owner_id)
    return and_(AssetDeletion.done_at.is_(None), or_(named, AssetDeletion.mux_asset_id.in_(giving_up)))


def remove_deletion(deletion_id: uuid.UUID) -> None:
    """Something uses the asset after all: it stays at Mux, and the last owner that gives it up writes a new row."""
    db.session.execute(delete(AssetDeletion).where(AssetDeletion.id == deletion_id))


def withdraw_deletion(asset_id: str) -> bool:
    """The asset is wanted again (undo): True if it is at Mux for sure.

    So it is if no worker has tried to delete it, not even in vain: a try without an answer may have been carried out, and
    no page may show a video that is gone. Of an asset that others use all the time there is nothing to take back.
    """
    lock_asset(asset_id)
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


def retry_deletion(asset_id: str | None) -> None:
    """Mux has ended its work on an asset, so a deletion that it refused before may now succeed: it is due at once.

    One that no worker has tried yet keeps its time: it may be in its grace, or its first try is enqueued already.
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


def mark_asset_deleted(asset_id: str | None) -> None:
    """Mux says that the asset is gone, by whatever cause."""
    if asset_id is not None:
        db.session.execute(
            update(AssetDeletion)
            .where(AssetDeletion.mux_asset_id == asset_id, AssetDeletion.done_at.is_(None))
            .values(done_at=func.clock_timestamp(), lease_token=None, last_error=None)
        )


def request_cancellation(upload: Tracking) -> None:
    """An upload that may still bring something is cancelled at Mux, so that bytes on their way make no asset.

    Lessonadmin may have given it up before Mux did, so one that timed out counts too.
    """
    may_come = upload.is_open or upload.error_type == "upload_timed_out"
    if upload.upload_id is None or not may_come or upload.mux_asset_id is not None:
        return
    request_cancellation_by_id(upload.upload_id, (upload.target_type, upload.target_id))


def request_cancellation_by_id(upload_id: str, target: tuple[str, uuid.UUID]) -> None:
    """The same for an upload of which only the id is known."""
    cancellation_id = db.session.scalar(
        insert(UploadCancellation)
        .values(upload_id=upload_id, target_type=target[0], target_id=target[1])
        .on_conflict_do_nothing()
        .returning(UploadCancellation.id)
    )
    if cancellation_id is not None:
        enqueue_after_commit("lessonadmin.jobs.videos.cancel_upload", str(cancellation_id))


# Rows of work to be done at Mux: one worker at a time holds one, and a late one changes nothing.
#
# A lease is a token and a time: `due_at` is when it runs out, and then every worker may take the row. A worker that was so slow
# that another one took the row has another token and writes nothing down. Nothing in here talks to Mux.

LEASE_SECONDS = 45
FIRST_PAUSE_SECONDS = 30.0

OutboxModel = type[AssetDeletion] | type[UploadCancellation]


@dataclass(frozen=True)
class Lease:
    """The right to carry out one row, until it runs out."""

    model: OutboxModel
    row_id: uuid.UUID
    token: uuid.UUID
    attempts: int
    mux_id: str

    @property
    def held(self) -> ColumnElement[bool]:
        """The row, if no other worker has taken it."""
        return (self.model.id == self.row_id) & (self.model.lease_token == self.token)


def take_lease(
    model: OutboxModel, row_id: uuid.UUID, *, also_when: ColumnElement[bool] | None = None
) -> Lease | None:
    """Take a row that is due (or `also_when`); None if it is done, not due or in other hands."""
    token = new_id()
    due: ColumnElement[bool] = model.due_at <= func.clock_timestamp()
    mux_id = model.mux_asset_id if model is AssetDeletion else UploadCancellation.upload_id
    row = db.session.execute(
        update(model)
        .where(model.id == row_id, model.done_at.is_(None), due if also_when is None else due | also_when)
        .values(lease_token=token, attempts=model.attempts + 1, due_at=later(LEASE_SECONDS))
        .returning(model.attempts, mux_id)
    ).first()
    return Lease(model, row_id, token, *row) if row is not None else None


def claim_deletion(deletion_id: uuid.UUID) -> Lease | None:
    """Take a due deletion; None if it is done, not due, in other hands, or of one that is used."""
    asset_id = db.session.scalar(select(AssetDeletion.mux_asset_id).where(AssetDeletion.id == deletion_id))
    if asset_id is None:
        return None
    lock_asset(asset_id)
    if users_of(asset_id):
        return None
    return take_lease(AssetDeletion, deletion_id)


def release(lease: Lease, error: str, *, seconds: float) -> None:
    """Later; a lease that ran out and went to another one is not given back."""
    db.session.execute(
        update(lease.model)
        .where(lease.held)
        .values(lease_token=None, last_error=error, due_at=later(seconds))
    )


def release_after_error(lease: Lease, error: mux.MuxError) -> None:
    """Later, after a pause that grows, or as long as Mux asks for."""
    seconds = backoff.pause(lease.attempts, first=FIRST_PAUSE_SECONDS, retry_after=error.retry_after)
    release(lease, error.message, seconds=seconds)


def mark_done(lease: Lease) -> bool:
    """Done; False (and nothing is written) if another one has the row by now."""
    ended = db.session.execute(
        update(lease.model)
        .where(lease.held, lease.model.done_at.is_(None))
        .values(done_at=func.clock_timestamp(), lease_token=None, last_error=None)
        .returning(lease.model.id)
    ).first()
    return ended is not None
