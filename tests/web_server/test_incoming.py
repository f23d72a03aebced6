"""When a request is whole: the same however its bytes are cut, and never later than gunicorn's parser would say."""

from contextlib import suppress
from http import HTTPStatus
from itertools import pairwise

import pytest
from gunicorn.config import Config
from gunicorn.http import errors
from gunicorn.http.parser import RequestParser
from hypothesis import given
from hypothesis import strategies as st

from lessonadmin.web_server import limits
from lessonadmin.web_server.incoming import MAX_CHUNKED_BYTES, Incoming

HEAD = b"POST /a?b HTTP/1.1\r\nHost: x\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
WHOLE = [
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    HEAD + b"Content-Length: 0\r\n\r\n",
    HEAD + b"content-length:  5 \r\n\r\nhello",
    CHUNKED + b"0\r\n\r\n",
    CHUNKED + b"5\r\nhello\r\n0\r\n\r\n",
    CHUNKED + b"5;name=value\r\nhello\r\n00\r\nTrailer: x\r\n\r\n",
    CHUNKED + b"a\r\n0\r\n\r\n0\r\n\r\n\r\n0\r\n\r\n",  # a chunk that looks like an end
    HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
]


def after(*pieces: bytes) -> Incoming:
    incoming = Incoming()
    for piece in pieces:
        incoming.add(piece)
    return incoming


@pytest.mark.parametrize("request_bytes", WHOLE)
def test_it_is_whole_with_its_last_byte_and_not_before(request_bytes: bytes) -> None:
    incoming = Incoming()
    for place in range(len(request_bytes)):
        assert not incoming.whole
        incoming.add(request_bytes[place : place + 1])
    assert incoming.whole
    assert (incoming.refusal, incoming.without_body) == (None, False)
    assert bytes(incoming.buffer) == request_bytes


@given(st.sampled_from(WHOLE), st.sampled_from(WHOLE), st.lists(st.integers(0, 200), max_size=5))
def test_it_does_not_matter_how_the_bytes_are_cut(first: bytes, second: bytes, cuts: list[int]) -> None:
    both = first + second
    places = [0, *sorted({min(cut, len(both)) for cut in cuts}), len(both)]
    pieces = [both[begin:end] for begin, end in pairwise(places)]
    incoming = Incoming()
    while not incoming.whole:
        incoming.add(pieces.pop(0))
    assert len(incoming.buffer) >= len(first)
    assert bytes(incoming.buffer) + b"".join(pieces) == both


@given(
    st.lists(st.sampled_from([b"0", b"5", b"a", b"\r\n", b";", b"hello", b" ", b"x: y", b"\n"]), max_size=12)
)
def test_gunicorns_parser_never_waits_for_more_of_a_whole_body(parts: list[bytes]) -> None:
    """It may refuse the bytes, but it does not run out of them, which in a thread would mean to wait for a client."""
    incoming = after(CHUNKED + b"".join(parts))
    if incoming.whole and not incoming.without_body:
        parser = RequestParser(Config(), iter((bytes(incoming.buffer),)), ("127.0.0.1", 1))
        with suppress(errors.ParseException):  # and not NoMoreData
            next(parser).body.read()


@pytest.mark.parametrize(
    "fields",
    [
        b"Content-Length: 3\r\nContent-Length: 3",
        b"Content-Length: 3\r\nTransfer-Encoding: chunked",
        b"Transfer-Encoding: gzip",
        b"Content-Length: three",
        b"Content-Length: -1",
        b"Content-Length: 9999999999999999999999",
    ],
)
def test_what_is_not_clear_is_left_to_the_parser_without_a_body(fields: bytes) -> None:
    incoming = after(HEAD + fields + b"\r\n\r\n")
    assert (incoming.whole, incoming.without_body) == (True, True)


def test_a_body_that_is_longer_than_the_application_takes_is_not_waited_for() -> None:
    fitting = after(HEAD + f"Content-Length: {limits.MAX_BODY_BYTES}\r\n\r\n".encode())
    assert (fitting.whole, fitting.body_due) == (False, limits.MAX_BODY_BYTES)
    longer = after(HEAD + f"Content-Length: {limits.MAX_BODY_BYTES + 1}\r\n\r\n".encode())
    assert (longer.whole, longer.without_body) == (True, True)


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET / HTTP/1.1\r\nX: " + b"a" * limits.MAX_HEAD_BYTES, HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE),
        (CHUNKED + b"five\r\nhello\r\n", HTTPStatus.BAD_REQUEST),
        (CHUNKED + b"\r\n", HTTPStatus.BAD_REQUEST),
        (CHUNKED + b"0" * (limits.MAX_HEAD_BYTES + 1), HTTPStatus.BAD_REQUEST),
        (CHUNKED + b"0\r\nX: " + b"a" * limits.MAX_HEAD_BYTES, HTTPStatus.BAD_REQUEST),
        (CHUNKED + b"%x\r\n" % MAX_CHUNKED_BYTES, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
    ],
)
def test_what_has_no_end_in_sight_is_refused(sent: bytes, status: HTTPStatus) -> None:
    assert after(sent).refusal is status


@pytest.mark.parametrize(
    ("value", "expected"), [("100-continue", True), ("100-Continue", True), ("else", False), ("", False)]
)
def test_it_knows_whether_the_client_waits_before_it_sends_the_body(value: str, expected: bool) -> None:
    head = HEAD + f"Expect: {value}\r\nContent-Length: 3\r\n\r\n".encode()
    assert after(head).expects_continue is expected
