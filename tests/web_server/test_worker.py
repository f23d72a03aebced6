"""The web server over real sockets, by the Procfile's line: slow clients, limits, framing, stopping, and what an application may do."""

import re
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
from gunicorn.config import Config
from gunicorn.errors import ConfigError

from lessonadmin.web_server import limits
from lessonadmin.web_server.worker import MAX_WEBHOOKS_TOGETHER, Worker
from tests.flows.processes import wait_for
from tests.web_server.serving import Server, everything, get, read_until, server

HEAD_BEGINS = b"GET / HTTP/1.1\r\nHos"
BODY_BEGINS = b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n{"
TOO_LONG = limits.MAX_BODY_BYTES + 1
ANSWERED_SECONDS = 2.0
SMALL_BUFFER = 4096


@pytest.fixture(scope="module")
def web() -> Iterator[Server]:
    with server() as running:
        yield running


@contextmanager
def clients(web: Server, count: int, sent: bytes, *, read_buffer: int = 0) -> Iterator[list[socket.socket]]:
    with ExitStack() as stack:
        yield [stack.enter_context(web.connect(sent, read_buffer=read_buffer)) for _ in range(count)]


def answers_in_time(web: Server, path: str = "/") -> bool:
    began = time.monotonic()
    return bool(web.get(path)) and time.monotonic() - began < ANSWERED_SECONDS


def post(body: bytes, *headers: str, path: str = "/echo") -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: x", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


# slow clients


@pytest.mark.parametrize(
    "sent", [b"", HEAD_BEGINS, BODY_BEGINS], ids=["nothing", "half a head", "half a body"]
)
def test_forty_slow_clients_hold_no_thread(web: Server, sent: bytes) -> None:
    with clients(web, 40, sent):
        assert answers_in_time(web)
        assert answers_in_time(web, "/healthz")


def test_eight_slow_readers_hold_no_thread_and_their_answers_are_closed(web: Server) -> None:
    before = int(web.get("/closed"))
    with clients(web, 8, get("/endless"), read_buffer=SMALL_BUFFER) as readers:
        for reader in readers:
            reader.recv(100)
        assert answers_in_time(web)
    wait_for(lambda: int(web.get("/closed")) == before + 8, seconds=5, what="closing the answers")
    assert "not closed" not in web.log.read_text()


def test_a_client_that_does_not_read_at_all_is_given_up(web: Server) -> None:
    before = int(web.get("/closed"))
    with web.connect(get("/endless"), read_buffer=SMALL_BUFFER):
        wait_for(lambda: int(web.get("/closed")) == before + 1, seconds=8, what="giving the client up")


def test_threads_that_are_all_taken_hold_neither_health_nor_webhooks() -> None:
    with server() as web, clients(web, 12, get("/occupy", close=True)) as waiting:
        assert answers_in_time(web, "/healthz")
        web.get("/api/webhooks/mux")  # releases them
        assert all(everything(one).endswith(b"released") for one in waiting)


@pytest.mark.parametrize("several", [7, MAX_WEBHOOKS_TOGETHER + 3])
def test_webhooks_that_wait_for_a_thread_are_all_begun_before_the_first_is_answered(several: int) -> None:
    """So that they can share a commit. The test's web server has one thread for them."""
    with server() as web, web.connect(get("/api/mux/webhook", close=True)) as first:
        wait_for(lambda: web.get("/begun") == b"1", seconds=5, what="the first webhook")
        with clients(web, several, get("/api/mux/webhook", close=True)) as others:
            for _ in range(3):
                assert web.get("/begun") == b"1", "the thread is taken"
            web.get("/release")
            bodies = [everything(one).partition(b"\r\n\r\n")[2] for one in (first, *others)]
    numbers = [int(body.split(b"\r\n")[1]) for body in bodies]  # of a chunk
    together = min(several, MAX_WEBHOOKS_TOGETHER)
    assert numbers[0] == 1
    assert numbers.count(1 + together) == together
    assert sorted(numbers)[-1] == 1 + several, "and none is left"


def test_one_webhook_that_ends_its_thread_keeps_no_other_from_its_answer() -> None:
    with server() as web, web.connect(get("/api/mux/webhook", close=True)):
        wait_for(lambda: web.get("/begun") == b"1", seconds=5, what="the first webhook")
        with web.connect(get("/api/mux/webhook?ends", close=True)):
            web.get("/begun")  # so that it is before the others
            with clients(web, 3, get("/api/mux/webhook", close=True)) as others:
                for _ in range(3):
                    assert web.get("/begun") == b"1", "the thread is taken"
                web.get("/release")
                assert all(everything(one).startswith(b"HTTP/1.1 200 ") for one in others)
        assert answers_in_time(web, "/api/mux/webhook")


def test_more_clients_than_connections_do_not_keep_a_new_one_out() -> None:
    with server("--worker-connections 20") as web, clients(web, 40, HEAD_BEGINS):
        assert answers_in_time(web)


# limits


@pytest.mark.parametrize("sent", [HEAD_BEGINS, BODY_BEGINS], ids=["head", "body"])
def test_what_takes_too_long_to_come_is_answered_408(web: Server, sent: bytes) -> None:
    with web.connect(sent) as client:
        began = time.monotonic()
        assert everything(client).startswith(b"HTTP/1.1 408 ")
        assert 1 < time.monotonic() - began < 4


def test_a_byte_now_and_then_does_not_prolong_a_request(web: Server) -> None:
    began = time.monotonic()
    with web.connect(HEAD_BEGINS) as client:
        client.settimeout(0.1)
        found = b""
        while not found and time.monotonic() - began < 5:
            try:
                found = client.recv(100)
            except TimeoutError:
                client.sendall(b"a")
    assert found.startswith(b"HTTP/1.1 408 ")


def test_a_head_that_is_too_long_is_answered_431(web: Server) -> None:
    assert web.ask(b"GET / HTTP/1.1\r\nX: " + b"a" * limits.MAX_HEAD_BYTES).startswith(b"HTTP/1.1 431 ")


def test_a_body_that_is_too_long_is_not_read_and_its_request_answered(web: Server) -> None:
    sent = post(b"a" * 1000, f"Content-Length: {TOO_LONG}", path="/")
    found = web.ask(sent)
    assert found.startswith(b"HTTP/1.1 200 ")
    assert b"Connection: close" in found


def test_large_bodies_share_a_part_of_the_memory_and_small_ones_always_fit(web: Server) -> None:
    begun = post(b"a", f"Content-Length: {limits.MAX_BODY_BYTES}")
    with clients(web, 2, begun):
        wait_for(lambda: b" 503 " in web.ask(begun), seconds=1, what="the refusal")
        assert b"Retry-After: 5" in web.ask(begun)
        assert web.ask(post(b"small", "Content-Length: 5", "Connection: close")).endswith(b"small")
    whole = post(
        b"a" * limits.MAX_BODY_BYTES, f"Content-Length: {limits.MAX_BODY_BYTES}", "Connection: close"
    )
    wait_for(lambda: b" 200 " in web.ask(whole)[:20], seconds=5, what="the memory to be free again")


# framing


def test_requests_on_one_connection_are_answered_in_their_order(web: Server) -> None:
    sent = post(b"one", "Content-Length: 3") + post(b"two", "Content-Length: 3") + get("/healthz", close=True)
    found = web.ask(sent)
    assert re.findall(rb"\r\n\r\n(one|two|alive)", found) == [b"one", b"two", b"alive"]


def test_a_body_in_chunks_is_read_however_it_comes(web: Server) -> None:
    sent = post(b"3\r\none\r\n4;a=b\r\n two\r\n0\r\n\r\n", "Transfer-Encoding: chunked", "Connection: close")
    with web.connect() as client:
        for place in range(len(sent)):
            client.sendall(sent[place : place + 1])
        assert b"one two" in everything(client)


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        (["Content-Length: 3", "Content-Length: 4"], b"abcd", 400),
        (["Content-Length: 3", "Content-Length: 3"], b"abc", 400),
        (["Content-Length: 3", "Transfer-Encoding: chunked"], b"0\r\n\r\n", 400),
        (["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"], b"0\r\n\r\n", 400),
        (["Transfer-Encoding: identity"], b"abc", 400),
        (["Transfer-Encoding: xchunked"], b"0\r\n\r\n", 501),
        (["Transfer-Encoding: chunked"], b"zz\r\nabc", 400),
        (["Transfer-Encoding: chunked"], b"-1\r\nabc", 400),
        (["Content-Length : 3"], b"abc", 400),
        (["Content-Length: +3"], b"abc", 400),
        (["Content-Length: 3", " folded"], b"abc", 400),
        (["Expect: something"], b"", 417),
        (["X: a\0b"], b"", 400),
    ],
)  # fmt: skip
def test_a_request_whose_end_is_in_doubt_is_refused_and_the_connection_ends(
    web: Server, headers: list[str], body: bytes, status: int
) -> None:
    found = web.ask(post(body, *headers) + get("/healthz", close=True))
    assert found.startswith(f"HTTP/1.1 {status} ".encode())
    assert b"alive" not in found


def test_a_client_that_waits_for_100_is_told_once_and_answered(web: Server) -> None:
    with web.connect(post(b"", "Content-Length: 4", "Expect: 100-continue", "Connection: close")) as client:
        assert read_until(client, b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"body")
        found = everything(client)
    assert found.startswith(b"HTTP/1.1 200 ")
    assert found.endswith(b"\r\n\r\nbody")


def test_head_is_answered_without_a_body(web: Server) -> None:
    found = web.ask(get("/", close=True).replace(b"GET", b"HEAD", 1))
    assert found.startswith(b"HTTP/1.1 200 ")
    assert found.endswith(b"\r\n\r\n")


def test_it_listens_on_ipv6_and_on_a_unix_socket(tmp_path: Path) -> None:
    socket_file = str(tmp_path / "s")
    with server(host="[::1]") as web:
        assert b"::1||/address" in web.get("/address")
    with server(f"--bind unix:{socket_file}", unix=socket_file) as web:
        assert b"||/address" in web.get("/address")


# applications


def test_an_answer_goes_on_in_its_own_context_whatever_thread_has_its_turn(web: Server) -> None:
    with clients(web, 4, get("/turns", close=True)) as asking:
        lines = [re.findall(rb"others-\d \S+", everything(one)) for one in asking]
    assert all(len(one) == 8 and all(line.endswith(b" me") for line in one) for one in lines)
    assert max(len(set(one)) for one in lines) > 1


def test_an_error_is_answered_500_and_logged_without_the_address_of_the_request(web: Server) -> None:
    assert web.ask(get("/crash?secret=1")).startswith(b"HTTP/1.1 500 ")
    logged = web.log.read_text()
    assert "the application failed" in logged
    assert "secret" not in logged


def test_an_answer_that_fails_in_the_middle_is_seen_to_be_cut_off(web: Server) -> None:
    found = web.ask(get("/cut"))
    assert b"first" in found
    assert not found.endswith(b"0\r\n\r\n")


# processes


def test_clients_that_go_on_coming_do_not_keep_a_process_from_ending(monkeypatch: pytest.MonkeyPatch) -> None:
    worker, taken, closed = Worker.__new__(Worker), [], []
    worker.cfg = SimpleNamespace(backlog=5, graceful_timeout=0)
    worker.sockets, worker.connections = [SimpleNamespace(close=lambda: closed.append(1))], {}
    monkeypatch.setattr(worker, "_accept_more", lambda _more: None)
    monkeypatch.setattr(worker, "_accepted", lambda listener: taken.append(listener) or True)
    worker._stop()
    assert (len(taken), len(closed)) == (5, 1)


def test_a_request_in_flight_is_answered_while_the_server_stops() -> None:
    with server() as web, clients(web, 40, HEAD_BEGINS), web.connect(get("/occupy", close=True)) as client:
        assert web.get("/healthz") == b"alive"
        with web.connect(get("/")) as kept, web.connect(b"GET /api/webhooks/mux HTTP/1.1\r\n") as begun:
            read_until(kept, b"hello")
            began = time.monotonic()
            web.process.send_signal(signal.SIGTERM)
            assert (
                everything(kept) == b""
            )  # a kept connection ends at once, long before it would have by itself
            begun.sendall(b"Host: x\r\n\r\n")
            assert b"Connection: close" in everything(begun)  # and has released the one in flight
        assert everything(client).endswith(b"released")
        assert web.process.wait(10) == 0
        assert time.monotonic() - began < 10


def _connections(web: Server) -> list[int]:
    return sorted(
        sum(one.status == psutil.CONN_ESTABLISHED for one in worker.net_connections("tcp"))
        for worker in web.workers()
    )


@contextmanager
def two_processes() -> Iterator[Server]:
    """Both accept: the second one is started a moment after the first."""
    with server("--workers 2") as web, ExitStack() as stack:

        def both_accept() -> bool:
            stack.enter_context(web.connect())
            return len(_connections(web)) == 2 and all(_connections(web))

        wait_for(both_accept, seconds=20, what="the second process")
        stack.close()
        yield web


@pytest.mark.parametrize("kept", [8, 16])
def test_processes_share_the_connections_that_clients_keep(kept: int) -> None:
    with two_processes() as web:
        wait_for(lambda: not any(_connections(web)), seconds=5, what="that the first connections are closed")
        with clients(web, kept, get("/")) as waiting:
            for one in waiting:
                assert read_until(one, b"hello")
            # On a busy machine a process may wake too late for one that was left to it.
            assert min(_connections(web)) >= kept // 4


def test_a_process_that_hangs_keeps_no_connection_from_the_others() -> None:
    with two_processes() as web:
        hanging = web.workers()[0]
        hanging.suspend()
        try:
            assert all(answers_in_time(web) for _ in range(20))
        finally:
            hanging.resume()


def test_a_process_that_is_killed_is_replaced() -> None:
    with server() as web:
        (before,) = web.workers()
        before.kill()
        wait_for(lambda: web.answers() and [one.pid for one in web.workers()] != [before.pid], seconds=10)


def test_a_process_may_end_after_so_many_requests() -> None:
    with server("--max-requests 5") as web:
        (before,) = web.workers()
        wait_for(lambda: web.answers() and [one.pid for one in web.workers()] != [before.pid], seconds=10)


def test_tls_is_refused_rather_than_left_out(tmp_path: Path) -> None:
    given = Config()
    given.set("certfile", str(tmp_path))
    with pytest.raises(ConfigError, match="no TLS"):
        Worker.check_config(given, None)
