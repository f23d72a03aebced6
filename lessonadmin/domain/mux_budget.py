"""The share of Mux that background work may use: one token bucket in the database for all workers and clocks.

Mux gives a low-priority token 20 calls at once and one a second after that. The bucket stays below, obeys
`Retry-After`, and pauses all background work for a minute after ten failures in a row. Requests of users use another
token and never ask here.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import case, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from lessonadmin import mux
from lessonadmin.db import db, later
from lessonadmin.domain import heartbeats
from lessonadmin.domain.models import MuxBudget

log = logging.getLogger(__name__)

MAX_WAIT_SECONDS = 300.0
CLOSED = "Mux accepts no background calls at the moment"
NAME = "background"
CAPACITY = 18.0
PER_SECOND = 1.0
# Work that waits for calls leaves these to work that does not wait. Else it takes each token as it is added, and a
# deletion, a cancellation or a check, which need two at once, get none as long as it goes on.
RESERVED_CALLS = 4.0
MAX_FAILURES_IN_A_ROW = 10
PAUSE_SECONDS = 60.0
PAUSE_WITHOUT_RETRY_AFTER_SECONDS = 5.0  # after "too many calls" that do not say for how long
# Names of the heartbeats that say what Mux last answered to background work.
ANSWERED, REFUSED = "mux:ok", "mux:auth_error"
HEARTBEAT_SECONDS = 10.0
_noted: dict[str, float] = {}


class Closed(Exception):
    """The bucket stayed empty for longer than work can wait: nothing was asked, and what is left is for the next run."""

    def __init__(self) -> None:
        super().__init__(CLOSED)


def take(calls: int = 1, *, reserve: float = 0.0) -> bool:
    """May so many calls be made now, leaving a reserve to others? A crash never gives tokens back."""
    db.session.execute(
        insert(MuxBudget).values(name=NAME, tokens=CAPACITY).on_conflict_do_nothing(index_elements=["name"])
    )
    elapsed = func.extract("epoch", func.clock_timestamp() - MuxBudget.filled_at)
    filled = func.least(CAPACITY, MuxBudget.tokens + elapsed * PER_SECOND)
    paused = func.coalesce(MuxBudget.paused_until > func.clock_timestamp(), text("false"))
    granted = db.session.execute(
        update(MuxBudget)
        .where(MuxBudget.name == NAME, ~paused, filled >= calls + reserve)
        .values(tokens=filled - calls, filled_at=func.clock_timestamp())
        .returning(MuxBudget.name)
    ).first()
    db.session.commit()
    return granted is not None


def wait(calls: int = 1, *, max_seconds: float = MAX_WAIT_SECONDS, reserve: float = RESERVED_CALLS) -> bool:
    """The same for work that has time: wait for the bucket to fill, and leave some to what has none."""
    until = time.monotonic() + max_seconds
    while not take(calls, reserve=reserve):
        if time.monotonic() > until:
            return False
        time.sleep(0.5)
    return True


def wait_or_stop(calls: int = 1) -> None:
    """The same for a long run, which ends here if the bucket stays empty; raises Closed."""
    if not wait(calls, max_seconds=MAX_WAIT_SECONDS):
        raise Closed


@contextmanager
def call(calls: int = 1, *, reserve: float = 0.0) -> Iterator[bool]:
    """A background call to Mux with its share of the bucket. A failure is counted and logged, never raised: the
    row that it was about stays due."""
    granted = take(calls, reserve=reserve)
    try:
        yield granted
        if granted:
            went_well()
    except mux.MuxError as error:
        went_wrong(error)
        log.warning("a background call to Mux failed: %s", error.category)


def went_well() -> None:
    """A call was answered: the row of failures is broken."""
    _record_heartbeat(ANSWERED, every=HEARTBEAT_SECONDS)
    db.session.execute(
        update(MuxBudget).where(MuxBudget.name == NAME, MuxBudget.failures > 0).values(failures=0)
    )
    db.session.commit()


def went_wrong(error: mux.MuxError) -> None:
    """A call failed in a way that may hit the next one too: count it, and pause as long as Mux asks for."""
    about_one = error.kind in ("gone", "nonsense") or error.category == "preparing"
    if about_one or (error.kind == "refused" and error.category != "auth_error"):
        return
    _record_heartbeat(REFUSED if error.category == "auth_error" else f"mux:{error.category}", every=0)
    failures = MuxBudget.failures + 1
    retry_after = error.retry_after or (
        PAUSE_WITHOUT_RETRY_AFTER_SECONDS if error.category == "rate_limit" else 0
    )
    many = failures >= MAX_FAILURES_IN_A_ROW
    seconds = case((many, max(PAUSE_SECONDS, retry_after)), else_=retry_after)
    # Another worker's longer pause is never cut short.
    until = func.greatest(MuxBudget.paused_until, later(seconds))
    db.session.execute(
        update(MuxBudget)
        .where(MuxBudget.name == NAME)
        .values(
            failures=case((many, 0), else_=failures),
            paused_until=case((seconds > 0, until), else_=MuxBudget.paused_until),
        )
    )
    db.session.commit()


def _record_heartbeat(name: str, *, every: float) -> None:
    """A heartbeat of Mux, for the alarms and the doctor."""
    if time.monotonic() - _noted.get(name, -every) >= every:
        _noted[name] = time.monotonic()
        heartbeats.record(name)


def left() -> tuple[float, float]:
    """Tokens left and seconds of pause left, for the dashboard."""
    now = func.clock_timestamp()
    row = db.session.execute(
        select(
            func.least(
                CAPACITY, MuxBudget.tokens + func.extract("epoch", now - MuxBudget.filled_at) * PER_SECOND
            ),
            func.greatest(func.extract("epoch", MuxBudget.paused_until - now), 0),
        ).where(MuxBudget.name == NAME)
    ).first()
    return (float(row[0]), float(row[1] or 0)) if row is not None else (CAPACITY, 0.0)
