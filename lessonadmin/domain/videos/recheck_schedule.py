"""When Mux is asked about an upload: after a silence that grows with the upload's age, or soon when observations disagree.

`next_check_at` in the past makes a row due. The clock hands it to a worker and notes that in `handed_over_at`, until
there is an observation of the upload. Nothing in here talks to Mux.
"""

from datetime import datetime, timedelta

from lessonadmin import config
from lessonadmin.db import transaction_time
from lessonadmin.domain.models import Tracking
from lessonadmin.queue import enqueue_after_commit

CHECK_ASSET = "lessonadmin.jobs.videos.check_asset"
MAX_SILENCE_SECONDS = 1800.0
SHARE_OF_AGE = 0.25
AFTER_THE_END = timedelta(seconds=5)


def schedule_next(upload: Tracking) -> None:
    """There was an observation: Mux is asked when nothing is heard for a quarter of the upload's age.

    At least RECHECK_AFTER_SECONDS, at most half an hour; an upload whose address runs out before that is asked about
    when it has run out, since Mux sends no event.
    """
    now = transaction_time()
    due = now + timedelta(seconds=_silence((now - upload.created_at).total_seconds()))
    if upload.status == "uploading" and upload.expires_at is not None and upload.expires_at > now:
        due = min(due, upload.expires_at + AFTER_THE_END)
    upload.next_check_at, upload.handed_over_at = due, None


def schedule_for_captions(upload: Tracking, *, since: datetime) -> None:
    """The video plays and its captions are still being made: Mux is asked after a quarter of the time that it has worked
    on them, within the same bounds."""
    now = transaction_time()
    upload.next_check_at = now + timedelta(seconds=_silence((now - since).total_seconds()))
    upload.handed_over_at = None


def _silence(age: float) -> float:
    shortest = float(config.current().recheck_after_seconds)
    return min(max(age * SHARE_OF_AGE, shortest), max(shortest, MAX_SILENCE_SECONDS))


def schedule_now(upload: Tracking) -> None:
    """What was observed does not fit: let a worker look at Mux once this transaction is safe, or else the next sweep."""
    upload.next_check_at, upload.handed_over_at = transaction_time(), None
    enqueue_after_commit(CHECK_ASSET, str(upload.id))


def unschedule(upload: Tracking) -> None:
    """Nothing is to be asked about this upload any more."""
    upload.next_check_at = upload.handed_over_at = None
