"""When Mux is asked about an upload: after a silence that grows with the upload's age, or soon when news disagree.

`next_check_at` in the past makes a row due; the sweep does the asking. Nothing in here talks to Mux.
"""

import uuid
from datetime import timedelta

from lessonadmin import config
from lessonadmin.db import moment
from lessonadmin.domain.models import Tracking
from lessonadmin.queue import enqueue_after_commit

LONGEST_SILENCE = 1800.0
SHARE_OF_AGE = 0.25
AFTER_THE_END = timedelta(seconds=5)


def heard(row: Tracking) -> None:
    """There was news: Mux is asked when nothing is heard for a quarter of the upload's age.

    At least RECHECK_AFTER_SECONDS, at most half an hour; an upload whose address runs out before that is asked about
    when it has run out, since Mux tells nobody.
    """
    now = moment()
    shortest = float(config.current().recheck_after_seconds)
    age = (now - row.created_at).total_seconds()
    silence = min(max(age * SHARE_OF_AGE, shortest), max(shortest, LONGEST_SILENCE))
    due = now + timedelta(seconds=silence)
    if row.status == "uploading" and row.expires_at is not None and row.expires_at > now:
        due = min(due, row.expires_at + AFTER_THE_END)
    row.next_check_at = due


def ask_soon(row: Tracking) -> None:
    """What we were told does not fit: let a worker look at Mux now, or the next sweep if none can be nudged."""
    row.next_check_at = moment()
    nudge(row.id)


def nudge(tracking_id: uuid.UUID) -> None:
    """Let a worker look once this transaction is safe."""
    enqueue_after_commit("lessonadmin.jobs.videos.check_asset", str(tracking_id))
