"""Restore a cleared video while its asset still has its grace time: the undo of “clear asset”.

The cleared upload stays as it ended; a new row takes over its asset, and Mux has the last word on whether it plays.
"""

import uuid

from sqlalchemy import ColumnElement, and_, case, exists, func, literal, select

from lessonadmin.db import db
from lessonadmin.domain.batches import results
from lessonadmin.domain.batches.results import Result
from lessonadmin.domain.models import AssetDeletion, AuditLog, Kind, Lesson, Tracking, owners
from lessonadmin.domain.videos import locking, outbox, publication, transitions
from lessonadmin.domain.videos.locking import LockedVideo
from lessonadmin.domain.videos.observations import Observation
from lessonadmin.domain.videos.state_machine import VideoEvent


def verdict(kind: Kind) -> ColumnElement[str]:
    model = owners.MODELS[kind]
    column = owners.COLUMNS[kind]
    waiting = exists().where(
        column == model.id,
        Tracking.is_current,
        Tracking.status == "deleting",
        AssetDeletion.mux_asset_id == Tracking.mux_asset_id,
        AssetDeletion.done_at.is_(None),
        AssetDeletion.lease_token.is_(None),
    )
    return case(
        (and_(model.video_processing_status == "deleting", waiting), "restores"), else_=literal("too_late")
    )


def restore(kind: Kind, target_id: uuid.UUID, *, cleared_by: str) -> Result:
    """Withdraw the deletion and take the asset back; what was published before is published again.

    An asset is cleared everywhere, so it is restored everywhere, too: a row that waited for its deletion would wait for ever.
    """
    asset_id = _cleared_asset(kind, target_id)
    locked = locking.lock_all({(kind, target_id)}, {asset_id} if asset_id else set())
    video = locked.get((kind, target_id))
    if video is None:
        return results.of("missing")
    if asset_id is None or not _may_come_back(video, asset_id) or not outbox.withdraw_deletion(asset_id):
        return results.of("too_late")
    for one in locked.values():
        _bring_back(one, asset_id, cleared_by)
    return results.of("restores")


def _cleared_asset(kind: Kind, target_id: uuid.UUID) -> str | None:
    """Read without a lock, so that all locks can then be taken in one order."""
    found: str | None = db.session.scalar(
        select(Tracking.mux_asset_id)
        .where(owners.COLUMNS[kind] == target_id, Tracking.is_current, Tracking.status == "deleting")
        .order_by(Tracking.created_at.desc(), Tracking.id.desc())
        .limit(1)
    )
    return found


def _may_come_back(video: LockedVideo, asset_id: str) -> bool:
    waits = video.deleting is not None and video.deleting.mux_asset_id == asset_id
    return waits and video.playing is None and video.on_its_way is None


def _bring_back(video: LockedVideo, asset_id: str, cleared_by: str) -> None:
    old = video.deleting
    if old is not None and _may_come_back(video, asset_id):
        transitions.restore_asset(video, old)
        if isinstance(video.owner, Lesson) and _was_out(video.owner.id, cleared_by):
            publication.request(video.owner)
        return
    for upload in video.uploads:
        if upload.mux_asset_id == asset_id and upload.status == "deleting":
            transitions.apply(video, upload, Observation(video_event=VideoEvent.LET_GO))


def _was_out(lesson_id: uuid.UUID, batch_id: str) -> bool:
    """Did the clearing set the lesson back to draft, or withdraw its request to publish?"""
    taken = ("lesson.unpublished", "lesson.publish_withdrawn")
    found = db.session.scalar(
        select(func.count())
        .select_from(AuditLog)
        .where(
            AuditLog.target_id == lesson_id,
            AuditLog.action.in_(taken),
            AuditLog.detail["batch"].astext == batch_id,
        )
    )
    return bool(found)
