"""Processor time that groups of processes and a database have used, read from /proc."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

TICK = 1 / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Process:
    """One line of /proc/PID/stat, as far as it is needed; `seconds` include children that ended and were waited for."""

    pid: int
    parent: int
    group: int
    seconds: float


def _processes() -> Iterator[Process]:
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = file.read_text()
        except OSError:  # it ended meanwhile
            continue
        fields = text.rpartition(")")[2].split()  # the name before it may hold anything
        used = sum(int(one) for one in fields[11:15]) * TICK
        yield Process(int(file.parent.name), int(fields[1]), int(fields[2]), used)


def of_group(group: int) -> float:
    """Seconds of every process of this group so far."""
    return sum(one.seconds for one in _processes() if one.group == group)


def of_family(parent: int) -> float:
    """Seconds of a process and its children: PostgreSQL gives each of its own a group of its own."""
    return sum(one.seconds for one in _processes() if parent in (one.pid, one.parent))
