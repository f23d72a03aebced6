"""One burst of webhooks at one receiver: how quickly it answers, how quickly it applies, and whose processor time that takes."""

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.workload import processor_time, webhook_events, webhook_rows
from bench.workload.receivers import Receiver
from bench.workload.sender import Result, send_all

WARM_UP = 500  # the first requests of a process pay for what it loads; node compiles what it has run often
MAX_DRAIN_SECONDS = 120


@dataclass(frozen=True)
class Burst:
    """Figures of one round, or the medians of several; processor time in microseconds an event."""

    rate: float
    p50: float
    p99: float
    applied: float
    drain: float
    web: float
    applier: float
    database: float

    @property
    def remark(self) -> str:
        parts = (self.web, self.applier, self.database)
        cost = " + ".join(f"{one:.0f}" for one in parts)
        return f"p50 {self.p50:.1f} ms, p99 {self.p99:.1f} ms, {cost} us an event: web + applier + database"


def median(bursts: Sequence[Burst]) -> Burst:
    return Burst(
        *(statistics.median(one) for one in zip(*(vars(burst).values() for burst in bursts), strict=True))
    )


def wait_until_drained(database: webhook_rows.Database) -> None:
    deadline = time.monotonic() + MAX_DRAIN_SECONDS
    while not webhook_rows.is_drained(database):
        if time.monotonic() > deadline:
            raise RuntimeError("events that wait are not applied")
        time.sleep(0.01)


def postmaster(folder: Path) -> int:
    return int((folder / "postmaster.pid").read_text().split()[0])


def warm_up(receiver: Receiver, database: webhook_rows.Database) -> None:
    """Publish the first lessons, unmeasured."""
    _send(receiver, webhook_events.requests(webhook_rows.lessons(database, 0, WARM_UP)))


def fire(
    receiver: Receiver, database: webhook_rows.Database, server: int, *, events: int, drains: bool
) -> Burst:
    """Warm up, then send; an event counts as applied once none waits any more. Raises if an answer is not 204."""
    warm_up(receiver, database)
    if drains:
        wait_until_drained(database)
    ready = webhook_events.requests(webhook_rows.lessons(database, WARM_UP, events))
    before = _used(receiver, server)
    began = time.monotonic()
    result = _send(receiver, ready)
    answered = time.monotonic()
    if drains:
        wait_until_drained(database)
    drained = time.monotonic()
    cost = (
        (after - used) / events * 1e6 for used, after in zip(before, _used(receiver, server), strict=True)
    )
    applied = events / (drained - began)
    return Burst(
        result.rate, result.milliseconds(0.5), result.milliseconds(0.99), applied, drained - answered, *cost
    )


def _used(receiver: Receiver, server: int) -> tuple[float, float, float]:
    applier = processor_time.of_group(receiver.applier) if receiver.applier else 0.0
    return processor_time.of_group(receiver.web), applier, processor_time.of_family(server)


def _send(receiver: Receiver, requests: list[bytes]) -> Result:
    result = send_all(receiver.port, requests)
    if result.wrong:
        raise RuntimeError(f"wrong answers: {result.wrong}")
    return result
