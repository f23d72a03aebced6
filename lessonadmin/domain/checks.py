"""When Mux is asked about an upload: after a silence that grows with the upload's age, or soon when news disagree.

`next_check_at` in the past makes a row due; the sweep does the asking. Nothing in here talks to Mux.
"""

import uuid

from sqlalchemy import ColumnElement, case, func

from lessonadmin import config
from lessonadmin.domain.models import Tracking
from lessonadmin.queue import enqueue_after_commit

LONGEST_SILENCE = 1800.0
SHARE_OF_AGE = 0.25
AFTER_THE_END = 5.0


def after_silence() -> ColumnElement[object]:
    """The moment to ask when nothing is heard: a quarter of the age, from RECHECK_AFTER_SECONDS to half an hour.

    An upload whose address runs out before that is asked about when it has run out: Mux tells nobody.
    """
    age = func.extract("epoch", func.clock_timestamp() - Tracking.created_at)
    shortest = float(config.current().recheck_after_seconds)
    seconds = func.least(
        func.greatest(age * SHARE_OF_AGE, shortest), func.greatest(shortest, LONGEST_SILENCE)
    )
    runs_out = Tracking.expires_at + func.make_interval(0, 0, 0, 0, 0, 0, AFTER_THE_END)
    waits = (Tracking.status == "uploading") & (Tracking.expires_at > func.clock_timestamp())
    return func.least(later(seconds), case((waits, runs_out)))


def later(seconds: object) -> ColumnElement[object]:
    """So many seconds from now, by the database's clock."""
    return func.clock_timestamp() + func.make_interval(0, 0, 0, 0, 0, 0, seconds)


def heard(row: Tracking) -> None:
    """There was news: wait for the next silence."""
    row.next_check_at = after_silence()  # type: ignore[assignment]  # the database's clock


def ask_soon(row: Tracking) -> None:
    """What we were told does not fit: let a worker look at Mux now, or the next sweep if none can be nudged."""
    row.next_check_at = func.clock_timestamp()
    nudge(row.id)


def nudge(tracking_id: uuid.UUID) -> None:
    """Let a worker look once this transaction is safe."""
    enqueue_after_commit("lessonadmin.jobs.videos.check_asset", str(tracking_id))
