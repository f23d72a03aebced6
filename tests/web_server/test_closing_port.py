"""A port that takes no new connection gives out those that were there, and resets none of them when it is closed."""

import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from lessonadmin.web_server import closing_port

pytestmark = [
    pytest.mark.enable_socket,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux can be told so"),
]


@pytest.fixture(params=[socket.AF_INET, socket.AF_INET6])
def listener(request: pytest.FixtureRequest) -> Iterator[socket.socket]:
    with socket.socket(request.param) as one:
        one.bind(("127.0.0.1" if request.param == socket.AF_INET else "::1", 0))
        one.listen()
        one.settimeout(2)
        yield one


def client_of(listener: socket.socket) -> socket.socket:
    client = socket.socket(listener.family)
    client.settimeout(0.3)
    return client


def test_what_had_come_is_accepted_and_what_comes_is_not(listener: socket.socket) -> None:
    with client_of(listener) as before, client_of(listener) as after:
        before.connect(listener.getsockname())
        before.sendall(b"sent before")
        assert closing_port.take_no_new_connections(listener) is True
        before.sendall(b", and after")
        with pytest.raises(TimeoutError):
            after.connect(listener.getsockname())
        accepted, _ = listener.accept()
        with accepted:
            listener.close()
            assert accepted.recv(100) == b"sent before, and after"
            accepted.sendall(b"answer")
            assert before.recv(100) == b"answer"


def test_the_control_a_port_that_is_only_closed_resets_what_waits_there(listener: socket.socket) -> None:
    with client_of(listener) as client:
        client.connect(listener.getsockname())
        client.sendall(b"sent before")
        listener.close()
        with pytest.raises(ConnectionError):
            client.recv(100)


def test_a_unix_socket_is_left_as_it_is(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "web"))
        assert closing_port.take_no_new_connections(listener) is False


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({}, True),
        ({"pid": 1}, False),
        ({"reexec_pid": 7}, False),
        ({"master_pid": 7}, False),
        ({"systemd": True}, False),
    ],
)
def test_only_the_stop_of_the_last_master_closes_the_port_for_all(
    change: dict[str, object], told: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    monkeypatch.setattr(closing_port, "take_no_new_connections", lambda _listener: done.append("told"))
    listener = SimpleNamespace(close=lambda: done.append("closed"))
    arbiter = {
        "LISTENERS": [listener],
        "pid": os.getpid(),
        "reexec_pid": 0,
        "master_pid": 0,
        "systemd": False,
    }
    closing_port.when_the_port_closes(SimpleNamespace(**arbiter | change))
    listener.close()
    assert done == (["told", "closed"] if told else ["closed"])
