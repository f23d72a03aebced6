"""Sends webhooks from one process by epoll: as quickly as they are answered, or at a fixed rate.

Requests are complete before the clock starts, connections are kept, and of an answer only the status and the length are
read, so that the sender takes little of the cores that are measured. Everything is bounded in number and time. A request
that got no answer counts with status 0; none is sent twice.
"""

import gc
import selectors
import socket
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

MAX_SECONDS = 300
CONNECTIONS = 16
END_OF_HEAD = b"\r\n\r\n"


@dataclass
class Result:
    """The answers by status, and how long each request waited, in seconds."""

    seconds: float = 0.0
    statuses: dict[int, int] = field(default_factory=dict)
    waits: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        return len(self.waits) / self.seconds if self.seconds else 0.0

    def milliseconds(self, share: float) -> float:
        return quantile(self.waits, share) * 1000

    def note(self, status: int, wait: float) -> None:
        self.statuses[status] = self.statuses.get(status, 0) + 1
        self.waits.append(wait)

    @property
    def wrong(self) -> dict[int, int]:
        """What was answered with anything but 204."""
        return {status: count for status, count in self.statuses.items() if status != 204}


def quantile(values: Sequence[float], share: float) -> float:
    """0.5 is the median, 0.99 what all but a hundredth stay below; infinite if there is none."""
    if not values:
        return float("inf")
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]


class Connection:
    """One kept connection with at most one request on its way."""

    def __init__(self, port: int, selector: selectors.BaseSelector) -> None:
        self._port = port
        self._selector = selector
        self._received = b""
        self._asked = False
        self.began = 0.0
        self._open()

    def _open(self) -> None:
        self._socket = socket.create_connection(("127.0.0.1", self._port), timeout=30)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._selector.register(self._socket, selectors.EVENT_READ, self)

    def close(self) -> None:
        self._selector.unregister(self._socket)
        self._socket.close()

    def send(self, request: bytes, began: float) -> None:
        self.began, self._asked = began, True
        try:
            self._socket.sendall(request)
        except OSError:  # closed meanwhile: it is seen at the next reading
            return

    def read(self) -> int | None:
        """The status once the answer is complete, 0 if the server closed instead; None as long as there is nothing to say."""
        try:
            piece = self._socket.recv(65536)
        except OSError:
            piece = b""
        self._received += piece
        status, closes = _answer(self._received)
        if status is None and piece:
            return None
        self._received = b""
        if closes or not piece:
            self.close()
            self._open()
        asked, self._asked = self._asked, False
        return (status or 0) if asked else None  # an idle connection may be closed by the server


def _answer(received: bytes) -> tuple[int | None, bool]:
    """The status of a complete answer, and whether the server closes after it."""
    head, end, body = received.partition(END_OF_HEAD)
    if not end:
        return None, False
    head = head.lower()
    _, found, rest = head.partition(b"\r\ncontent-length:")
    if found and len(body) < int(rest.partition(b"\r\n")[0]):
        return None, False
    if b"\r\ntransfer-encoding: chunked" in head and not body.endswith(b"0\r\n\r\n"):
        return None, False
    return int(received[9:12]), b"\r\nconnection: close" in head


@contextmanager
def _connections(port: int, count: int) -> Iterator[tuple[selectors.BaseSelector, list[Connection]]]:
    """Kept connections and what tells which of them has an answer; no garbage is collected meanwhile."""
    with selectors.DefaultSelector() as selector:
        connections = [Connection(port, selector) for _ in range(count)]
        gc.disable()
        try:
            yield selector, connections
        finally:
            gc.enable()
            for connection in connections:
                connection.close()


def send_all(port: int, requests: Sequence[bytes], *, connections: int = CONNECTIONS) -> Result:
    """Each request once, the next one of a connection as soon as the last one is answered."""
    result = Result()
    clock = time.perf_counter
    waiting = iter(requests)
    with _connections(port, min(connections, len(requests))) as (selector, opened):
        began = clock()
        for connection in opened:
            connection.send(next(waiting), clock())
        while len(result.waits) < len(requests) and clock() - began < MAX_SECONDS:
            for key, _ in selector.select(1.0):
                connection = key.data
                status = connection.read()
                if status is None:
                    continue
                now = clock()
                result.note(status, now - connection.began)
                request = next(waiting, None)
                if request is not None:
                    connection.send(request, now)
        result.seconds = clock() - began
    return result


def send_at_rate(
    port: int,
    requests: Sequence[bytes],
    *,
    rate: float,
    connections: int = CONNECTIONS,
    until: Callable[[], bool] = lambda: False,
) -> Result:
    """Each request at its time, however slowly the others are answered; a wait begins when the request was due.

    Ends early once `until` says so, and then waits for what is on its way.
    """
    result = Result()
    clock = time.perf_counter
    with _connections(port, connections) as (selector, opened):
        free, busy = deque(opened), 0
        began = clock()
        sent = 0
        while clock() - began < MAX_SECONDS:
            sending = sent < len(requests) and not until()
            if not sending and not busy:
                break
            while free and sending and clock() >= (due := began + sent / rate):
                free.popleft().send(requests[sent], due)
                busy += 1
                sent += 1
                sending = sent < len(requests)
            next_due = began + sent / rate - clock()
            for key, _ in selector.select(max(next_due, 0.0) if sending and free else 0.1):
                status = key.data.read()
                if status is not None:
                    result.note(status, clock() - key.data.began)
                    free.append(key.data)
                    busy -= 1
        result.seconds = clock() - began
    return result
