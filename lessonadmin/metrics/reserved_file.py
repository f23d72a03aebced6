"""A file of counters whose every byte the disk has given before it is mapped.

The client makes a file larger without asking the disk for space. Where the disk is full, the first count on such a page would end the
process (SIGBUS), and so would the count of each process that takes its place. Here space is reserved first. If there is none, counting
goes on in the memory of the process, each count asks again, and what was counted meanwhile is written once there is space. Nothing in
here raises for want of space.
"""

import logging
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from prometheus_client.mmap_dict import MmapedDict

log = logging.getLogger(__name__)

FIRST_BYTES = 65536  # as large as the client makes a new file
FIXED_BYTES = 20  # of an entry: the length of its key, its value and its time


class ReservedFile(MmapedDict):
    """What the client maps, one for a kind of counter and a process."""

    def __init__(self, filename: str, read_mode: bool = False) -> None:
        assert not read_mode, "files are read by the client's own class"  # noqa: S101 # nosec B101
        self._fname = filename
        self._was_told = False
        self._without_place: set[str] = set()
        self._counted_before: dict[str, float] = {}
        self._forget_file()
        self._is_open()

    def _forget_file(self) -> None:
        self._f: Any = None
        self._m: Any = None
        self._positions: dict[str, int] = {}
        self._used = self._capacity = 0

    def _is_open(self) -> bool:
        """The file, or where it cannot be had nothing, until the next count."""
        if self._m is not None:
            return True
        try:
            _reserve(self._fname, FIRST_BYTES)
            super().__init__(self._fname)  # type: ignore[no-untyped-call]
        except OSError as error:
            self._tell(error)
            with suppress(OSError, AttributeError):
                self._f.close()
            self._forget_file()
            return False
        return True

    def _has_place(self, key: str) -> bool:
        if not self._is_open():
            return False
        if key in self._positions or self._used + _bytes_of_entry(key) <= self._capacity:
            return True
        try:
            _reserve(self._fname, 2 * self._capacity)
        except OSError as error:
            self._tell(error)
            return False
        return True

    def _tell(self, error: OSError) -> None:
        if not self._was_told:
            self._was_told = True
            log.warning("%s has no space (%s): what it counts stays in memory", self._fname, error.strerror)

    def read_value(self, key: str) -> tuple[float, float]:
        """The client asks once for each counter of a process, before it counts."""
        if self._has_place(key):
            found: tuple[float, float] = super().read_value(key)  # type: ignore[no-untyped-call]
            return found
        self._without_place.add(key)
        return 0.0, 0.0

    def write_value(self, key: str, value: float, timestamp: float) -> None:
        """The client gives the whole sum each time, so one that was not written is not missing later."""
        if not self._has_place(key):
            return
        if key in self._without_place:  # its sum began with nothing, whatever the file says
            self._without_place.discard(key)
            self._counted_before[key] = super().read_value(key)[0]  # type: ignore[no-untyped-call]
        super().write_value(key, value + self._counted_before.get(key, 0.0), timestamp)  # type: ignore[no-untyped-call]


def _bytes_of_entry(key: str) -> int:
    """As the client lays it out: a key is padded to eight bytes, with one byte at least."""
    return FIXED_BYTES + len(key.encode()) + 8


def _reserve(name: str, size: int) -> None:
    """So many bytes at least are the file's from now on; raises OSError if the disk has no space for them."""
    with os.fdopen(os.open(name, os.O_RDWR | os.O_CREAT, 0o600), "rb") as file:
        wanted = max(size, Path(name).stat().st_size)
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, wanted)
        else:
            os.truncate(file.fileno(), wanted)
