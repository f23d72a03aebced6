"""The simulator's own time: real time plus whatever a person or a test has skipped ahead.

Everything that Mux would date or schedule uses this clock. Only what the other side compares with *its* clock
(the timestamp in a webhook signature, the expiry of a playback token) uses ``wall``: never advance those.
"""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime


class Clock:
    """Runs ``speed`` times as fast as real time and can jump forward; only a reset takes it back."""

    def __init__(self, *, offset: float = 0.0, speed: float = 1.0) -> None:
        self._lock = threading.Lock()
        self._wall_anchor = time.time()
        self._mono_anchor = time.monotonic()
        self._offset = offset
        self.speed = max(speed, 0.001)
        self._listeners: list[Callable[[], None]] = []

    @staticmethod
    def wall() -> float:
        return time.time()

    def now(self) -> float:
        with self._lock:
            return self._wall_anchor + (time.monotonic() - self._mono_anchor) * self.speed + self._offset

    def advance(self, seconds: float) -> float:
        with self._lock:
            self._offset += max(0.0, seconds)
        for listener in self._listeners:
            listener()
        return self.now()

    def return_to_real_time(self) -> None:
        with self._lock:
            self._wall_anchor, self._mono_anchor, self._offset = time.time(), time.monotonic(), 0.0
        for listener in self._listeners:
            listener()

    @property
    def ahead(self) -> float:
        """How far the simulated time is ahead of real time, in seconds."""
        return self.now() - self.wall()

    def real_seconds(self, simulated: float) -> float:
        return simulated / self.speed

    def on_jump(self, listener: Callable[[], None]) -> None:
        self._listeners.append(listener)


def iso(moment: float) -> str:
    """As Mux writes times in webhooks: ISO 8601 with microseconds and a Z."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
