"""One request to Mux through its own package, with the package's traps shut.

The SDK supplies routes, escaping and authentication; this module supplies the rest: one attempt and no sleep, no redirect
followed, an end to every wait (also against a server that trickles bytes), an end to every body. What it returns
is what the server said, whatever the status; only `responses` judges it.
"""

import io
import json
import os
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from http.client import HTTPResponse
from typing import Any, Literal
from urllib.parse import urlencode

import mux_python
import urllib3
from mux_python.rest import RESTClientObject
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from lessonadmin import config

Priority = Literal["high", "low"]
"""high: the web's token, a person waits for the answer. low: the workers' token."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How long and how much, at most; seconds and bytes."""

    connect: float = 3.0
    read: float = 10.0
    whole: float = 15.0
    body: int = 8 * 1024 * 1024


LIMITS = Limits()
MAX_CLIENTS = 8


@dataclass(frozen=True)
class Answer:
    """What came back: nothing in it is believed yet."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class BodyTooLarge(Exception):
    """The body is longer than any answer of Mux's."""


_ends_at: ContextVar[float] = ContextVar("mux_call_ends_at")


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
"""Connections whose reads end with the call; only within `send` or `plain`."""


class BoundedRestClient(RESTClientObject):  # type: ignore[misc]  # the SDK ships no types
    """Unlike the SDK's own client it reads errors with a bound, does not decode them, and returns any status."""

    def __init__(self, configuration: Any) -> None:
        super().__init__(configuration)
        self.pool_manager.pool_classes_by_scheme = POOLS

    def request(
        self,
        method: str,
        url: str,
        query_params: Any = None,
        headers: dict[str, str] | None = None,
        body: Any = None,
        **_unused: Any,
    ) -> Answer:
        if query_params:
            url += "?" + urlencode(query_params)
        return _once(
            self.pool_manager,
            method,
            url,
            headers={**(headers or {}), "Content-Type": "application/json"},
            body=None if body is None else json.dumps(body).encode(),
        )


def _once(pools: Any, method: str, url: str, *, headers: dict[str, str], body: bytes | None) -> Answer:
    response = pools.request(
        method,
        url,
        body=body,
        headers=headers,
        timeout=urllib3.Timeout(connect=LIMITS.connect, read=LIMITS.read),
        redirect=False,
        preload_content=False,
    )
    return Answer(response.status, response.headers, _body(response))


def _body(response: Any) -> bytes:
    whole = False
    try:
        found: bytes = response.read(LIMITS.body + 1)
        whole = len(found) <= LIMITS.body
        if not whole:
            raise BodyTooLarge
        return found
    finally:
        # A connection with unread bytes must not serve the next call.
        response.release_conn() if whole else response.close()


def _build(host: str, token_id: str, secret: str) -> Any:
    # Models consult the default configuration, not the client's; without this one a new enum value at Mux raises.
    tolerant = mux_python.Configuration()
    tolerant.client_side_validation = False
    mux_python.Configuration.set_default(tolerant)
    own = mux_python.Configuration(host=host.rstrip("/"), username=token_id, password=secret)
    own.client_side_validation = False
    # urllib3 would repeat three times and sleep as long as Retry-After says, inside the call.
    own.retries = urllib3.Retry(0, redirect=False, respect_retry_after_header=False)
    client = mux_python.ApiClient(own)
    client.rest_client = BoundedRestClient(own)
    return client


def token_of(priority: Priority) -> tuple[str, str]:
    """Id and secret of the access token that this priority uses."""
    settings = config.current()
    if priority == "high":
        return settings.mux_token_id, settings.mux_token_secret
    return settings.mux_worker_token_id, settings.mux_worker_token_secret


_clients: dict[tuple[int, str, str, str], Any] = {}


def client(priority: Priority) -> Any:
    """The client of this process, token and address: a worker's fork must not share its parent's connections."""
    key = (os.getpid(), config.current().mux_api_url, *token_of(priority))
    found = _clients.get(key)
    if found is None:
        if len(_clients) >= MAX_CLIENTS or any(one[0] != key[0] for one in list(_clients)):
            _clients.clear()
        # Two threads may both build one; setdefault lets one win, and no lock can be left held by a fork.
        found = _clients.setdefault(key, _build(*key[1:]))
    return found


@contextmanager
def _bounded() -> Iterator[None]:
    mark = _ends_at.set(time.monotonic() + LIMITS.whole)
    try:
        yield
    finally:
        _ends_at.reset(mark)


def send(priority: Priority, call: Callable[[Any], Any]) -> Answer:
    """Make one call (`call` gets the SDK's client) and return what came back; raises urllib3's errors and BodyTooLarge."""
    with _bounded():
        answer: Answer = call(client(priority))
        return answer


def request_without_token(
    pools: Any, method: str, url: str, *, headers: dict[str, str], body: bytes | None
) -> Answer:
    """One request beside the API, without a token, bounded like every other; raises the same errors."""
    with _bounded():
        return _once(pools, method, url, headers=headers, body=body)
