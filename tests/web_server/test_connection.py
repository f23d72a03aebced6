"""Until when a connection is waited for: a request's time runs from its beginning, however its bytes come."""

import selectors
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from gunicorn.config import Config

from lessonadmin.web_server import limits
from lessonadmin.web_server.connection import Connection, State
from lessonadmin.web_server.exchange import Configuration, Exchange

GET = b"GET / HTTP/1.1\r\nHost: x\r\nX: y\r\n\r\n"


@pytest.fixture
def pair() -> Iterator[tuple[Connection, socket.socket]]:
    accepted, client = socket.socketpair()
    with accepted, client:
        client.settimeout(5)
        yield Connection(accepted, ("127.0.0.1", 1), ("127.0.0.1", 2)), client


def test_a_head_has_its_time_from_its_first_byte_and_the_body_from_there(
    pair: tuple[Connection, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, _ = pair
    clock = [100.0]
    monkeypatch.setattr("lessonadmin.web_server.connection.time.monotonic", lambda: clock[0])
    one.take(b"POST / HTTP/1.1\r\n")
    assert (one.state, one.deadline) == (State.HEAD, 100 + limits.HEAD_SECONDS)
    clock[0] = 105
    one.take(b"Content-Length: 3\r\n")
    assert one.deadline == 100 + limits.HEAD_SECONDS
    one.take(b"\r\n")
    assert (one.state, one.deadline) == (State.BODY, 105 + limits.BODY_SECONDS)
    clock[0] = 110
    one.take(b"a")
    assert one.deadline == 105 + limits.BODY_SECONDS


def test_reading_does_not_wait_and_knows_the_end(pair: tuple[Connection, socket.socket]) -> None:
    one, client = pair
    assert one.read() is None
    client.sendall(b"abc")
    assert one.read() == b"abc"
    client.close()
    assert one.read() == b""


def test_a_connection_that_is_half_closed_tells_the_client_that_nothing_more_comes(
    pair: tuple[Connection, socket.socket],
) -> None:
    one, client = pair
    one.half_close()
    assert client.recv(10) == b""
    one.socket.close()
    one.half_close()  # also if the client has already gone


def answered(pair: tuple[Connection, socket.socket], sent: bytes = GET) -> Connection:
    """A connection whose request has been answered by a thread."""
    one, _ = pair
    one.state, one.watched = State.BUSY, selectors.EVENT_READ
    one.exchange = Exchange(Configuration(Config()), sent, one.peer, one.own, one.outgoing)
    one.exchange.turn(app, keep=True)
    return one


def app(_environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]


def test_after_an_answer_it_waits_for_the_next_request_without_the_loop(
    pair: tuple[Connection, socket.socket],
) -> None:
    one = answered(pair)
    assert one.rest(5)
    assert (one.state, one.exchange) == (State.IDLE, None)


@pytest.mark.parametrize(
    ("sent", "change"),
    [
        (GET, {"watched": 0}),
        (GET, {"large_bytes": 1}),
        (GET + b"GET", {}),
        (GET.replace(b"X: y", b"Connection: close"), {}),
    ],
    ids=["something came", "memory to give back", "the next request has begun", "it ends"],
)
def test_it_does_not_where_the_loop_has_something_to_do(
    pair: tuple[Connection, socket.socket], sent: bytes, change: dict[str, int]
) -> None:
    one = answered(pair, sent)
    vars(one).update(change)
    assert not one.rest(5)
    assert (one.state, one.exchange is None) == (State.BUSY, False)
