"""Ports: whether one is free, who has it, and the one that was used last time.

Standard library only.
"""

import contextlib
import socket
from pathlib import Path


def refusal(port: int, host: str = "127.0.0.1") -> OSError | None:
    """Why a server could not listen here now; nothing if it could (a port that was just closed counts as free)."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError as error:
            return error
    return None


def is_free(port: int) -> bool:
    """Whether a server could listen here now."""
    return refusal(port) is None


def any_free() -> int:
    """A port that is free at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def remembered(file: Path) -> int:
    """The port in this file if it is still free, else a new one, which the file then holds."""
    with contextlib.suppress(OSError, ValueError):
        port = int(file.read_text())
        if 1024 <= port <= 65535 and is_free(port):
            return port
    port = any_free()
    file.write_text(f"{port}\n")
    return port


def holder(port: int) -> str:
    """Who listens on a port, for a sentence: 'python3 (process 123)', or 'another program' if that may not be known."""
    sockets = {f"socket:[{inode}]" for inode in _listening(port)}
    for folder in Path("/proc").glob("[0-9]*/fd") if sockets else ():
        with contextlib.suppress(OSError):
            if any(str(link.readlink()) in sockets for link in folder.iterdir()):
                name = (folder.parent / "comm").read_text().strip()
                return f"{name} (process {folder.parent.name})"
    return "another program"


def _listening(port: int) -> set[str]:
    """The inodes of the sockets that listen on a port, as Linux lists them."""
    found = set()
    for table in ("tcp", "tcp6"):
        with contextlib.suppress(OSError):
            for line in Path("/proc/net", table).read_text().splitlines()[1:]:
                cells = line.split()
                if cells[3] == "0A" and int(cells[1].rpartition(":")[2], 16) == port:
                    found.add(cells[9])
    return found
