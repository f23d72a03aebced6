"""Takes events that wait and applies them, many in one transaction, by the same rules as one alone (`handlers`).

An event is applied exactly once: it leaves `WaitingEvent` in the commit that holds everything that it caused and its
`MuxEvent`. Several processes may apply at once, since each takes rows that no other has. A lesson that another transaction has
locked delays its own events and no others. When a batch fails, its halves are tried, until the event that fails stands
alone: it is kept with its error, to be tried again. Nothing in here talks to Mux, sends mail or waits for Redis.
"""

import logging
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from lessonadmin import mux
from lessonadmin.database import bulk_write
from lessonadmin.database.database_errors import is_conflict, is_outage, took_too_long
from lessonadmin.database.single_connection import SingleConnection
from lessonadmin.db import IS_LOCKED, WEBHOOK, before_commit, db, transaction
from lessonadmin.domain.videos import locking
from lessonadmin.domain.webhooks import handlers, inbox
from lessonadmin.domain.webhooks.handlers import EventResult
from lessonadmin.domain.webhooks.inbox import Applied
from lessonadmin.domain.webhooks.waiting_events import OLDEST, OVERDUE

log = logging.getLogger(__name__)

LOCK = 0x1E550D  # any number, the same in every process: the process that has it is the applier
BATCH = 200
MAX_BATCH_BYTES = 8 * 1024 * 1024
# How long anything may wait for a lock that another transaction has, and then for its next turn.
LOCK_MILLISECONDS = 200
PAUSE_SECONDS = 0.2
STALE_SECONDS = 10.0  # an event that waits for longer is applied by other processes as well
BEHIND_SECONDS = 0.5
WATCH_SECONDS = 2.0

LIMIT_LOCKS = text(f"SET LOCAL lock_timeout = '{LOCK_MILLISECONDS}ms'")
TAKE_DUE = text("""SELECT id, octet_length(body) FROM waiting_events WHERE due_at <= clock_timestamp()
  ORDER BY id LIMIT :limit FOR UPDATE SKIP LOCKED""")
TAKE_THESE = text("SELECT id FROM waiting_events WHERE id = ANY(:ids) FOR UPDATE SKIP LOCKED")
WAITING = """SELECT id, mux_event_id, secret_hint, body, received_at,
    EXISTS (SELECT 1 FROM mux_events known WHERE known.mux_event_id = one.mux_event_id) AS is_known
  FROM waiting_events one WHERE id"""
READ = text(f"{WAITING} = ANY(:ids) ORDER BY id")
TAKE_ONE = text(f"{WAITING} = :id FOR UPDATE OF one")
REMOVE = text("DELETE FROM waiting_events WHERE id = ANY(:ids)")
PUT_OFF = text("""UPDATE waiting_events SET due_at = clock_timestamp() + make_interval(secs => :seconds)
  WHERE id = ANY(:ids)""")

LEFT = f"SELECT ({OLDEST}), ({OVERDUE}), {IS_LOCKED}"

Rows = Sequence[Any]
Take = Callable[[Session], Rows]


def apply_due(limit: int = BATCH) -> int:
    """One batch of what is due, in order of arrival; how many events that were."""

    def take(session: Session) -> Rows:
        return _read(session, _small_enough(session.execute(TAKE_DUE, {"limit": limit}).all()))

    return _apply(take)


def apply_now(event_row_id: uuid.UUID) -> None:
    """This one, for a caller that is about to answer. Another process that applies it at this moment is waited for, shortly."""
    _apply(lambda session: session.execute(TAKE_ONE, {"id": event_row_id}).all())


def _these(ids: list[uuid.UUID]) -> Take:
    return lambda session: _read(session, list(session.scalars(TAKE_THESE, {"ids": ids})))


def _read(session: Session, ids: list[uuid.UUID]) -> Rows:
    return session.execute(READ, {"ids": ids}).all() if ids else []


def drain(go_on: Callable[[], bool] = lambda: True) -> int:
    """Batch after batch, until nothing is due."""
    done = 0
    while go_on() and (count := apply_due()):
        done += count
    return done


def help_if_needed(go_on: Callable[[], bool] = lambda: True) -> int:
    """The same, if there is no applier or it does not keep up."""
    (found,) = db.session.connection().exec_driver_sql(LEFT, {"lock": LOCK})
    db.session.rollback()
    return drain(go_on) if Left(*found).needs_help else 0


class Watch:
    """Is anything left unapplied? Asked on a connection of its own, by processes that apply only what others leave."""

    def __init__(self, url: str) -> None:
        self._connection = SingleConnection(url, limit_seconds=WATCH_SECONDS)

    def look(self) -> "Left":
        """As it is at this moment; raises psycopg.Error."""
        (found,) = self._connection.execute(LEFT.encode(), {"lock": LOCK})
        return Left(*found)

    def close(self) -> None:
        """Give the connection back."""
        self._connection.close()


@dataclass(frozen=True)
class Left:
    """For how long the oldest event has waited (0: none waits), since when it is due, and whether there is an applier.

    One that is put off, since its lesson is locked, has waited for long and is not due.
    """

    oldest_seconds: float
    overdue_seconds: float
    applier_is_at_work: bool

    @property
    def is_behind(self) -> bool:
        """The applier has so much to do that no answer should wait for it."""
        return self.overdue_seconds > BEHIND_SECONDS

    @property
    def needs_help(self) -> bool:
        """There is no applier, or it does not keep up."""
        return self.oldest_seconds > (STALE_SECONDS if self.applier_is_at_work else 0)


def _small_enough(found: Sequence[Any]) -> list[uuid.UUID]:
    """The first of them that fit into memory together; always one."""
    taken: list[uuid.UUID] = []
    total = 0
    for row_id, size in found:
        total += size
        if taken and total > MAX_BATCH_BYTES:
            break
        taken.append(row_id)
    return taken


def _apply(take: Take) -> int:
    """One transaction; if it fails, its halves."""
    ids: list[uuid.UUID] = []
    try:
        with transaction(WEBHOOK) as session:
            session.execute(LIMIT_LOCKS)
            rows = take(session)
            ids = [row.id for row in rows]
            if rows:
                _apply_rows(session, rows)
    except Exception as error:  # an event must not be lost, whatever applying it raises
        if not ids and is_conflict(error):
            return 0  # another process is applying it
        if not ids or (is_outage(error) and not took_too_long(error)):
            raise
        _apply_halves(ids, error)
    return len(ids)


def _apply_halves(ids: list[uuid.UUID], error: Exception) -> None:
    if len(ids) == 1:
        _take_out(ids[0], error)
        return
    log.warning("a batch of %s events failed, its halves are tried: %s", len(ids), type(error).__name__)
    middle = len(ids) // 2
    for half in (ids[:middle], ids[middle:]):
        _apply(_these(half))


def _apply_rows(session: Session, rows: Rows) -> None:
    new = [(row, mux.read_event(row.body)) for row in rows if not row.is_known]
    targets = handlers.find_targets([event for _, event in new])
    locked = locking.lock_many({one for one in targets if one is not None}, skip_locked=True)
    applied: list[Applied] = []
    held: set[uuid.UUID] = set()
    for (row, event), target in zip(new, targets, strict=True):
        if target in locked.held:
            held.add(row.id)
        else:
            applied.append(_applied(row, event, handlers.apply_to(target, event)))
    bulk_write.write(session)
    inbox.record(applied)
    _count_duplicates(rows)
    if held:
        session.execute(PUT_OFF, {"ids": list(held), "seconds": PAUSE_SECONDS})
    done = [row.id for row in rows if row.id not in held]
    # Last of all: while a row is being removed, the same webhook that comes again waits for this commit.
    before_commit(lambda at_the_end: at_the_end.execute(REMOVE, {"ids": done}))


def _applied(row: Any, event: mux.Event, result: EventResult) -> Applied:
    return Applied(row.id, event, row.secret_hint, row.received_at, result)


def _count_duplicates(rows: Rows) -> None:
    for row in rows:
        if row.is_known:
            inbox.count_later(mux.read_event(row.body).type, "duplicate")


def _take_out(row_id: uuid.UUID, error: Exception) -> None:
    """An event that fails alone: put off if another transaction was in the way, else kept with its error."""
    if is_conflict(error):
        with transaction(WEBHOOK) as session:
            session.execute(PUT_OFF, {"ids": [row_id], "seconds": PAUSE_SECONDS})
        return
    log.error("event %s could not be applied", row_id, exc_info=error)
    with transaction(WEBHOOK) as session:
        for row in _these([row_id])(session):
            if not row.is_known:
                inbox.record_failed(_applied(row, _readable(row), EventResult("failed")), error)
            session.execute(REMOVE, {"ids": [row_id]})


def _readable(row: Any) -> mux.Event:
    """The event; or, of a body that cannot be read, the little that was read when it came."""
    try:
        return mux.read_event(row.body)
    except Exception:  # whatever is wrong with it, its row says that it came
        return mux.Event(id=row.mux_event_id, type="unreadable")
