"""One client's connection: what it waits for, and until when.

A connection is at any time the loop's or, while `BUSY`, a thread's. Nothing in here blocks.
"""

import socket
import threading
import time
from contextlib import suppress
from enum import Enum
from typing import Any

from lessonadmin.web_server import limits, thread_pools
from lessonadmin.web_server.exchange import Exchange
from lessonadmin.web_server.incoming import Incoming
from lessonadmin.web_server.outgoing import Outgoing


class State(Enum):
    """What is waited for."""

    IDLE = "a request"
    HEAD = "the rest of a head"
    BODY = "the rest of a body"
    BUSY = "a thread"
    SENDING = "the client to read"
    LINGERING = "the client to close"


class Connection:
    """The socket, the request that comes, the answer that leaves."""

    def __init__(self, accepted: socket.socket, peer: Any, own: Any) -> None:
        accepted.setblocking(False)
        self.socket, self.peer, self.own = accepted, peer, own
        self.incoming = Incoming()
        self.outgoing = Outgoing(accepted)
        self.exchange: Exchange | None = None
        self.group = thread_pools.OTHERS
        self.keeps = False  # may go on after this request
        # Held where the loop and a thread may change `watched` or `state` of a busy connection.
        self.lock = threading.Lock()
        self.state = State.IDLE
        self.deadline = 0.0
        self.watched = 0  # the events that the loop's selector waits for
        self.large_bytes = 0  # its part of the memory for large bodies

    def wait_for(self, state: State, seconds: float) -> None:
        # First the deadline: the loop looks at it as soon as the state is another.
        self.deadline = time.monotonic() + seconds
        self.state = state

    def rest(self, seconds: float) -> bool:
        """Called by the thread after an answer: wait for the next request, unless there is something for the loop to do.

        That spares most requests a turn of the loop.
        """
        with self.lock:
            exchange = self.exchange
            if (
                exchange is None
                or not exchange.keeps
                or exchange.rest
                or self.outgoing
                or self.large_bytes
                or not self.watched
            ):
                return False
            self.exchange = None
            self.wait_for(State.IDLE, seconds)
            return True

    def read(self) -> bytes | None:
        """What has come; empty at its end, None if nothing has."""
        try:
            return self.socket.recv(64 * 1024)
        except BlockingIOError:
            return None
        except OSError:
            return b""

    def take(self, piece: bytes) -> None:
        """Add to the request; a slow client does not prolong the time that its head and its body have."""
        self.incoming.add(piece)
        if self.incoming.head_is_whole:
            if self.state is not State.BODY:
                self.wait_for(State.BODY, limits.BODY_SECONDS)
        elif self.state is State.IDLE:
            self.wait_for(State.HEAD, limits.HEAD_SECONDS)

    def half_close(self) -> None:
        """Tell the client that nothing more comes."""
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_WR)
