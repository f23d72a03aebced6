"""The counters' files: one for each process that lives; the next process goes on in the file of one that has ended.

The client names a file by its process. Every job runs in a process of its own, so there would be a new file for each job.
Here a process holds the lowest slot that no other holds, and the file is named by the slot. The kernel frees a slot when
its process ends, however it ends, and never gives it to two at once. The next holder counts on from what the file says, so
counters never go backwards, and there are never more files than processes at one time. What former versions wrote
(files named by process) is read and never changed. Which counters there are is not known in here.
"""

import fcntl
import itertools
import os
import struct
from pathlib import Path
from typing import IO

from prometheus_client.mmap_dict import MmapedDict

LOCKS = "slots"
DAMAGED = ".damaged"


class Slots:
    """Called, it names the slot of this process; a forked process gets a slot of its own when it counts first."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._slot = 0
        self._is_held = False
        self._locks: IO[str] | None = None
        os.register_at_fork(after_in_child=self._forget)

    def __call__(self) -> str:
        if not self._is_held:
            self._take()
        return f"slot{self._slot}"

    def _forget(self) -> None:
        self._is_held = False

    def _take(self) -> None:
        """Closing the file of locks ends every lock that this process has on it, so the parent's copy is closed first."""
        if self._locks is not None:
            self._locks.close()
        self._locks = (self._folder / LOCKS).open("a")
        os.utime(self._locks.fileno())  # what removes old files leaves those that are used
        # Never the slot that the parent had, even if it has ended: the client notices a fork by the changed name only.
        self._slot = next(
            slot for slot in itertools.count(1) if slot != self._slot and _lock(self._locks, slot)
        )
        self._is_held = True
        for file in self._folder.glob("*.db"):
            if file.stem.endswith(f"_slot{self._slot}") and not _is_sound(file):
                file.rename(file.with_suffix(DAMAGED))


def _lock(locks: IO[str], slot: int) -> bool:
    """One byte of the file for each slot; a forked process does not inherit such a lock."""
    try:
        fcntl.lockf(locks, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, slot)
    except BlockingIOError:
        return False
    return True


def sound(folder: Path) -> list[str]:
    """The files to add up: not one that is only just being made, and not one that a crash of the machine has damaged."""
    return [str(file) for file in sorted(folder.glob("*.db")) if _is_sound(file)]


def _is_sound(file: Path) -> bool:
    try:
        found = MmapedDict.read_all_values_from_file(str(file))  # type: ignore[no-untyped-call]
        keys = [key for key, *_ in found]
    except (struct.error, RuntimeError, UnicodeDecodeError, FileNotFoundError):
        return False
    # a page that never reached the disk reads as empty keys
    return bool(keys) and all(key.startswith("[") for key in keys)
