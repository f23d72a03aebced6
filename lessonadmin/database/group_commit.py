"""One write for everything that waits at the same moment: several callers share one statement and one commit.

A caller puts its item and then waits for it; in between it may put others. The thread that waits first writes everything
that has been put. What comes while it writes is written by the first of those that wait, all of it at once. No thread waits for
others to come, so a single one is as fast as without. `wait` returns when the item is written, or raises the error that
its write ended in. The same error reaches everything that waits at that moment: behind a write that took its time and failed, it would
wait as long again. It knows nothing of databases: what is written, and how long a write may take, is the business of the function that
it is given.
"""

import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class NotWrittenInTime(Exception):
    """The writes before this one took too long; whether this item was written is not known."""


class Entry(Generic[T]):
    """One item on its way. `gate`: the lock that its thread waits on, while another thread writes."""

    __slots__ = ("error", "gate", "is_done", "item", "writes")

    def __init__(self, item: T) -> None:
        self.item = item
        self.is_done = False
        self.writes = False  # it is the turn of its thread to write
        self.error: Exception | None = None
        self.gate: threading.Lock | None = None


class GroupCommit(Generic[T]):
    """`write` gets one list or more of items, one list at a time, each item in exactly one list."""

    def __init__(self, write: Callable[[list[T]], None], *, max_wait_seconds: float) -> None:
        self._write = write
        self._max_wait_seconds = max_wait_seconds
        self._guard = threading.Lock()
        self._put: deque[Entry[T]] = deque()
        self._waiting: deque[Entry[T]] = deque()
        self._is_writing = False

    def put(self, item: T) -> Entry[T]:
        """It is written with the next write; the caller waits for it, or withdraws it."""
        entry = Entry(item)
        with self._guard:
            self._put.append(entry)
        return entry

    def withdraw(self, entry: Entry[T]) -> None:
        """Not to be written any more, unless it is already; its caller does not wait."""
        with self._guard:
            if entry in self._put:
                self._put.remove(entry)

    def wait(self, entry: Entry[T]) -> None:
        """Until it is written."""
        with self._guard:
            if not entry.is_done:
                if self._is_writing:
                    entry.gate = threading.Lock()
                    entry.gate.acquire()
                    self._waiting.append(entry)
                else:
                    entry.writes = self._is_writing = True
        if entry.gate is not None and not entry.gate.acquire(timeout=self._max_wait_seconds):
            self._give_up(entry)
        if entry.writes and not entry.is_done:
            self._write_all()
        if entry.error is not None:
            raise entry.error

    def _give_up(self, entry: Entry[T]) -> None:
        """Nothing may be handed to a thread that has gone: it leaves the lists, or takes the turn that it has just got."""
        with self._guard:
            if entry.writes or entry.is_done:
                return
            for entries in (self._put, self._waiting):
                if entry in entries:
                    entries.remove(entry)
        raise NotWrittenInTime

    def _write_all(self) -> None:
        with self._guard:
            batch = list(self._put)
            self._put.clear()
        problem: Exception | None = NotWrittenInTime()  # also where the thread itself is ended
        try:
            self._write([entry.item for entry in batch])
            problem = None
        except Exception as error:  # whatever it is, each thread that waits has to hear of it
            problem = error
        finally:
            self._end(batch, problem)

    def _end(self, batch: list[Entry[T]], error: Exception | None) -> None:
        with self._guard:
            if error is not None:
                batch += self._put
                self._put.clear()
            for entry in batch:
                entry.is_done, entry.error = True, error
            released = [entry for entry in self._waiting if entry.is_done]
            self._waiting = deque(entry for entry in self._waiting if not entry.is_done)
            if self._waiting:
                next_one = self._waiting.popleft()
                next_one.writes = True
                released.insert(0, next_one)  # it writes while the others of this batch answer
            else:
                self._is_writing = False
        for entry in released:
            if entry.gate is not None:
                entry.gate.release()
