"""Taking videos away: the request (rows, at once) and its fulfilment at Mux (later, by a job or the sweep).

A video is deleted at Mux only after its row says so and nothing that plays uses it. "Gone" is done, "preparing" is
later, and an id that did not come from our own rows is never sent.
"""

import uuid
from dataclasses import dataclass

from sqlalchemy import func, select, update

from lessonadmin import mux
from lessonadmin.db import Actor, db, later, new_id, transaction
from lessonadmin.domain import calls, deletions, desks, publication, videos
from lessonadmin.domain.desks import Desk
from lessonadmin.domain.errors import Conflict
from lessonadmin.domain.models import AssetDeletion, Course, Kind, Lesson, Tracking
from lessonadmin.domain.video_state import Happening
from lessonadmin.domain.videos import News
from lessonadmin.temporary_ids import is_temporary

LEASE_SECONDS = 45
LONGEST_BACKOFF = 3600


def owners_of(asset_id: str) -> list[tuple[Kind, uuid.UUID]]:
    """Every lesson and course that uses an asset, in the order in which they are locked."""
    found: set[tuple[Kind, uuid.UUID]] = set()
    for row in desks.rows_by_asset(asset_id):
        if row.status != "deleted":
            found.add((row.target_type, row.target_id))
    found |= {
        ("lesson", i) for i in db.session.scalars(select(Lesson.id).where(Lesson.mux_asset_id == asset_id))
    }
    found |= {
        ("course", i) for i in db.session.scalars(select(Course.id).where(Course.mux_asset_id == asset_id))
    }
    return sorted(found)


def request_delete(asset_id: str) -> int:
    """Clear an asset from everything that uses it and promise its deletion; how many used it."""
    if is_temporary(asset_id):
        raise Conflict("temporary_asset", "This is a temporary id: Mux has no such asset.")
    cleared = 0
    for kind, owner_id in owners_of(asset_id):
        desk = desks.open_desk(kind, owner_id)
        if desk is not None:
            cleared += _clear(desk, asset_id)
    return cleared


def _clear(desk: Desk, asset_id: str, *, grace_seconds: float = 0) -> int:
    videos.ensure_tracked(desk)
    rows = [row for row in desk.rows if row.mux_asset_id == asset_id]
    for row in rows:
        if row.status not in ("deleting", "deleted"):
            videos.apply(desk, row, News(happening=Happening.DELETE))
        deletions.promise(row, why="deleted by a person", after_seconds=grace_seconds)
    if desk.owner.mux_asset_id == asset_id:
        videos.project(desk)
    return len(rows)


def clear(desk: Desk, *, grace_seconds: float = 0) -> str:
    """Take the video away from a lesson or course, whatever state it is in; says what was done.

    `grace_seconds`: how long its asset is kept at Mux after that.
    """
    videos.ensure_tracked(desk)
    for row in desk.current:
        if row.mux_asset_id is None and (row.is_open or row.status == "error"):
            deletions.promise_cancellation(row)
            videos.apply(desk, row, News(happening=Happening.CANCEL))
    assets = {row.mux_asset_id for row in desk.current if row.mux_asset_id and row.status != "deleted"}
    for asset_id in sorted(assets):
        _clear(desk, asset_id, grace_seconds=grace_seconds)
    if videos.forget(desk) and isinstance(desk.owner, Lesson):
        publication.withdraw(desk.owner, why="its video was cleared")
    return "deleting" if assets else "cleared"


def clear_asset(desk: Desk, asset_id: str, *, grace_seconds: float = 0) -> None:
    """Take one asset away from one of the lessons and courses that use it."""
    _clear(desk, asset_id, grace_seconds=grace_seconds)


def forget_owner(desk: Desk) -> None:
    """The lesson or course itself goes: nothing of it may stay at Mux. The caller deletes the row."""
    videos.ensure_tracked(desk)
    for row in desk.rows:
        deletions.promise_cancellation(row)
        if row.mux_asset_id and row.status != "deleted" and not _used_elsewhere(row):
            deletions.promise(row, why="its lesson or course was deleted")


def _used_elsewhere(row: Tracking) -> bool:
    others = [owner for owner in owners_of(row.mux_asset_id or "") if owner[1] != row.target_id]
    return bool(others)


def undo_replacement(desk: Desk) -> bool:
    """Bring back the video that the present one replaced, while its asset is still there."""
    new = desk.playing
    old = next((row for row in reversed(desk.rows) if new and videos.replaced_by(row, new)), None)
    if new is None or old is None or not deletions.take_back(old.mux_asset_id or ""):
        return False
    videos.swap_back(desk, new=new, old=old)
    return True


def can_undo(desk_rows: list[Tracking]) -> bool:
    """Is there a replaced video to bring back?"""
    playing = next((row for row in desk_rows if row.plays), None)
    return playing is not None and any(videos.replaced_by(row, playing) for row in desk_rows)


@dataclass(frozen=True)
class Lease:
    """The right to carry out one deletion, until it runs out."""

    deletion_id: uuid.UUID
    token: uuid.UUID
    asset_id: str


def claim(deletion_id: uuid.UUID) -> Lease | None:
    """Take a due deletion; None if it is done, not due or in other hands. `due_at` is when the lease runs out."""
    token = new_id()
    row = db.session.execute(
        update(AssetDeletion)
        .where(
            AssetDeletion.id == deletion_id,
            AssetDeletion.done_at.is_(None),
            AssetDeletion.due_at <= func.clock_timestamp(),
        )
        .values(lease_token=token, attempts=AssetDeletion.attempts + 1, due_at=later(LEASE_SECONDS))
        .returning(AssetDeletion.mux_asset_id)
    ).first()
    if row is None:
        return None
    return None if _still_plays(deletion_id, row[0]) else Lease(deletion_id, token, row[0])


def _still_plays(deletion_id: uuid.UUID, asset_id: str) -> bool:
    playing = db.session.scalar(
        select(Tracking.id).where(Tracking.mux_asset_id == asset_id, Tracking.plays).limit(1)
    )
    if playing is not None:
        _release(deletion_id, "it plays in a lesson or course again", LONGEST_BACKOFF)
    return playing is not None


def _release(deletion_id: uuid.UUID, error: str, seconds: float) -> None:
    db.session.execute(
        update(AssetDeletion)
        .where(AssetDeletion.id == deletion_id)
        .values(lease_token=None, last_error=error, due_at=later(seconds))
    )


def finish(deletion_id: uuid.UUID, *, actor: Actor, priority: mux.Priority = "low") -> bool:
    """Carry out one promise: delete at Mux, see that it is gone, write that down. False: later."""
    with transaction(actor):
        lease = claim(deletion_id)
    if lease is None:
        return False
    try:
        gone = _delete_and_verify(lease.asset_id, priority)
    except mux.MuxError as error:
        with transaction(actor):
            _failed(lease, error)
        raise
    with transaction(actor):
        if gone:
            _done(lease)
        elif db.session.get_one(AssetDeletion, lease.deletion_id).lease_token == lease.token:
            _release(lease.deletion_id, "Mux has not removed it yet", 30)
    return gone


def _delete_and_verify(asset_id: str, priority: mux.Priority) -> bool:
    try:
        mux.delete_asset(asset_id, priority=priority)
        mux.get_asset(asset_id, priority=priority)
    except mux.Gone:
        return True
    return False


def _failed(lease: Lease, error: mux.MuxError) -> None:
    row = db.session.get_one(AssetDeletion, lease.deletion_id)
    wait = error.retry_after or min(15 * 2 ** min(row.attempts, 8), LONGEST_BACKOFF)
    if row.lease_token == lease.token:
        _release(lease.deletion_id, f"{error.category}: {error.message}", wait)
    if row.target_type and row.target_id:
        calls.note(row.target_type, row.target_id, "delete_asset", error.category, error.message)


def _done(lease: Lease) -> None:
    """Gone at Mux. A zombie whose lease ran out changes nothing that is not already true."""
    for kind, owner_id in owners_of(lease.asset_id):
        desk = desks.open_desk(kind, owner_id)
        for row in desk.rows if desk else []:
            if desk is not None and row.mux_asset_id == lease.asset_id:
                videos.apply(desk, row, News(happening=Happening.ASSET_DELETED, seen=True))
    db.session.execute(
        update(AssetDeletion)
        .where(AssetDeletion.id == lease.deletion_id, AssetDeletion.done_at.is_(None))
        .values(done_at=func.clock_timestamp(), lease_token=None, last_error=None)
    )
