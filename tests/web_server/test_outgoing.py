"""Bytes on their way to a client over a pair of sockets: nothing waits, nothing is lost, a client that has gone is noticed."""

import socket
from collections.abc import Iterator

import pytest

from lessonadmin.web_server.outgoing import Outgoing

Pair = tuple[socket.socket, socket.socket]
MUCH = b"0123456789" * 400_000


@pytest.fixture
def pair() -> Iterator[Pair]:
    own, client = socket.socketpair()
    with own, client:
        own.setblocking(False)
        client.settimeout(5)
        yield own, client


def test_what_the_client_does_not_take_stays_and_comes_in_its_order(pair: Pair) -> None:
    own, client = pair
    outgoing = Outgoing(own)
    outgoing.sendall(MUCH)
    assert outgoing.flush()
    assert 0 < len(outgoing) < len(MUCH)
    assert not outgoing.flush()
    found = bytearray()
    while len(found) < len(MUCH):
        found += client.recv(1 << 20)
        outgoing.flush()
    assert bytes(found) == MUCH
    assert len(outgoing) == 0


def test_pieces_leave_together(pair: Pair) -> None:
    own, client = pair
    outgoing = Outgoing(own)
    outgoing.sendall(b"head ")
    outgoing.sendall(b"body")
    outgoing.flush()
    assert client.recv(100) == b"head body"


def test_a_client_that_has_gone_is_noticed_and_nothing_is_kept_for_it(pair: Pair) -> None:
    own, client = pair
    client.close()
    outgoing = Outgoing(own)
    outgoing.sendall(b"answer")
    outgoing.flush()
    assert outgoing.broken
    assert len(outgoing) == 0
