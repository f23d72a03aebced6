"""What a product that runs for long may not gather: memory, connections to the database, open files, keys in Redis.

Measured at two quiet moments, with the same processes running; a bound for each says what counts as flat.
"""

import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import psutil
import redis

from devstack.servers.postgres import APP_ROLE
from tests.flows.processes import Stack

PROCESSES = ("web", "worker", "clock")
LOOKS = 3
# unit -> times the first figure, and so much more
BOUNDS = {"MB": (1.2, 20.0), "files": (1.3, 15.0), "connections": (1.0, 8.0), "keys": (1.0, 20.0)}


@dataclass(frozen=True)
class Size:
    """One figure."""

    unit: str
    value: float

    def may_become(self) -> float:
        times, more = BOUNDS[self.unit]
        return times * self.value + more


Sizes = dict[str, Size]


def measure(stack: Stack, looks_at: int = LOOKS) -> Sizes:
    """The least of a few looks: a job that runs at one of them is no growth."""
    looks = [dict(_look(stack))]
    for _ in range(looks_at - 1):
        time.sleep(1.0)
        looks.append(dict(_look(stack)))
    return {name: Size(one.unit, min(look[name].value for look in looks)) for name, one in looks[0].items()}


def _look(stack: Stack) -> Iterator[tuple[str, Size]]:
    for name in PROCESSES:
        memory = files = 0.0
        head = psutil.Process(stack.processes[name].pid)
        for one in [head, *head.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):
                memory += one.memory_full_info().pss / 1e6  # pages that processes share are counted once
                files += one.num_fds()
        yield f"{name}: memory", Size("MB", memory)
        yield f"{name}: open files", Size("files", files)
    connections = stack.database.one("SELECT count(*) FROM pg_stat_activity WHERE usename = %s", APP_ROLE)
    yield "connections to PostgreSQL", Size("connections", float(connections))
    with redis.Redis.from_url(stack.redis.url(), socket_timeout=5) as connection:
        yield "keys in Redis", Size("keys", float(connection.dbsize()))


def grown(first: Sizes, last: Sizes) -> list[str]:
    """What is not flat."""
    return [
        f"{name}: {one.value:.0f} {one.unit}, then {last[name].value:.0f}"
        for name, one in first.items()
        if last[name].value > one.may_become()
    ]
