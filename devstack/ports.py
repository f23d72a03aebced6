"""Ports: whether one is free, who has it, and the one that was used last time.

Standard library only, but for the name of who has a port, which is left out while nothing is installed.
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
    """A port that nobody uses at this moment."""
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
    """Who listens on a port, for a sentence: 'python3 (process 123)', or 'another program' if we cannot know."""
    try:
        import psutil
    except ImportError:
        return "another program"
    with contextlib.suppress(psutil.Error, OSError):
        for connection in psutil.net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port and connection.pid:
                return f"{psutil.Process(connection.pid).name()} (process {connection.pid})"
    return "another program"
