"""A server that answers with exactly the bytes it was told to, in the rhythm it was told to.

For what no decent server does: resets, trickles, half answers, answers that are no HTTP. It records what it was asked.
"""

import contextlib
import json
import socket
import ssl
import struct
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Script = Callable[[socket.socket, threading.Event], None]


@dataclass(frozen=True)
class Asked:
    """A request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def answer(body: bytes | object, status: int = 200, *, length: int | None = None, **headers: str) -> Script:
    """A whole answer at once; what is not bytes is sent as JSON."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {"Content-Type": "application/json", **{k.replace("_", "-"): v for k, v in headers.items()}}
    if status != 204:
        named["Content-Length"] = str(len(raw) if length is None else length)
    head = f"HTTP/1.1 {status} Whatever\r\n" + "".join(f"{k}: {v}\r\n" for k, v in named.items()) + "\r\n"
    return send_bytes(head.encode() + (b"" if status == 204 else raw), close=length is not None)


def error(status: int, *messages: str, kind: str = "some_error", **headers: Any) -> Script:
    """An error in Mux's form."""
    return answer({"error": {"type": kind, "messages": list(messages)}}, status, **headers)


def send_bytes(raw: bytes, *, close: bool = False) -> Script:
    def run(sock: socket.socket, _stop: threading.Event) -> None:
        sock.sendall(raw)
        if close:
            raise ConnectionAbortedError

    return run


def trickle(head: bytes, *, every: float, byte: bytes = b" ") -> Script:
    """The head at once, then a byte at a time, for ever."""

    def run(sock: socket.socket, stop: threading.Event) -> None:
        sock.sendall(head)
        while not stop.wait(every):
            sock.sendall(byte)

    return run


def hang(sock: socket.socket, stop: threading.Event) -> None:
    stop.wait(30)


def reset(sock: socket.socket, _stop: threading.Event) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    raise ConnectionAbortedError


def hang_up(sock: socket.socket, _stop: threading.Event) -> None:
    raise ConnectionAbortedError


class FakeServer:
    """Scripts are used up in order; the last one stays."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.asked: list[Asked] = []
        self.connections = 0
        self._scripts: deque[Script] = deque()
        self._stop = threading.Event()
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self.port}"
        self._threads: list[threading.Thread] = []
        self._open: set[socket.socket] = set()
        self._spawn(self._accept)

    def script(self, *scripts: Script) -> None:
        self._scripts = deque(scripts)

    def close(self) -> None:
        self._stop.set()
        # closing alone does not wake a thread that waits in accept() or recv()
        for sock in [self._listener, *self._open]:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in list(self._threads):
            thread.join(5)
            assert not thread.is_alive(), "a thread of the fake server did not end"

    def _spawn(self, run: Callable[..., None], *args: Any) -> None:
        thread = threading.Thread(target=run, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._stop.is_set():
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._spawn(self._serve, sock)

    def _serve(self, plain: socket.socket) -> None:
        self._open.add(plain)
        # Not `with plain`: wrapping it for TLS takes its file descriptor away.
        with contextlib.suppress(OSError):
            sock = self._tls.wrap_socket(plain, server_side=True) if self._tls else plain
            self._open.add(sock)
            with sock:
                while not self._stop.is_set() and self._one(sock):
                    pass
            self._open.discard(sock)
        plain.close()
        self._open.discard(plain)

    def _one(self, sock: socket.socket) -> bool:
        asked = self._read(sock)
        if asked is None:
            return False
        self.asked.append(asked)
        script = self._scripts.popleft() if len(self._scripts) > 1 else self._scripts[0]
        script(sock, self._stop)
        return True

    def _read(self, sock: socket.socket) -> Asked | None:
        raw = b""
        while b"\r\n\r\n" not in raw:
            if not (more := sock.recv(65536)):
                return None
            raw += more
        head, _, body = raw.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        while len(body) < int(headers.get("content-length", "0")):
            if not (more := sock.recv(65536)):
                return None
            body += more
        method, path, _ = first.split(" ")
        return Asked(method, path, headers, body)
