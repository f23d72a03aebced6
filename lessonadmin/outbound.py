"""Requests to other servers with an end to every wait and to every body: what Mux and single sign-on have in common.

One attempt and no sleep, no redirect followed, an end to every wait (also against a server that trickles bytes). It knows no
server and no secret, and believes nothing of an answer.
"""

import io
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from http.client import HTTPResponse
from typing import Any

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How long and how much, at most; seconds and bytes."""

    connect: float = 3.0
    read: float = 10.0
    whole: float = 15.0
    body: int = 8 * 1024 * 1024


@dataclass(frozen=True)
class Answer:
    """What came back: nothing in it is believed yet."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class BodyTooLarge(Exception):
    """The body is longer than any answer that is expected."""


_ends_at: ContextVar[float] = ContextVar("outbound_call_ends_at")


class _DeadlineReader(io.RawIOBase):
    """Reads a socket until the call's end: urllib3's read time-out starts anew with every byte, this one does not."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._patience = sock.gettimeout()
        self._raw = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = _ends_at.get() - time.monotonic()
        if left <= 0:
            raise TimeoutError("the call took too long")
        self._sock.settimeout(left if self._patience is None else min(left, self._patience))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _DeadlineSocket:
    """As much of a socket as http.client wants for reading an answer."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_DeadlineReader(self._sock))


def _deadline_response(sock: Any, *args: Any, **kwargs: Any) -> HTTPResponse:
    return HTTPResponse(_DeadlineSocket(sock), *args, **kwargs)  # type: ignore[arg-type]


class _Connection(HTTPConnection):
    response_class = staticmethod(_deadline_response)  # type: ignore[assignment]


class _SecureConnection(HTTPSConnection):
    response_class = staticmethod(_deadline_response)  # type: ignore[assignment]


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


POOLS = {"http": _Pool, "https": _SecurePool}
"""Connections whose reads end with the call; only within `bounded`."""


@contextmanager
def bounded(limits: Limits) -> Iterator[None]:
    """The calls in the block have this much time together."""
    mark = _ends_at.set(time.monotonic() + limits.whole)
    try:
        yield
    finally:
        _ends_at.reset(mark)


def once(
    pools: Any, method: str, url: str, *, headers: dict[str, str], body: bytes | None, limits: Limits
) -> Answer:
    """One request, never repeated, redirect or not; raises urllib3's errors and BodyTooLarge. Only within `bounded`."""
    response = pools.request(
        method,
        url,
        body=body,
        headers=headers,
        timeout=urllib3.Timeout(connect=limits.connect, read=limits.read),
        redirect=False,
        preload_content=False,
    )
    return Answer(response.status, response.headers, _body(response, limits.body))


def _body(response: Any, most: int) -> bytes:
    whole = False
    try:
        found: bytes = response.read(most + 1)
        whole = len(found) <= most
        if not whole:
            raise BodyTooLarge
        return found
    finally:
        # A connection with unread bytes must not serve the next call.
        response.release_conn() if whole else response.close()
