"""An upload that was interrupted goes on: its URL is asked of Mux again, since Lessonadmin never stores one.

Only the attempt that is current gets it, while Mux waits for its file and its time has not run out. Mux's answer is an observation like any
other, so a lesson whose upload turns out to be over shows that at once. Which bytes are there already is between
the browser and Mux.
"""

from datetime import datetime

from lessonadmin import mux
from lessonadmin.db import Actor, transaction, transaction_time
from lessonadmin.domain.accounts import rate_limits
from lessonadmin.domain.audit import audit_log
from lessonadmin.domain.errors import Conflict, Missing
from lessonadmin.domain.models import Owner, Tracking
from lessonadmin.domain.polling import ask_mux
from lessonadmin.domain.uploads.direct_upload import IssuedUpload
from lessonadmin.domain.videos import locking
from lessonadmin.domain.videos.locking import LockedVideo
from lessonadmin.domain.videos.observations import Observation, upload_observation
from lessonadmin.domain.videos.state_machine import VideoEvent

OVER = "This upload cannot go on: it was finished, cancelled or replaced, or its time ran out."
WITHOUT_URL = "Mux does not say where this upload goes on. Please send the file from the beginning."


def url_again(owner: Owner, upload_id: str, *, actor: Actor) -> IssuedUpload:
    """The URL of an upload that waits for the rest of its file. Conflict if it is over, here or at Mux."""
    with transaction(actor):
        rate_limits.other_question(actor)
        _waiting(locking.lock_video_of(owner), upload_id)
    found: mux.Upload | None = None
    try:
        found = mux.get_upload(upload_id, priority="high")
        observation = upload_observation(found, found_by="manual", seen=True)
    except mux.Gone:
        observation = Observation(video_event=VideoEvent.UPLOAD_EXPIRED, found_by="manual", seen=True)
    except mux.MuxError as error:
        raise ask_mux.unavailable(error, what="Going on with an upload is") from error
    with transaction(actor):
        expires_at = _go_on(locking.lock_video_of(owner), upload_id, observation)
    if expires_at is None or found is None:
        raise Conflict("not_resumable", OVER)
    if not found.url:
        raise Conflict("not_resumable", WITHOUT_URL)
    return IssuedUpload(upload_id, found.url, expires_at)


def _go_on(video: LockedVideo, upload_id: str, observation: Observation) -> datetime | None:
    """Let Mux's answer happen; until when the upload may go on, None if it may not."""
    upload = _waiting(video, upload_id)
    audit_log.record_mux_call(
        video.owner.kind, video.owner.id, "get_upload", "ok", observation.video_event.value
    )
    if observation.video_event is VideoEvent.UPLOAD_WAITING:
        upload.resumed_at = transaction_time()
    ask_mux.apply_locked(video, upload, observation)
    if upload.status != "uploading" or observation.video_event is not VideoEvent.UPLOAD_WAITING:
        return None
    audit_log.record("video.upload_resumed", video.owner, upload_id=upload_id, filename=upload.filename)
    return upload.expires_at


def _waiting(video: LockedVideo, upload_id: str) -> Tracking:
    upload = next((upload for upload in video.uploads if upload.upload_id == upload_id), None)
    if upload is None:
        raise Missing()
    # one without an end was begun by another program: nothing says how long its URL lives
    if (
        not upload.is_current
        or upload.status != "uploading"
        or upload.expires_at is None
        or ask_mux.ran_out(upload)
    ):
        raise Conflict("not_resumable", OVER)
    return upload
