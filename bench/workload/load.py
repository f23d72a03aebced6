"""Many requests over a few kept connections, as quickly as they are answered; bounded in number and time."""

import multiprocessing
import socket
import threading
import time
from dataclasses import dataclass

MAX_SECONDS = 120


@dataclass(frozen=True)
class Result:
    seconds: float
    statuses: dict[int, int]
    waits: list[float]

    @property
    def rate(self) -> float:
        return len(self.waits) / self.seconds if self.seconds else 0.0

    def milliseconds(self, share: float) -> float:
        return sorted(self.waits)[min(int(len(self.waits) * share), len(self.waits) - 1)] * 1000


def send_all(port: int, requests: list[bytes], *, connections: int, processes: int = 2) -> Result:
    """Send every request once; several processes, so that the sender is not what is measured."""
    shares = [requests[number::processes] for number in range(processes)]
    with multiprocessing.get_context("fork").Pool(processes) as pool:
        began = time.monotonic()
        parts = pool.starmap(_send_share, [(port, share, connections // processes) for share in shares])
        seconds = time.monotonic() - began
    statuses: dict[int, int] = {}
    waits: list[float] = []
    for part in parts:
        for status, wait in part:
            statuses[status] = statuses.get(status, 0) + 1
            waits.append(wait)
    return Result(seconds, statuses, waits)


def _send_share(port: int, requests: list[bytes], connections: int) -> list[tuple[int, float]]:
    found: list[tuple[int, float]] = []
    waiting = iter(requests)
    lock = threading.Lock()

    def work() -> None:
        until = time.monotonic() + MAX_SECONDS
        connection = socket.create_connection(("127.0.0.1", port), timeout=30)
        while time.monotonic() < until:
            with lock:
                request = next(waiting, None)
            if request is None:
                break
            began = time.monotonic()
            try:
                connection.sendall(request)
                status, closes = _answer(connection)
            except OSError:
                status, closes = 0, True
            found.append((status, time.monotonic() - began))
            if closes:
                connection.close()
                connection = socket.create_connection(("127.0.0.1", port), timeout=30)
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def _answer(connection: socket.socket) -> tuple[int, bool]:
    """The status, and whether the server closes; the body is read by its stated length."""
    head = b""
    while b"\r\n\r\n" not in head:
        piece = connection.recv(65536)
        if not piece:
            return 0, True
        head += piece
    top, _, rest = head.partition(b"\r\n\r\n")
    lines = top.lower().split(b"\r\n")
    length = next((int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length:")), 0)
    while len(rest) < length:
        rest += connection.recv(65536)
    return int(lines[0].split()[1]), b"connection: close" in lines
