"""Calls to Mux within a web request: after a limit has counted them, and few at a time.

A web process has few threads, and a slow Mux holds one for seconds with every call: pages, health checks and webhooks must
find a thread all the same. So at most MAX_AT_ONCE calls run at once, and one of the places is kept for starting uploads. While Mux is
quick, the next call waits a moment for a place; once a call has taken longer than that moment, no call waits any more: waiting
takes a thread as well. A call that no limit has counted is a programming error and is never made. Workers, the clock and
commands are not concerned: outside of a request nothing is counted and no call waits.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from lessonadmin.mux.errors import Later

MAX_AT_ONCE = 3
RESERVED_FOR_UPLOADS = 1
WAIT_SECONDS = 0.5
RETRY_AFTER_SECONDS = 5
BUSY_MESSAGE = "Too many calls to Mux are running right now, so this one was not made."


class NotCounted(RuntimeError):
    """A view asks Mux and no limit holds it: count it in `domain.accounts.rate_limits` first."""


@dataclass
class _Request:
    counted: bool = False


_request: ContextVar[_Request | None] = ContextVar("mux_web_request", default=None)


def begin() -> None:
    """A request begins: nothing in it may ask Mux yet."""
    _request.set(_Request())


def end() -> None:
    _request.set(None)


def mark_counted() -> None:
    """A limit has let this request through; outside of one there is nothing to remember."""
    request = _request.get()
    if request is not None:
        request.counted = True


class Slots:
    """So many calls at once. `take` answers with the moment of the call's beginning, which `leave` wants back."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._running: list[float] = []
        self._slow = False  # the last call that ended

    def take(self, most: int) -> float | None:
        with self._changed:
            while len(self._running) >= most:
                left = 0.0 if self._slow else min(self._running) + WAIT_SECONDS - time.monotonic()
                if left <= 0:
                    return None
                self._changed.wait(left)
            began = time.monotonic()
            self._running.append(began)
            return began

    def leave(self, began: float) -> None:
        with self._changed:
            self._running.remove(began)
            self._slow = time.monotonic() - began > WAIT_SECONDS
            self._changed.notify_all()


_slots = Slots()


@contextmanager
def slot(*, for_upload: bool) -> Iterator[None]:
    """Around one call; raises Later (`busy`) where there is no place, and NotCounted."""
    request = _request.get()
    if request is None:
        yield
        return
    if not request.counted:
        raise NotCounted("a request would call Mux, and no limit counted that")
    began = _slots.take(MAX_AT_ONCE if for_upload else MAX_AT_ONCE - RESERVED_FOR_UPLOADS)
    if began is None:
        raise Later(BUSY_MESSAGE, category="busy", retry_after=RETRY_AFTER_SECONDS)
    try:
        yield
    finally:
        _slots.leave(began)
