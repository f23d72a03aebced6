"""A port that is about to be closed: no new connection comes to it, and those that the system has taken can still be accepted.

Closing a port resets what waits there, and between the last look and the closing there is always a moment. So the system is told first to
overlook new connections (SYN): a client asks again after a second, and finds the next web server or a closed port.
Only Linux can be told so, and only about TCP; elsewhere the moment stays. Nothing in here accepts.
"""

import ctypes
import os
import socket
import struct
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

SO_ATTACH_FILTER = 26  # Linux; Python has no name for it
FLAGS_BYTE = 13  # of the TCP header, in which the filter reads
SYN = 0x02
# Classic BPF, an instruction a line: code, where to go if true, where if false, value.
PROGRAM = (
    (0x30, 0, 0, FLAGS_BYTE),  # load this byte
    (0x45, 0, 1, SYN),  # does it have this bit?
    (0x06, 0, 0, 0),  # yes: drop the packet
    (0x06, 0, 0, 0xFFFFFFFF),  # no: take all of it
)


def take_no_new_connections(listener: Any) -> bool:
    """From now on, in every process that has this port; False where the system cannot be told so."""
    if not sys.platform.startswith("linux") or listener.family not in (socket.AF_INET, socket.AF_INET6):
        return False
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *one) for one in PROGRAM))
    try:
        listener.setsockopt(
            socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("@HP", len(PROGRAM), ctypes.addressof(code))
        )
    except OSError:
        return False
    return True


def when_the_port_closes(arbiter: Any) -> None:
    """For gunicorn's master, once it listens: with its stop the port closes in all its processes, so the system is told before.

    Not when a process is replaced by another one, nor when another master or systemd goes on with the port.
    """
    for listener in arbiter.LISTENERS:
        listener.close = partial(_close, arbiter, listener, listener.close)


def _close(arbiter: Any, listener: Any, close: Callable[[], object]) -> None:
    in_master = os.getpid() == arbiter.pid
    goes_on = arbiter.reexec_pid != 0 or arbiter.master_pid != 0 or arbiter.systemd
    if in_master and not goes_on:
        take_no_new_connections(listener)
    close()
