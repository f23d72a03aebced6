"""The wire at its worst: nothing hangs, nothing is repeated, nothing leaks, and it is always the right kind."""

import base64
import gzip
import http.client
import logging
import os
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mux_python
import pytest

from lessonadmin import mux
from lessonadmin.mux import transport
from lessonadmin.observability.logs import JsonLines
from tests.certificates import self_signed
from tests.mux import fake_server
from tests.mux.calls import CALLS, every_call, fails, kind
from tests.mux.fake_server import FakeServer, answer, error
from tests.settings import overridden

GOOD = {"data": {"id": "a1", "status": "ready"}}
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def unused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return int(sock.getsockname()[1])


@every_call
def test_no_server_is_there(operation: str) -> None:
    with overridden(mux_api_url=f"http://127.0.0.1:{unused_port()}"):
        assert kind(operation) == ("later", "network", None)


@every_call
@pytest.mark.parametrize("script", [fake_server.reset, fake_server.hang_up], ids=["reset", "hang up"])
def test_the_connection_breaks_and_nothing_is_sent_twice(
    fake: FakeServer, operation: str, script: fake_server.Script
) -> None:
    fake.script(script)
    assert kind(operation) == ("later", "network", None)
    assert len(fake.asked) == 1


@pytest.mark.usefixtures("quick")
@every_call
def test_silence_ends_and_nothing_is_sent_twice(fake: FakeServer, operation: str) -> None:
    fake.script(fake_server.hang)
    began = time.monotonic()
    assert kind(operation) == ("later", "timeout", None)
    assert time.monotonic() - began < transport.LIMITS.read + 0.4
    assert len(fake.asked) == 1


TRICKLES = {
    "status line": fake_server.trickle(b"", every=0.1, byte=b"H"),
    "headers": fake_server.trickle(HEAD + b"X-Long: ", every=0.1, byte=b"x"),
    "many headers": fake_server.trickle(HEAD, every=0.1, byte=b"X: y\r\n"),
    "body": fake_server.trickle(HEAD + b"Content-Length: 9999\r\n\r\n", every=0.1),
    "body without length": fake_server.trickle(HEAD + b"\r\n", every=0.1),
    "chunks": fake_server.trickle(
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n", every=0.1, byte=b"1\r\n \r\n"
    ),
}


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("script", TRICKLES.values(), ids=TRICKLES)
@pytest.mark.parametrize("operation", ["create_upload", "get_asset"])
def test_a_trickle_does_not_outlast_the_call(
    fake: FakeServer, operation: str, script: fake_server.Script
) -> None:
    fake.script(script)
    began = time.monotonic()
    assert kind(operation) == ("later", "timeout", None)
    assert transport.LIMITS.read < time.monotonic() - began < transport.LIMITS.whole + 0.5


@pytest.mark.parametrize("script", [fake_server.hang, TRICKLES["body"]], ids=["hang", "trickle"])
def test_the_end_of_the_call_comes_before_a_patient_read(
    fake: FakeServer, monkeypatch: pytest.MonkeyPatch, script: fake_server.Script
) -> None:
    monkeypatch.setattr(transport, "LIMITS", transport.Limits(connect=0.5, read=20, whole=0.5))
    fake.script(script)
    began = time.monotonic()
    assert kind("get_asset") == ("later", "timeout", None)
    assert time.monotonic() - began < 1.5


@pytest.mark.usefixtures("quick")
def test_a_slow_but_whole_answer_is_good(fake: FakeServer) -> None:
    def slowly(sock: socket.socket, stop: threading.Event) -> None:
        stop.wait(0.3)
        answer(GOOD)(sock, stop)

    fake.script(slowly)
    assert mux.get_asset("a1", priority="low").id == "a1"


@every_call
def test_half_an_answer_is_no_answer(fake: FakeServer, operation: str) -> None:
    fake.script(answer(b'{"data": {"id": "a1"}}', length=500))
    assert kind(operation)[:2] == ("later", "network")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\r\n",
        b"SSH-2.0-OpenSSH\r\n",
        b"\x00" * 500,
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n",
        b"x" * 70_000 + b"\r\n",
    ],
)
def test_what_is_no_http_is_no_answer(fake: FakeServer, raw: bytes) -> None:
    fake.script(fake_server.send_bytes(raw, close=True))
    assert fails("get_asset").kind == "later"


@pytest.mark.parametrize("operation", ["create_upload", "get_asset"])
def test_broken_compression_is_nonsense(fake: FakeServer, operation: str) -> None:
    fake.script(answer(b"this is not gzip", Content_Encoding="gzip"))
    assert kind(operation)[0] == "nonsense"


@pytest.mark.usefixtures("quick")
def test_compression_does_not_lift_the_bound(fake: FakeServer) -> None:
    fake.script(
        answer(gzip.compress(b'{"data": {"id": "a1"}}'), Content_Encoding="gzip"),
        answer(gzip.compress(b" " * 50_000_000), Content_Encoding="gzip"),
    )
    assert mux.get_asset("a1", priority="low").id == "a1"
    assert kind("get_asset")[0] == "nonsense"


def test_one_connection_serves_many_calls_and_a_spoiled_one_is_dropped(fake: FakeServer) -> None:
    fake.script(answer(GOOD), error(500), error(404), answer(b"<html>"), answer(GOOD))
    for _ in range(5):
        try:
            mux.get_asset("a1", priority="low")
        except mux.MuxError:
            continue
    assert fake.connections == 1
    fake.script(fake_server.reset, answer(GOOD))
    assert fails("get_asset").category == "network"
    assert mux.get_asset("a1", priority="low").id == "a1"
    assert fake.connections == 2


def test_unread_bytes_never_become_the_next_answer(fake: FakeServer, quick: transport.Limits) -> None:
    fake.script(answer(b" " * (quick.body * 2)), answer(GOOD))
    assert fails("get_asset").kind == "nonsense"
    assert mux.get_asset("a1", priority="low").status == "ready"


# settings, tokens, processes


def test_each_priority_signs_in_with_its_own_token(fake: FakeServer) -> None:
    fake.script(answer(GOOD))
    mux.get_asset("a1", priority="high")
    mux.get_asset("a1", priority="low")
    sent = [
        base64.b64decode(one.headers["authorization"].removeprefix("Basic ")).decode() for one in fake.asked
    ]
    assert sent == ["web-token:web-secret", "worker-token:worker-secret"]


def test_other_settings_are_another_client(fake: FakeServer) -> None:
    fake.script(answer(GOOD))
    mux.get_asset("a1", priority="low")
    other = FakeServer()
    other.script(answer(GOOD))
    with overridden(mux_api_url=other.url + "/", mux_worker_token_secret="new"):
        mux.get_asset("a1", priority="low")
    mux.get_asset("a1", priority="low")
    other.close()
    assert (len(fake.asked), len(other.asked)) == (2, 1)
    assert other.asked[0].path == "/video/v1/assets/a1"


def test_many_settings_do_not_fill_the_memory(fake: FakeServer) -> None:
    fake.script(answer(GOOD))
    for number in range(40):
        with overridden(mux_worker_token_id=f"token-{number}"):
            transport.client("low")
    assert len(transport._clients) <= transport.MAX_CLIENTS


def test_a_fork_does_not_share_its_parents_connections(fake: FakeServer) -> None:
    fake.script(answer(GOOD))
    mux.get_asset("a1", priority="low")
    parents = transport.client("low")
    child = os.fork()
    if child == 0:
        try:
            fine = transport.client("low") is not parents and mux.get_asset("a1", priority="low").id == "a1"
            os._exit(0 if fine and len(transport._clients) == 1 else 1)
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert transport.client("low") is parents
    assert mux.get_asset("a1", priority="low").id == "a1"
    assert fake.connections == 2


def test_many_threads_share_one_client(fake: FakeServer) -> None:
    fake.script(answer(GOOD))
    found: list[Any] = []
    threads = [
        threading.Thread(target=lambda: found.append(mux.get_asset("a1", priority="low").id))
        for _ in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == ["a1"] * 12


def test_the_sdk_is_set_up_to_tolerate_and_to_keep_quiet(fake: FakeServer) -> None:
    fake.script(answer(GOOD))
    mux.get_asset("a1", priority="low")
    default = mux_python.Configuration.get_default_copy()
    assert default.client_side_validation is False
    assert (default.username, default.password) == (None, None)
    assert http.client.HTTPConnection.debuglevel == 0
    assert logging.getLogger("mux_python").level == logging.WARNING


# TLS


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for 127.0.0.1 that no authority has signed, with its key."""
    return self_signed("127.0.0.1", tmp_path)


@pytest.fixture
def secure(certificate: Path) -> Iterator[FakeServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = FakeServer(context)
    with overridden(mux_api_url=server.url):
        yield server
    server.close()


def test_a_certificate_that_no_authority_has_signed_is_no_connection(secure: FakeServer) -> None:
    secure.script(answer(GOOD))
    assert kind("get_asset") == ("later", "network", None)
    assert kind("create_upload") == ("later", "network", None)
    assert secure.asked == []
    assert "TLS" in fails("get_asset").message


def test_plain_http_where_tls_should_be_is_no_connection() -> None:
    def refuse(listener: socket.socket) -> None:
        sock, _ = listener.accept()
        with sock:
            sock.recv(100)
            sock.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=refuse, args=(listener,))
        thread.start()
        with overridden(mux_api_url=f"https://127.0.0.1:{listener.getsockname()[1]}"):
            assert kind("get_asset") == ("later", "network", None)
        thread.join(5)


@pytest.mark.usefixtures("quick")
def test_the_clock_runs_over_tls_too(
    secure: FakeServer, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    secure.script(answer(GOOD), fake_server.trickle(HEAD + b"Content-Length: 9999\r\n\r\n", every=0.1))
    with overridden(mux_worker_token_id="over-tls"):
        assert mux.get_asset("a1", priority="low").id == "a1"
        began = time.monotonic()
        assert kind("get_asset") == ("later", "timeout", None)
        assert transport.LIMITS.read < time.monotonic() - began < transport.LIMITS.whole + 0.5


# nothing leaks


@every_call
def test_no_failure_and_no_log_line_shows_a_secret(
    fake: FakeServer, operation: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    upload = {"id": "u1", "status": "waiting", "url": "https://u.example/u1?token=SESAME"}
    fake.script(answer({"data": upload}, 201), error(401, "nope"), answer(b"<html>"), fake_server.reset)
    told = []
    for _ in range(4):
        try:
            told.append(repr(CALLS[operation]()))
        except mux.MuxError as problem:
            told += [repr(problem), str(problem), problem.message]
    mine = [record for record in caplog.records if record.name == "lessonadmin.mux"]
    assert len(mine) == 4
    everything = "\n".join([*told, *map(JsonLines().format, caplog.records)])
    for secret in ("SESAME", "web-secret", "worker-secret", "d2ViLXRva2Vu", "d29ya2VyLXRva2Vu"):
        assert secret not in everything
