"""Deleting assets and cancelling uploads at Mux: what the rows of `outbox` ask for, later, by a job or the sweep.

An asset that is "gone" is done, one that Mux is "preparing" is tried later; after each deletion Mux is asked whether it
is gone. Where a file was quicker than the cancelling of its upload, its asset goes instead. An id that did not come
from local rows is never sent. Nothing in here decides that a video is given up: that is `removal`.
"""

import uuid

from sqlalchemy import select

from lessonadmin import mux
from lessonadmin.db import Actor, db, transaction
from lessonadmin.domain.audit import audit_log
from lessonadmin.domain.models import AssetDeletion, Tracking, UploadCancellation
from lessonadmin.domain.videos import locking, outbox, transitions
from lessonadmin.domain.videos.observations import Observation, upload_observation
from lessonadmin.domain.videos.outbox import Lease
from lessonadmin.domain.videos.state_machine import VideoEvent


def _end_if_used(deletion_id: uuid.UUID) -> bool:
    """End a deletion that can never be carried out, because a lesson or course uses the asset; True if that was so.

    None is written while there is a user. This is for rows of an older program, and for a user that came by another
    way than through this one. Those that wait for the deletion let go of the asset.
    """
    open_row = select(AssetDeletion).where(AssetDeletion.id == deletion_id, AssetDeletion.done_at.is_(None))
    row = db.session.scalar(open_row)
    if row is None or not outbox.users_of(row.mux_asset_id):
        return False
    waiting = locking.lock_all(set(), {row.mux_asset_id}).values()
    outbox.lock_asset(row.mux_asset_id)
    users = outbox.users_of(row.mux_asset_id)
    if not users:
        return False
    outbox.remove_deletion(deletion_id)
    audit_log.record_for(
        "deletion.ended",
        "deletion",
        deletion_id,
        asset_id=row.mux_asset_id,
        used_by=" ".join(map(str, users[0])),
    )
    for video in waiting:
        for one in video.uploads:
            if one.mux_asset_id == row.mux_asset_id and one.status == "deleting":
                transitions.apply(video, one, Observation(video_event=VideoEvent.LET_GO))
    return True


def finish_deletion(deletion_id: uuid.UUID, *, actor: Actor, priority: mux.Priority = "low") -> bool:
    """Carry out one deletion: delete at Mux, see that it is gone, write that down. False: later, or (if something uses
    the asset) never, and then the row is no more."""
    with transaction(actor):
        lease = outbox.claim_deletion(deletion_id)
    if lease is None:
        with transaction(actor):
            _end_if_used(deletion_id)
        return False
    try:
        gone = _delete_and_verify(lease.mux_id, priority)
    except mux.MuxError as error:
        with transaction(actor):
            _record_failure(lease, error)
        raise
    with transaction(actor):
        if gone:
            _record_deletion(lease)
        else:
            outbox.release(lease, "Mux has not removed it yet", seconds=30)
    return gone


def _delete_and_verify(asset_id: str, priority: mux.Priority) -> bool:
    try:
        mux.delete_asset(asset_id, priority=priority)
        mux.get_asset(asset_id, priority=priority)
    except mux.Gone:
        return True
    return False


def _record_failure(lease: Lease, error: mux.MuxError) -> None:
    row = db.session.get(AssetDeletion, lease.row_id)
    if row is None:
        return  # it was ended meanwhile, since something uses the asset
    outbox.release_after_error(lease, error)
    if row.target_type and row.target_id:
        audit_log.record_mux_call(
            row.target_type, row.target_id, "delete_asset", error.category, error.message
        )


def _record_deletion(lease: Lease) -> None:
    """Gone at Mux. A zombie whose lease ran out changes nothing that is not already true."""
    for kind, owner_id in locking.owners_with_asset(lease.mux_id):
        video = locking.lock_video(kind, owner_id, in_trash_too=True)
        for upload in video.uploads if video else []:
            if video is not None and upload.mux_asset_id == lease.mux_id:
                transitions.apply(video, upload, Observation(video_event=VideoEvent.ASSET_DELETED, seen=True))
    outbox.mark_asset_deleted(lease.mux_id)


def finish_cancellation(cancellation_id: uuid.UUID, *, actor: Actor, priority: mux.Priority = "low") -> bool:
    """Cancel one upload at Mux; if it became an asset first, that asset goes instead."""
    with transaction(actor):
        lease = outbox.take_lease(
            UploadCancellation, cancellation_id, also_when=UploadCancellation.attempts == 0
        )
    if lease is None:
        return False
    try:
        mux_upload = _cancel_at_mux(lease.mux_id, priority)
    except mux.MuxError as error:
        with transaction(actor):
            outbox.release_after_error(lease, error)
        raise
    with transaction(actor):
        return _record_cancellation(lease, mux_upload)


def _record_cancellation(lease: Lease, mux_upload: mux.Upload | None) -> bool:
    """No bytes come any more. What had come already goes, and the upload itself is history, not for ever open.

    False if another one has the cancellation by now, who writes down how it ended.
    """
    target = locking.target_of(Tracking.upload_id == lease.mux_id)
    video = locking.lock_video(*target, in_trash_too=True) if target is not None else None
    upload = (
        next((upload for upload in video.uploads if upload.upload_id == lease.mux_id), None)
        if video is not None
        else None
    )
    if not outbox.mark_done(lease):
        return False
    row = db.session.get_one(UploadCancellation, lease.row_id)
    if video is not None and upload is not None:
        gone = Observation(video_event=VideoEvent.UPLOAD_EXPIRED, found_by="sweep", seen=True)
        transitions.apply(
            video, upload, upload_observation(mux_upload, found_by="sweep", seen=True) if mux_upload else gone
        )
    elif mux_upload is not None and mux_upload.asset_id is not None:
        whose = (row.target_type, row.target_id)
        outbox.request_deletion_of_asset(mux_upload.asset_id, why="made by a cancelled upload", target=whose)
    return True


def _cancel_at_mux(upload_id: str, priority: mux.Priority) -> mux.Upload | None:
    """The upload as Mux has it after that; it may have become an asset before it could be cancelled."""
    try:
        return mux.cancel_upload(upload_id, priority=priority)
    except mux.Gone:
        return None
    except mux.Refused as error:
        if error.category == "auth_error" and error.status != 403:
            raise
        try:
            mux_upload = mux.get_upload(upload_id, priority=priority)
        except mux.Gone:
            return None
        if mux_upload.status == "waiting":
            raise  # refused for another reason than that it is over
        return mux_upload


def open_cancellation_id(upload_id: str) -> uuid.UUID | None:
    found: uuid.UUID | None = db.session.scalar(
        select(UploadCancellation.id).where(UploadCancellation.upload_id == upload_id)
    )
    return found
