"""How many connections each web process has, known to all of them: the one that has the smallest number accepts the next.

Without it the process that happens to be awake takes most of the connections that a proxy keeps, while another has threads to
spare. It lives in memory that the processes share since before they were forked. A process that has ended, or hangs, is
left out as soon as it has said nothing for a moment. What is read may be a moment old, which makes no answer wrong.
"""

import mmap
import struct
import time

PLACES = 64
FRESH_SECONDS = 2.0
ENTRY = struct.Struct("=dI")  # when it was written, and how many connections there were
SIZE = 16


class SharedLoad:
    """A table with a place for each process."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, PLACES * SIZE)

    def say(self, number: int, connections: int) -> None:
        """What the process of this number has now; said at least every second."""
        ENTRY.pack_into(self._memory, number % PLACES * SIZE, time.monotonic(), connections)

    def another_has_fewer(self, number: int, connections: int) -> bool:
        """Is there a process that should accept the next connection instead of this one?"""
        oldest = time.monotonic() - FRESH_SECONDS
        for place in range(PLACES):
            said_at, count = ENTRY.unpack_from(self._memory, place * SIZE)
            if said_at > oldest and count < connections and place != number % PLACES:
                return True
        return False
