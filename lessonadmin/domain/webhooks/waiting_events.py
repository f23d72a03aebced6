"""Webhooks that are stored and answered, and wait to be applied: putting them there, and how many there are.

Storing is one statement for every webhook that comes at the same moment, on a connection of its own. A webhook that is
known already, waiting or applied, is not stored again. What is stored wakes the applier, unless the caller applies it itself.
Nothing in here applies an event.
"""

import time
import uuid
from dataclasses import dataclass, field

from sqlalchemy import Connection, func, select

from lessonadmin.database.group_commit import Entry, GroupCommit
from lessonadmin.database.single_connection import SingleConnection
from lessonadmin.db import db, new_id
from lessonadmin.domain.models import WaitingEvent

CHANNEL = "waiting_events"
# Mux gives up after five seconds: a connection that is made (2 s) and a statement stay below, as does a wait for others.
STORE_SECONDS = 2.0
MAX_WAIT_SECONDS = 4.0
MAX_WAIT_FOR_APPLIER_SECONDS = 0.3
SILENT_SECONDS = (
    0.02  # a notification costs as much as a row; the applier looks again by itself after each one
)
# In one order of ids everywhere, so that two processes that store the same webhooks never wait for each other in a circle.
STORE = b"""WITH given AS (
    SELECT * FROM unnest(%(ids)b::uuid[], %(mux_event_ids)b::text[], %(hints)b::text[], %(bodies)b::bytea[])
        AS one (id, mux_event_id, secret_hint, body)),
  stored AS (
    INSERT INTO waiting_events (id, mux_event_id, secret_hint, body)
    SELECT id, mux_event_id, secret_hint, body FROM given
     WHERE (SELECT known.id FROM mux_events known WHERE known.mux_event_id = given.mux_event_id LIMIT 1) IS NULL
     ORDER BY mux_event_id
    ON CONFLICT (mux_event_id) DO NOTHING RETURNING id)
SELECT id, CASE WHEN %(wakes)b THEN pg_notify(%(channel)b::text, '')::text END FROM stored"""
STILL_WAITS = b"SELECT 1 FROM waiting_events WHERE id = %(id)b"
AGE = func.extract("epoch", func.clock_timestamp() - func.min(WaitingEvent.received_at))
BACKLOG = select(func.count(), func.coalesce(AGE, 0)).select_from(WaitingEvent)
OLDEST = """SELECT coalesce((SELECT extract(epoch FROM clock_timestamp() - received_at)::float
  FROM waiting_events ORDER BY id LIMIT 1), 0)"""
OVERDUE = """SELECT coalesce((SELECT extract(epoch FROM clock_timestamp() - due_at)::float
  FROM waiting_events ORDER BY id LIMIT 1), 0)"""


@dataclass
class Incoming:
    """A genuine webhook. `is_new`: it was not known before; false until it is stored."""

    mux_event_id: str
    secret_hint: str
    body: bytes
    wakes_applier: bool = True
    id: uuid.UUID = field(default_factory=new_id)
    is_new: bool = False


class Store:
    """The way into the table for all threads of one process."""

    def __init__(self, url: str) -> None:
        self._connection = SingleConnection(url, limit_seconds=STORE_SECONDS, only_by_index=True)
        self._asking = SingleConnection(url, limit_seconds=STORE_SECONDS, only_by_index=True)
        self._group = GroupCommit(self._write, max_wait_seconds=MAX_WAIT_SECONDS)
        self._silent_until = 0.0

    def put(self, incoming: Incoming) -> Entry[Incoming]:
        """It is stored with everything that is put at the same moment; the caller waits for it, or withdraws it."""
        return self._group.put(incoming)

    def wait(self, entry: Entry[Incoming]) -> None:
        """Returns when it is stored durably; raises psycopg.Error or NotWrittenInTime if it may not be."""
        self._group.wait(entry)

    def withdraw(self, entry: Entry[Incoming]) -> None:
        """Its caller does not wait for it."""
        self._group.withdraw(entry)

    def _write(self, several: list[Incoming]) -> None:
        now = time.monotonic()
        wakes = now >= self._silent_until and any(one.wakes_applier for one in several)
        values = {
            "ids": [one.id for one in several],
            "mux_event_ids": [one.mux_event_id for one in several],
            "hints": [one.secret_hint for one in several],
            "bodies": [one.body for one in several],
            "wakes": wakes,
            "channel": CHANNEL,
        }
        stored = {row[0] for row in self._connection.execute(STORE, values)}
        if wakes and stored:
            self._silent_until = now + SILENT_SECONDS
        for one in several:
            one.is_new = one.id in stored

    def wait_until_applied(self, incoming: Incoming) -> bool:
        """For a caller that is alone, and for a moment only: is it applied?"""
        until = time.monotonic() + MAX_WAIT_FOR_APPLIER_SECONDS
        pause = 0.004
        while self._asking.execute(STILL_WAITS, {"id": incoming.id}):
            if time.monotonic() + pause > until:
                return False
            time.sleep(pause)
            pause *= 1.5
        return True

    def close(self) -> None:
        """Give the connections back."""
        self._connection.close()
        self._asking.close()


@dataclass(frozen=True)
class Backlog:
    """What waits to be applied, and for how long the oldest has waited."""

    count: int
    oldest_seconds: float


def backlog(on: Connection | None = None) -> Backlog:
    """Counted at this moment."""
    count, oldest = (on or db.session).execute(BACKLOG).one()
    return Backlog(count, float(oldest))
