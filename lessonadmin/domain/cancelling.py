"""Cancelling uploads at Mux, so that bytes still on their way make no asset: keeping the promises of `deletions`.

If the file was quicker, its asset goes instead. Nothing in here decides that an upload is given up.
"""

import uuid

from sqlalchemy import func, or_, select, update

from lessonadmin import mux
from lessonadmin.db import Actor, db, later, transaction
from lessonadmin.domain import deletions, desks, videos
from lessonadmin.domain.models import Tracking, UploadCancellation
from lessonadmin.domain.reading import upload_news
from lessonadmin.domain.video_state import Happening
from lessonadmin.domain.videos import News

LEASE_SECONDS = 45


def finish(cancellation_id: uuid.UUID, *, actor: Actor, priority: mux.Priority = "low") -> bool:
    """Cancel one upload at Mux; if it became an asset first, that asset goes instead."""
    with transaction(actor):
        upload_id = db.session.scalar(
            update(UploadCancellation)
            .where(
                UploadCancellation.id == cancellation_id,
                UploadCancellation.done_at.is_(None),
                or_(UploadCancellation.due_at <= func.clock_timestamp(), UploadCancellation.attempts == 0),
            )
            .values(attempts=UploadCancellation.attempts + 1, due_at=later(LEASE_SECONDS))
            .returning(UploadCancellation.upload_id)
        )
    if upload_id is None:
        return False
    try:
        upload = _cancel_at_mux(upload_id, priority)
    except mux.MuxError as error:
        with transaction(actor):
            row = db.session.get_one(UploadCancellation, cancellation_id)
            row.last_error = f"{error.category}: {error.message}"
            row.due_at = later(error.retry_after or 60)  # type: ignore[assignment]  # database's clock
        raise
    with transaction(actor):
        _cancelled(cancellation_id, upload_id, upload)
    return True


def _cancelled(cancellation_id: uuid.UUID, upload_id: str, upload: mux.Upload | None) -> None:
    """No bytes come any more. What had come already goes, and the upload itself is history, not for ever open."""
    target = desks.target_of(Tracking.upload_id == upload_id)
    desk = desks.open_desk(*target) if target is not None else None
    row = next((row for row in desk.rows if row.upload_id == upload_id), None) if desk is not None else None
    promise = db.session.get_one(UploadCancellation, cancellation_id, populate_existing=True)
    promise.done_at = func.clock_timestamp()
    promise.last_error = None
    if desk is not None and row is not None:
        gone = News(happening=Happening.UPLOAD_EXPIRED, found_by="sweep", seen=True)
        videos.apply(desk, row, upload_news(upload, found_by="sweep", seen=True) if upload else gone)
    elif upload is not None and upload.asset_id is not None:
        whose = (promise.target_type, promise.target_id)
        deletions.promise_asset(upload.asset_id, why="made by a cancelled upload", target=whose)


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
