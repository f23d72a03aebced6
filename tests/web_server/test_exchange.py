"""One request and its answer without a server: turns, what is kept, and answers that fail or lose their client."""

import logging
import socket
from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from typing import Any

import pytest
from gunicorn.config import Config

from lessonadmin.web_server import limits
from lessonadmin.web_server.exchange import Configuration, Exchange, refuse
from lessonadmin.web_server.outgoing import Outgoing

GET = b"GET /a?secret=1 HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture
def pair() -> Iterator[tuple[Outgoing, socket.socket]]:
    own, client = socket.socketpair()
    with own, client:
        own.setblocking(False)
        client.settimeout(5)
        yield Outgoing(own), client


def begun(outgoing: Outgoing, data: bytes = GET) -> Exchange:
    return Exchange(Configuration(Config()), data, ("192.0.2.1", 1), ("127.0.0.1", 2), outgoing)


def test_each_setting_is_looked_up_once_and_what_is_computed_from_them_is_there() -> None:
    given = Config()
    given.set("keepalive", 7)
    seen = Configuration(given)
    given.set("keepalive", 8)
    assert seen.keepalive == 7
    assert not seen.is_ssl


def app_of(answer: Iterable[bytes]) -> Callable[..., Any]:
    def app(_environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Length", "2")])
        return answer

    return app


def test_an_answer_that_is_read_at_once_is_ended_in_one_turn(pair: tuple[Outgoing, socket.socket]) -> None:
    outgoing, client = pair
    exchange = begun(outgoing, GET + b"GET /next")
    exchange.turn(app_of([b"ok"]), keep=True)
    assert (exchange.ended, exchange.keeps, exchange.rest) == (True, True, b"GET /next")
    assert client.recv(1000).endswith(b"\r\n\r\nok")


def test_what_is_begun_takes_nothing_of_its_answer_and_is_begun_once(
    pair: tuple[Outgoing, socket.socket],
) -> None:
    outgoing, client = pair
    done: list[str] = []

    class Answer:
        def __iter__(self) -> Iterator[bytes]:
            done.append("taken")
            return iter([b"ok"])

    def app(_environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        done.append("called")
        start_response("200 OK", [("Content-Length", "2")])
        return Answer()

    exchange = begun(outgoing)
    for _ in range(2):
        exchange.begin(app, keep=True)
    assert (done, exchange.ended, len(outgoing)) == (["called"], False, 0)
    exchange.turn(app, keep=True)
    assert (done, exchange.ended) == (["called", "taken"], True)
    assert client.recv(1000).endswith(b"ok")


def test_what_fails_when_it_is_begun_is_answered_and_has_no_turn(
    pair: tuple[Outgoing, socket.socket],
) -> None:
    outgoing, client = pair

    def app(_environ: dict[str, Any], _start_response: Callable[..., Any]) -> Iterable[bytes]:
        raise RuntimeError("the application failed")

    exchange = begun(outgoing)
    exchange.begin(app, keep=True)
    exchange.turn(app, keep=True)
    assert exchange.ended
    assert client.recv(1000).startswith(b"HTTP/1.1 500 ")


def test_a_connection_is_not_kept_where_the_server_stops(pair: tuple[Outgoing, socket.socket]) -> None:
    outgoing, client = pair
    exchange = begun(outgoing)
    exchange.turn(app_of([b"ok"]), keep=False)
    assert not exchange.keeps
    assert b"Connection: close" in client.recv(1000)


def test_a_turn_ends_when_enough_waits_for_the_client(pair: tuple[Outgoing, socket.socket]) -> None:
    outgoing, client = pair
    piece = b"x" * limits.UNSENT_BYTES
    made = []

    def pieces() -> Iterator[bytes]:
        for number in range(5):
            made.append(number)
            yield piece

    def app(_environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        start_response("200 OK", [])
        return pieces()

    exchange = begun(outgoing)
    turns = 0
    found = bytearray()
    while not exchange.ended:
        exchange.turn(app, keep=False)
        assert len(outgoing) < 3 * limits.UNSENT_BYTES
        turns += 1
        while outgoing:
            found += client.recv(1 << 20)
            outgoing.flush()
    client.setblocking(False)
    found += client.recv(1 << 20)
    assert turns > 1
    assert found.count(b"x") == 5 * len(piece)
    assert bytes(found).endswith(b"\r\n0\r\n\r\n")


def test_an_answer_whose_client_has_gone_is_closed_once_in_its_own_context(
    pair: tuple[Outgoing, socket.socket], caplog: pytest.LogCaptureFixture
) -> None:
    outgoing, client = pair
    closed = []

    class Endless:
        def __iter__(self) -> Iterator[bytes]:
            while True:
                yield b"x" * limits.UNSENT_BYTES

        def close(self) -> None:
            closed.append(1)

    def app(_environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        start_response("200 OK", [])
        return Endless()

    exchange = begun(outgoing)
    exchange.turn(app, keep=True)
    client.close()
    outgoing.flush()
    assert outgoing.broken
    exchange.turn(app, keep=True)
    exchange.abandon()
    exchange.abandon()
    assert (closed, exchange.keeps, caplog.text) == ([1], False, "")


def test_what_the_parser_refuses_is_answered_and_not_logged(
    pair: tuple[Outgoing, socket.socket], caplog: pytest.LogCaptureFixture
) -> None:
    outgoing, client = pair
    exchange = begun(outgoing, b"GET /?secret=1 HTTP/9\r\n\r\n")
    exchange.turn(app_of([b"ok"]), keep=True)
    assert (exchange.ended, exchange.keeps, caplog.text) == (True, False, "")
    answer = client.recv(1000)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"secret" not in answer


@pytest.mark.parametrize("name", ["X: y", "a"])
def test_an_error_of_the_application_is_logged_and_answered(
    pair: tuple[Outgoing, socket.socket], caplog: pytest.LogCaptureFixture, name: str
) -> None:
    """One that the application raises, and a header that it must not send."""
    outgoing, client = pair

    def app(_environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        start_response("200 OK", [(name, "v")])
        raise RuntimeError("failed")

    with caplog.at_level(logging.ERROR):
        begun(outgoing).turn(app, keep=True)
    assert client.recv(1000).startswith(b"HTTP/1.1 500 ")
    assert "was not answered" in caplog.text
    assert "secret" not in caplog.text


def test_a_refusal_ends_the_connection_and_says_when_to_come_again(
    pair: tuple[Outgoing, socket.socket],
) -> None:
    outgoing, client = pair
    refuse(outgoing, HTTPStatus.SERVICE_UNAVAILABLE)
    outgoing.flush()
    answer = client.recv(1000)
    assert b"Connection: close\r\nRetry-After: 5\r\n" in answer
    assert answer.endswith(b"\r\n\r\nService Unavailable\n")
