"""Two transactions at once: waiting until the second one waits for the first."""

import time

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

# By the locks themselves: pg_stat_activity stays within a transaction as it was when it was first read.
WAITING = text(
    "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))"
)


def is_waited_for(held: Connection | Session) -> bool:
    """Another connection waits for what this one holds."""
    return bool(held.scalar(WAITING))


def wait_until_waited_for(held: Connection | Session, *, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not is_waited_for(held):
        if time.monotonic() > deadline:
            pytest.fail("the second does not wait for the first")
        time.sleep(0.02)
