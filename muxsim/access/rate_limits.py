"""Token buckets, as Mux has them: per environment, one set for high- and one for low-priority tokens."""

import threading
from dataclasses import dataclass

from muxsim.clock import Clock

BUCKETS = {
    ("high", "POST"): (20, 1.0),
    ("high", "other"): (100, 5.0),
    ("low", "POST"): (4, 1.0),
    ("low", "other"): (20, 1.0),
    ("high", "data"): (5, 5.0),
    ("low", "data"): (5, 5.0),
}
"""Size and refill per second."""


def bucket_of(method: str, path: str) -> str:
    """Which bucket a call draws from."""
    return "data" if path.startswith("/data/") else "POST" if method == "POST" else "other"


def bucket_size(priority: str, bucket: str) -> int:
    return BUCKETS[priority, bucket][0]


@dataclass
class Bucket:
    level: float
    seen: float


class Limits:
    """Counts requests. Whether an empty bucket matters is the caller's business."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: dict[tuple[str, str, str], Bucket] = {}

    def take(self, env: str, priority: str, bucket_name: str) -> tuple[bool, int, int, float]:
        """Whether there was a token, the bucket's size, what is left, and the seconds until the next one."""
        size, refill = BUCKETS[priority, bucket_name]
        now = self._clock.now()
        with self._lock:
            bucket = self._buckets.setdefault((env, priority, bucket_name), Bucket(float(size), now))
            bucket.level = min(float(size), bucket.level + max(0.0, now - bucket.seen) * refill)
            bucket.seen = now
            granted = bucket.level >= 1
            if granted:
                bucket.level -= 1
            return granted, size, int(bucket.level), max(0.0, (1 - bucket.level) / refill)

    def reset(self) -> None:
        with self._lock:
            self._buckets.clear()
