"""How Python's collector of cyclic garbage is set while a process starts, and in web processes. It knows nothing of requests.

Left as it is, it scans everything that is loaded again and again: that is a third of the time of a start, and later the process answers
no request meanwhile.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

# How many new objects wait for a look, and after how many looks the older ones are looked at: a page makes some
# thousand objects, and hardly any of them outlive it.
THRESHOLDS = (20_000, 10, 20)


@contextmanager
def paused() -> Iterator[None]:
    """While modules are loaded, which makes no garbage. What was made in the block stays until the end and is not looked at later either."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_on:
            gc.enable()


def keep_what_is_loaded() -> None:
    """The code and its tables stay until the end: out of the collector's sight, and shared by forked processes."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
