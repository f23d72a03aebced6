"""One write for everything that waits at the same moment: several threads share one statement and one commit.

The thread that comes first writes. What comes while it writes is written by the first of those that wait, all of it at
once. No thread waits for others to come, so a single one is as fast as without. `add` returns when its item is written,
or raises the error that its write ended in; the same error reaches everything that was in that write. It knows nothing
of databases: what is written, and how long a write may take, is the business of the function that it is given.
"""

import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class NotWrittenInTime(Exception):
    """The writes before this one took too long; whether this item was written is not known."""


class _Entry(Generic[T]):
    """One item, and the lock that its thread waits on."""

    __slots__ = ("error", "gate", "is_done", "item", "writes")

    def __init__(self, item: T) -> None:
        self.item = item
        self.is_done = False
        self.writes = False  # it is the turn of this thread to write
        self.error: Exception | None = None
        self.gate = threading.Lock()
        self.gate.acquire()


class GroupCommit(Generic[T]):
    """`write` gets one list or more of items, one list at a time, each item in exactly one list."""

    def __init__(self, write: Callable[[list[T]], None], *, max_wait_seconds: float) -> None:
        self._write = write
        self._max_wait_seconds = max_wait_seconds
        self._guard = threading.Lock()
        self._waiting: deque[_Entry[T]] = deque()
        self._is_writing = False

    def add(self, item: T) -> None:
        entry = _Entry(item)
        with self._guard:
            self._waiting.append(entry)
            entry.writes, self._is_writing = not self._is_writing, True
        if not entry.writes and not entry.gate.acquire(timeout=self._max_wait_seconds):
            self._give_up(entry)
        if entry.writes and not entry.is_done:
            self._write_all()
        if entry.error is not None:
            raise entry.error

    def _give_up(self, entry: _Entry[T]) -> None:
        """Nothing may be handed to a thread that has gone: it leaves the list, or takes the turn that it has just got."""
        with self._guard:
            if entry.writes or entry.is_done:
                return
            if entry in self._waiting:
                self._waiting.remove(entry)
        raise NotWrittenInTime

    def _write_all(self) -> None:
        with self._guard:
            batch = list(self._waiting)
            self._waiting.clear()
        try:
            self._write([entry.item for entry in batch])
        except Exception as error:  # whatever it is, each thread of this write has to hear of it
            for entry in batch:
                entry.error = error
        finally:
            self._end(batch)

    def _end(self, batch: list[_Entry[T]]) -> None:
        with self._guard:
            if self._waiting:
                self._waiting[0].writes = True
                self._waiting[0].gate.release()  # it writes while the others of this batch answer
            else:
                self._is_writing = False
            for entry in batch:
                entry.is_done = True
        for entry in batch:
            entry.gate.release()
