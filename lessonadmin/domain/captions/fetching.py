"""Fetching the text of captions that are ready: one request a track, later, by a job or the sweep, which leads to its transcript.

A track that is ready and not transcribed is due by itself, so a lost job or event costs nothing more, and neither does a track of
before this was there. A row is put off before Mux is asked, so that two never work on it at once. No transaction is open meanwhile.
"""

import logging
import uuid
from dataclasses import dataclass

from sqlalchemy import func, or_, select

from lessonadmin import mux
from lessonadmin.db import Actor, db, transaction, transaction_time
from lessonadmin.domain import backoff
from lessonadmin.domain.captions import learning, transcripts
from lessonadmin.domain.models import CaptionTrack
from lessonadmin.text import subtitles

log = logging.getLogger(__name__)

FIRST_PAUSE_SECONDS = 60.0  # longer than the request may take
CALLS = 1
TOKEN_SECONDS = 300
MAX_TRIES = 12  # about half a day; while Mux does not answer at all they go on
MAX_BYTES = 4_000_000


@dataclass(frozen=True)
class Task:
    """Which text is fetched, read under the lock."""

    row_id: uuid.UUID
    playback_id: str
    signed: bool
    track_id: str
    is_last_try: bool


def due(limit: int = 50) -> list[uuid.UUID]:
    """Tracks whose text is to be fetched, those that were never tried first."""
    wanted = select(CaptionTrack.id).where(
        CaptionTrack.state == "ready",
        CaptionTrack.transcribed_at.is_(None),
        or_(CaptionTrack.due_at.is_(None), CaptionTrack.due_at <= func.clock_timestamp()),
    )
    found = list(db.session.scalars(wanted.order_by(CaptionTrack.due_at.nulls_first()).limit(limit)))
    db.session.rollback()
    return found


def fetch(row_id: uuid.UUID, *, actor: Actor) -> bool:
    """Fetch the text of a track and keep its transcript; False if there is none. Raises MuxError while Mux does not answer."""
    with transaction(actor):
        task = _claimed(row_id)
    if task is None:
        return False
    try:
        read = _read(task)
    except (mux.MuxError, mux.BadSigningKey, subtitles.Faulty) as error:
        log.warning("the text of captions was not fetched: %s", error)
        for_now = isinstance(error, mux.MuxError) and error.kind == "later"
        if task.is_last_try and not for_now:
            _keep(task, subtitles.Subtitles([]), actor)
        if for_now:
            raise
        return False
    return _keep(task, read, actor)


def _claimed(row_id: uuid.UUID) -> Task | None:
    found = learning.locked(row_id)
    if found is None:
        return None
    _, upload, _, row = found
    if row.state != "ready" or row.transcribed_at is not None:
        return None
    if row.due_at is not None and row.due_at > transaction_time():
        return None
    if upload.lesson_id is None or upload.status not in ("uploading", "processing", "ready"):
        row.transcribed_at, row.due_at = transaction_time(), None
        return None
    row.attempts += 1
    row.due_at = transaction_time() + backoff.delta(row.attempts, first=FIRST_PAUSE_SECONDS)
    if upload.mux_playback_id is None or row.mux_track_id is None:
        return None
    return Task(
        row.id,
        upload.mux_playback_id,
        upload.playback_policy == "signed",
        row.mux_track_id,
        row.attempts >= MAX_TRIES,
    )


def _read(task: Task) -> subtitles.Subtitles:
    token = None
    if task.signed:
        token = mux.playback_token(task.playback_id, audience="v", seconds=TOKEN_SECONDS)
    text = mux.read_captions(task.playback_id, task.track_id, token=token, priority="low")
    return subtitles.read(text, most=MAX_BYTES)


def _keep(task: Task, read: subtitles.Subtitles, actor: Actor) -> bool:
    """Only if the captions are still there."""
    with transaction(actor):
        found = learning.locked(task.row_id)
        if found is None or found[3].state != "ready":
            return False
        transcripts.keep(found[3], found[1], read)
    return bool(read.cues)
