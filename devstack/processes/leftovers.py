"""What a manager that was killed left running, found and stopped by the next one: this clone's and no other's.

Each program is started as the leader of a session of its own, and its mark is written down. A session's number is not
given away again while a process is in it, so each process in it belongs to this clone, even when the leader is gone.
"""

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil

from devstack.processes import identity


class Register:
    """The marks of what runs, one file a program."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def add(self, name: str, pid: int) -> None:
        (self._folder / f"{name}.process").write_text(identity.mark(pid) or f"{pid} ended at once")

    def remove(self, name: str) -> None:
        (self._folder / f"{name}.process").unlink(missing_ok=True)

    def stop_leftovers(self, *, seconds: float = 8) -> list[str]:
        """Stop what the registered programs left; the answer is the names of those that had left something."""
        marks = {file.stem: file.read_text() for file in self._folder.glob("*.process")}
        found = sorted(name for name, mark in marks.items() if members_of(mark))
        end(lambda: {pid for name in found for pid in members_of(marks[name])}, seconds=seconds)
        for file in self._folder.glob("*.process"):
            file.unlink(missing_ok=True)
        return found


def members_of(mark: str) -> set[int]:
    """The processes of the session that was begun by the process of this mark."""
    number, _, rest = mark.partition(" ")
    boot = rest.rpartition(" ")[2]
    if not number.isdigit():
        return set()
    leader = int(number)
    now = identity.mark(leader)
    if now != mark.strip():
        own_boot = identity.own_mark().rpartition(" ")[2]
        if now is not None or boot != own_boot:
            return set()  # the number belongs to another process now, or the machine was started anew
    return session_members(leader)


def session_members(leader: int) -> set[int]:
    """Who lives in the session of this number."""
    return {pid for pid in psutil.pids() if _session_of(pid) == leader and identity.mark(pid)}


def _session_of(pid: int) -> int | None:
    """The session of a process, if there is such a process."""
    with suppress(ProcessLookupError, PermissionError):
        return os.getsid(pid)
    return None


def end(living: Callable[[], set[int]], *, seconds: float) -> None:
    """Ask these to stop, and after a while do not ask any more. One that is started meanwhile is asked, too."""
    for with_signal, timeout in ((signal.SIGTERM, seconds), (signal.SIGKILL, 3.0)):
        asked: set[int] = set()
        deadline = time.monotonic() + timeout
        while left := living() - {os.getpid()}:
            for pid in left - asked:
                with suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, with_signal)
                    os.kill(pid, signal.SIGCONT)  # who is paused hears nothing
            asked |= left
            if time.monotonic() >= deadline:
                break
            time.sleep(0.05)
        else:
            return
