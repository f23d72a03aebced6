"""Which process is meant: a number alone may long belong to another process.

A mark is a process number with the moment of its start (and, on Linux, of the machine's), so a process found again by
its mark is the same one for certain. Only the standard library: this also runs before anything is installed.
"""

import os
import subprocess
from pathlib import Path


def mark(pid: int) -> str | None:
    """The mark of a living process; nothing if there is none (one that ended and waits for its parent counts as none)."""
    if Path("/proc/self/stat").exists():
        return _linux_mark(pid)
    asked = subprocess.run(
        ["/bin/ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    state, _, started = asked.stdout.strip().partition(" ")
    return f"{pid} {started.strip()}" if started and not state.startswith("Z") else None


def _linux_mark(pid: int) -> str | None:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return None
    return None if fields[0] in "ZX" else f"{pid} {fields[19]} {boot}"


def own_mark() -> str:
    """The mark of this process."""
    return mark(os.getpid()) or ""


def is_alive(remembered: str) -> bool:
    """Whether the process of this mark still runs."""
    number = remembered.partition(" ")[0]
    return number.isdigit() and mark(int(number)) == remembered.strip()
