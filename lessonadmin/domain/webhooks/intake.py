"""Takes in webhooks for the threads of one process: each is stored, and applied by the process that is quickest.

A caller begins with as many as it has, and then finishes each: so they are stored together. One that comes alone is applied
before its caller answers, by this process or, where many come, by the applier; not while older ones wait. Others are applied by the
applier right after (`lessonadmin.jobs.applier`), and by this process where there is none. Nothing in here checks who sent a
webhook, and nothing waits for Mux, mail or Redis.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import Enum

import psycopg
from sqlalchemy.exc import SQLAlchemyError

from lessonadmin import config
from lessonadmin.database.group_commit import Entry
from lessonadmin.domain.webhooks import applier, inbox
from lessonadmin.domain.webhooks.waiting_events import Incoming, Store

log = logging.getLogger(__name__)

# Within a second, so many webhooks are applied by this process before their answer; with more the applier is quicker.
MAX_APPLIED_AT_ONCE = 20
LOOK_AFTER_SECONDS = 1.0
LOOK_AFTER_FAILURE_SECONDS = 10.0  # longer than a statement waits for a lock whose caller has gone
THREAD = "webhooks that are left"

InContext = Callable[[], AbstractContextManager[object]]  # around everything that uses a session


class Intake:
    """The way in for all threads of one process."""

    def __init__(self, in_context: InContext) -> None:
        self._in_context = in_context
        self._traffic = _Traffic()
        self._guard = threading.Lock()
        self._store: Store | None = None
        self._leftovers = Leftovers(in_context)

    def begin(self, incoming: Incoming, kind: str) -> "Arrival":
        """It will be stored with everything else that has begun; the caller finishes it, or gives it up."""
        store = self._opened()
        return Arrival(incoming, kind, store.put(incoming), was_alone=self._traffic.come())

    def finish(self, arrival: "Arrival") -> None:
        """Returns when it is stored; raises psycopg.Error or NotWrittenInTime if it may not be."""
        try:
            is_applied = self._store_and_apply(arrival)
        except Exception:  # what was not stored in time may be stored after all, once PostgreSQL gets to it
            self._leftovers.look(seconds=LOOK_AFTER_FAILURE_SECONDS)
            raise
        finally:
            self._traffic.go()
        if not is_applied:
            self._leftovers.look(seconds=LOOK_AFTER_SECONDS)
        if not arrival.incoming.is_new:
            inbox.count(arrival.kind, "duplicate")

    def give_up(self, arrival: "Arrival") -> None:
        """Its client has gone. It may be stored all the same."""
        self._opened().withdraw(arrival.entry)
        self._leftovers.look(seconds=LOOK_AFTER_SECONDS)
        self._traffic.go()

    def _store_and_apply(self, arrival: "Arrival") -> bool:
        store, incoming = self._opened(), arrival.incoming
        is_alone = arrival.was_alone and self._traffic.is_one()
        is_quiet = is_alone and self._traffic.is_quiet()
        incoming.wakes_applier = not is_quiet or self._leftovers.applier_was_behind()
        store.wait(arrival.entry)
        if not (is_alone and incoming.is_new):
            return False
        way = self._way(is_quiet)
        if way is Way.BY_APPLIER:
            return store.wait_until_applied(incoming)
        return way is Way.HERE and self._applied(incoming)

    def _way(self, is_quiet: bool) -> "Way":
        """For one that came alone and is stored."""
        try:
            left = self._leftovers.seen()
        except psycopg.Error as error:
            log.warning("it is not known whether webhooks are left: %s", type(error).__name__)
            return Way.LATER
        if not left.applier_is_at_work:
            return Way.HERE
        if left.is_behind:
            return Way.LATER  # the processor is needed for those that have come before
        return Way.HERE if is_quiet else Way.BY_APPLIER

    def _opened(self) -> Store:
        """Made by the first webhook: a process that is forked before has a connection of its own."""
        with self._guard:
            self._store = self._store or Store(config.current().database_url)
            return self._store

    def _applied(self, incoming: Incoming) -> bool:
        try:
            with self._in_context():
                applier.apply_now(incoming.id)
        except SQLAlchemyError as error:
            log.warning(
                "event %s is stored and not applied yet: %s", incoming.mux_event_id, type(error).__name__
            )
            return False
        return True


class Way(Enum):
    """Who applies a webhook, and whether its answer waits for that."""

    HERE = "this process, before the answer"
    BY_APPLIER = "the applier, waited for"
    LATER = "the applier, after the answer"


@dataclass(frozen=True)
class Arrival:
    """A webhook that has begun to be stored. `was_alone`: no other was on its way in this process."""

    incoming: Incoming
    kind: str
    entry: Entry[Incoming]
    was_alone: bool


class _Traffic:
    """How many webhooks this process receives at this moment, and how many of them came alone within the last second."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._now = 0
        self._latest: deque[float] = deque(maxlen=MAX_APPLIED_AT_ONCE)

    def come(self) -> bool:
        """One more is on its way. Is it the only one?"""
        with self._guard:
            self._now += 1
            return self._now == 1

    def go(self) -> None:
        """One has been answered."""
        with self._guard:
            self._now -= 1

    def is_one(self) -> bool:
        """Is no more than one on its way?"""
        return self._now == 1

    def is_quiet(self) -> bool:
        now = time.monotonic()
        with self._guard:
            is_quiet = len(self._latest) < MAX_APPLIED_AT_ONCE or now - self._latest[0] > 1.0
            self._latest.append(now)
        return is_quiet


class Leftovers:
    """A thread that looks a moment later whether what was stored is applied, and applies it where there is no applier.

    It lives until nothing waits any more, and as long as a caller expects something.
    """

    def __init__(self, in_context: InContext) -> None:
        self._in_context = in_context
        self._guard = threading.Lock()
        self._thread: threading.Thread | None = None
        self._expected_until = 0.0
        self._asking = threading.Lock()
        self._watch: applier.Watch | None = None
        self._seen: tuple[float, applier.Left] | None = None

    def look(self, *, seconds: float) -> None:
        """Within so many seconds something may be there."""
        with self._guard:
            self._expected_until = max(self._expected_until, time.monotonic() + seconds)
            if self._thread is None or not self._thread.is_alive():  # it does not live on in a forked process
                self._thread = threading.Thread(target=self._run, name=THREAD, daemon=True)
                self._thread.start()

    def seen(self) -> applier.Left:
        """What is left, asked for once a second at most."""
        seen = self._seen
        if seen is None or time.monotonic() - seen[0] > LOOK_AFTER_SECONDS:
            self._seen = seen = (time.monotonic(), self._look())
        return seen[1]

    def applier_was_behind(self) -> bool:
        """When it was last asked."""
        return self._seen is not None and self._seen[1].is_behind

    def _run(self) -> None:
        is_left = True
        while is_left:
            time.sleep(LOOK_AFTER_SECONDS)
            try:
                is_left = self._apply_what_is_left()
            except (psycopg.Error, SQLAlchemyError) as error:
                log.warning("it is not known whether webhooks are left: %s", type(error).__name__)
            except Exception:  # the thread must go on, whatever one event raises
                log.exception("webhooks that were left could not be applied")
            with self._guard:
                is_left = is_left or time.monotonic() < self._expected_until
                if not is_left:
                    self._thread = None

    def _apply_what_is_left(self) -> bool:
        """Did anything wait?"""
        left = self._look()
        if left.needs_help:
            with self._in_context():
                applier.drain()
        return left.oldest_seconds > 0

    def _look(self) -> applier.Left:
        with self._asking:
            self._watch = self._watch or applier.Watch(config.current().database_url)
            return self._watch.look()
