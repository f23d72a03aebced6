"""Cancelling uploads at Mux, so that bytes still on their way make no asset: keeping the promises of `outbox`.

If the file was quicker, its asset goes instead. Nothing in here decides that an upload is given up.
"""

import uuid

from sqlalchemy import select

from lessonadmin import mux
from lessonadmin.db import Actor, db, transaction
from lessonadmin.domain.models import Tracking, UploadCancellation
from lessonadmin.domain.videos import locking, outbox, outbox_leases, transitions
from lessonadmin.domain.videos.observations import Observation, upload_observation
from lessonadmin.domain.videos.outbox_leases import Lease
from lessonadmin.domain.videos.state_machine import VideoEvent


def finish(cancellation_id: uuid.UUID, *, actor: Actor, priority: mux.Priority = "low") -> bool:
    """Cancel one upload at Mux; if it became an asset first, that asset goes instead."""
    with transaction(actor):
        lease = outbox_leases.take(
            UploadCancellation, cancellation_id, also_when=UploadCancellation.attempts == 0
        )
    if lease is None:
        return False
    try:
        upload = _cancel_at_mux(lease.mux_id, priority)
    except mux.MuxError as error:
        with transaction(actor):
            outbox_leases.failed(lease, error)
        raise
    with transaction(actor):
        return _cancelled(lease, upload)


def _cancelled(lease: Lease, upload: mux.Upload | None) -> bool:
    """No bytes come any more. What had come already goes, and the upload itself is history, not for ever open.

    False if another one has the cancellation by now, who writes down how it ended.
    """
    target = locking.target_of(Tracking.upload_id == lease.mux_id)
    video = locking.lock_video(*target) if target is not None else None
    row = (
        next((row for row in video.rows if row.upload_id == lease.mux_id), None)
        if video is not None
        else None
    )
    if not outbox_leases.fulfil(lease):
        return False
    promise = db.session.get_one(UploadCancellation, lease.row_id)
    if video is not None and row is not None:
        gone = Observation(video_event=VideoEvent.UPLOAD_EXPIRED, found_by="sweep", seen=True)
        transitions.apply(
            video, row, upload_observation(upload, found_by="sweep", seen=True) if upload else gone
        )
    elif upload is not None and upload.asset_id is not None:
        whose = (promise.target_type, promise.target_id)
        outbox.promise_asset(upload.asset_id, why="made by a cancelled upload", target=whose)
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
            upload = mux.get_upload(upload_id, priority=priority)
        except mux.Gone:
            return None
        if upload.status == "waiting":
            raise  # refused for another reason than that it is over
        return upload


def promised(upload_id: str) -> uuid.UUID | None:
    found: uuid.UUID | None = db.session.scalar(
        select(UploadCancellation.id).where(UploadCancellation.upload_id == upload_id)
    )
    return found
