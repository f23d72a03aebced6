"""Until when a connection is waited for: a request's time runs from its beginning, however its bytes come."""

import socket
from collections.abc import Iterator

import pytest

from lessonadmin.web_server import limits
from lessonadmin.web_server.connection import Connection, State


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
