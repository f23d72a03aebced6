"""How Python's collector of cyclic garbage is set for web processes. It knows nothing of requests.

Left as it is, it scans everything that was loaded at the start again and again, and meanwhile the process
answers no request.
"""

import gc

# How many new objects wait for a look, and after how many looks the older ones are looked at: a page makes some
# thousand objects, and hardly any of them outlive it.
THRESHOLDS = (20_000, 10, 20)


def keep_what_is_loaded() -> None:
    """The code and its tables stay until the end: out of the collector's sight, and shared by forked processes."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
