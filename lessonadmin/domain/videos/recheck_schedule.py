"""When Mux is asked about an upload: after a silence that grows with the upload's age, or soon when observations disagree.

An upload of which Mux has said that it waits for the file costs a few calls a day: what ends the wait is told by a webhook
or by the browser, each of which makes the silence short again.

`next_check_at` in the past makes a row due. The clock hands it to a worker and notes that in `handed_over_at`, until
there is an observation of the upload. Nothing in here talks to Mux.
"""

from datetime import datetime, timedelta

from lessonadmin import config
from lessonadmin.db import transaction_time
from lessonadmin.domain.models import Tracking
from lessonadmin.domain.videos.state_machine import VideoEvent
from lessonadmin.queue import enqueue_after_commit

CHECK_ASSET = "lessonadmin.jobs.videos.check_asset"
MAX_SILENCE_SECONDS = 1800.0
MAX_SILENCE_WITHOUT_FILE_SECONDS = 21_600.0
SHARE_OF_AGE = 0.25
AFTER_THE_END = timedelta(seconds=5)


def schedule_next(upload: Tracking) -> None:
    """There was an observation: Mux is asked when nothing is heard for a quarter of the upload's age.

    At least RECHECK_AFTER_SECONDS, at most half an hour, or six hours while Mux waits for the file; an upload whose
    address runs out before that is asked about when it has run out, since Mux sends no event.
    """
    now = transaction_time()
    due = now + timedelta(
        seconds=_silence((now - _since(upload)).total_seconds(), most=_most_silence(upload))
    )
    if upload.status == "uploading" and upload.expires_at is not None and upload.expires_at > now:
        due = min(due, upload.expires_at + AFTER_THE_END)
    upload.next_check_at, upload.handed_over_at = due, None


def _since(upload: Tracking) -> datetime:
    """Its age counts from the last that its browser did for it: a wait that goes on is as fresh as one that begins."""
    if upload.status != "uploading":
        return upload.created_at
    return upload.bytes_in_at or upload.resumed_at or upload.created_at


def _most_silence(upload: Tracking) -> float:
    """After a look that failed Mux's word is old, so that the usual silence holds."""
    waits = upload.status == "uploading" and upload.last_answer == VideoEvent.UPLOAD_WAITING.value
    quiet = waits and upload.bytes_in_at is None and upload.last_look_error is None
    return MAX_SILENCE_WITHOUT_FILE_SECONDS if quiet else MAX_SILENCE_SECONDS


def schedule_for_captions(upload: Tracking, *, since: datetime) -> None:
    """The video plays and its captions are still being made: Mux is asked after a quarter of the time that it has worked
    on them, within the same bounds."""
    now = transaction_time()
    upload.next_check_at = now + timedelta(seconds=_silence((now - since).total_seconds()))
    upload.handed_over_at = None


def _silence(age: float, *, most: float = MAX_SILENCE_SECONDS) -> float:
    shortest = float(config.current().recheck_after_seconds)
    return min(max(age * SHARE_OF_AGE, shortest), max(shortest, most))


def schedule_now(upload: Tracking) -> None:
    """What was observed does not fit: let a worker look at Mux once this transaction is safe, or else the next sweep."""
    upload.next_check_at, upload.handed_over_at = transaction_time(), None
    enqueue_after_commit(CHECK_ASSET, str(upload.id))


def unschedule(upload: Tracking) -> None:
    """Nothing is to be asked about this upload any more."""
    upload.next_check_at = upload.handed_over_at = None
