"""Telling Mux what was asked for: one row of `CaptionTrack` whose `due_at` is over, later, by a job or the sweep.

A row is put off before Mux is called, so that two never work on it at once, and a killed worker leaves it due again. A creation is
never repeated blindly: the asset is looked at first, where the track that an earlier try has made carries the id of its row. No
transaction is open while Mux is asked.
"""

import uuid
from dataclasses import dataclass

from sqlalchemy import func, select

from lessonadmin import mux
from lessonadmin.db import Actor, db, transaction, transaction_time
from lessonadmin.domain import backoff
from lessonadmin.domain.audit import audit_log
from lessonadmin.domain.captions import learning, text_address, track_states
from lessonadmin.domain.captions.asking import NAMELESS
from lessonadmin.domain.models import CaptionTrack, Tracking
from lessonadmin.domain.videos.locking import LockedVideo

STATES = ("asked", track_states.DELETING)
FIRST_PAUSE_SECONDS = 60.0  # longer than both calls may take
CALLS = 2
VIDEO_GONE = "The video is not there any more."


@dataclass(frozen=True)
class Task:
    """What is to be told to Mux, read under the lock."""

    row_id: uuid.UUID
    upload_id: uuid.UUID
    state: str
    asset_id: str
    track_id: str | None
    language: str
    label: str
    own: bool


def due(limit: int = 50) -> list[uuid.UUID]:
    """Rows whose call is to be made, the one that waited most first."""
    wanted = select(CaptionTrack.id).where(
        CaptionTrack.due_at <= func.clock_timestamp(), CaptionTrack.state.in_(STATES)
    )
    found = list(db.session.scalars(wanted.order_by(CaptionTrack.due_at).limit(limit)))
    db.session.rollback()
    return found


def carry_out(row_id: uuid.UUID, *, actor: Actor, priority: mux.Priority = "low") -> bool:
    """Make the call that a row asks for; False if there is none to make. Raises MuxError: the row is due again later."""
    with transaction(actor):
        task = _claimed(row_id)
    if task is None:
        return False
    try:
        told = _tell_mux(task, priority)
    except mux.MuxError as error:
        with transaction(actor):
            _failed(task, error)
        raise
    with transaction(actor):
        _done(task, told)
    return True


def _claimed(row_id: uuid.UUID) -> Task | None:
    found = learning.locked(row_id)
    if found is None:
        return None
    video, upload, tracks, row = found
    if row.state not in STATES or row.due_at is None or row.due_at > transaction_time():
        return None
    if upload.status != "ready" or upload.real_asset_id is None:
        _end(video, upload, tracks, row, gone=True)
        return None
    row.attempts += 1
    row.due_at = transaction_time() + backoff.delta(row.attempts, first=FIRST_PAUSE_SECONDS)
    return Task(
        row.id,
        upload.id,
        row.state,
        upload.real_asset_id,
        row.mux_track_id,
        row.language or mux.AUTOMATIC,
        row.label or NAMELESS,
        row.source == "own",
    )


def _tell_mux(task: Task, priority: mux.Priority) -> mux.TextTrack | None:
    """The track that there is now; None if there is none any more, or none can be."""
    if task.state == track_states.DELETING and task.track_id is not None:
        _delete(task.asset_id, task.track_id, priority)
        return None
    asset = mux.get_asset(task.asset_id, priority=priority)
    there = next((one for one in asset.text_tracks if one.passthrough == str(task.row_id)), None)
    if task.state == track_states.DELETING:
        if there is not None:
            _delete(task.asset_id, there.id, priority)
        return None
    if there is not None:
        return there
    if task.own:
        return mux.add_text_track(
            task.asset_id,
            url=text_address.of(task.row_id),
            language=task.language,
            name=task.label,
            passthrough=str(task.row_id),
            priority=priority,
        )
    if asset.audio_track_id is None:
        return None
    return mux.generate_captions(
        task.asset_id,
        asset.audio_track_id,
        language=task.language,
        name=task.label,
        passthrough=str(task.row_id),
        priority=priority,
    )


def _delete(asset_id: str, track_id: str, priority: mux.Priority) -> None:
    try:
        mux.delete_track(asset_id, track_id, priority=priority)
    except mux.Gone:
        return


def _done(task: Task, told: mux.TextTrack | None) -> None:
    """Only if the row is still what it was: a person may have removed the captions meanwhile, and then it is due again."""
    found = learning.locked(task.row_id)
    if found is None:
        return
    video, upload, tracks, row = found
    audit_log.record_mux_call(
        video.owner.kind, video.owner.id, f"captions_{task.state}", "ok", row.label or ""
    )
    if told is None and row.state == task.state:
        _end(video, upload, tracks, row, gone=False)
    elif told is not None and row.mux_track_id is None:
        learning.learn_track(video, upload, told)
    if row.state == track_states.DELETING and task.state != track_states.DELETING:
        row.due_at = transaction_time()


def _failed(task: Task, error: mux.MuxError) -> None:
    """What Mux refuses for good ends here; whatever may go well another time stays due."""
    found = learning.locked(task.row_id)
    if found is None:
        return
    video, upload, tracks, row = found
    audit_log.record_mux_call(
        video.owner.kind, video.owner.id, f"captions_{task.state}", error.category, error.message
    )
    for_good = error.kind in ("gone", "refused") and error.category != "auth_error"
    if for_good and row.state == task.state:
        _end(video, upload, tracks, row, gone=error.kind == "gone", why=error.message)
    elif error.retry_after:
        row.due_at = transaction_time() + backoff.delta(
            row.attempts, first=FIRST_PAUSE_SECONDS, retry_after=error.retry_after
        )


def _end(
    video: LockedVideo,
    upload: Tracking,
    tracks: list[CaptionTrack],
    row: CaptionTrack,
    *,
    gone: bool,
    why: str | None = None,
) -> None:
    """Nothing is to be told to Mux any more. Without sound there is nothing to make captions of."""
    row.due_at = row.webvtt = None
    if row.state == track_states.DELETING:
        row.state, row.error = track_states.DELETED, None
    elif gone or why:
        row.state, row.error = "failed", why or VIDEO_GONE
    else:
        row.state, row.error = "skipped", None
    learning.tell(video, upload, row)
    learning.conclude(video, upload, tracks)
