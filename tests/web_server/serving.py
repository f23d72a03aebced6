"""The web server as the Procfile starts it, with an application of the tests, and clients that write bytes."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from devstack.places import ROOT
from devstack.processes import procfile
from devstack.servers import ports, privileges
from tests.flows.processes import wait_for

SITE = "tests.web_server.site:app"
Address = tuple[str, int] | str


class Server:
    """One gunicorn; `address` is what a socket connects to."""

    def __init__(self, address: Address, process: subprocess.Popen[bytes], log: Path) -> None:
        self.address, self.process, self.log = address, process, log

    def connect(self, sent: bytes = b"", *, read_buffer: int = 0) -> socket.socket:
        family = socket.AF_UNIX if isinstance(self.address, str) else socket.AF_INET
        if isinstance(self.address, tuple) and ":" in self.address[0]:
            family = socket.AF_INET6
        client = socket.socket(family)
        if read_buffer:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, read_buffer)
        client.settimeout(10)
        try:
            client.connect(self.address)
            client.sendall(sent)
        except OSError:
            client.close()
            raise
        return client

    def ask(self, sent: bytes) -> bytes:
        """Everything that comes until the server closes."""
        with self.connect(sent) as client:
            return everything(client)

    def get(self, path: str) -> bytes:
        """The body of an answer."""
        return self.ask(get(path, close=True)).partition(b"\r\n\r\n")[2]

    def workers(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children()  # type: ignore[no-any-return]

    def answers(self) -> bool:
        try:
            return b"alive" in self.get("/healthz")
        except OSError:
            return False


def get(path: str, *, close: bool = False) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: x\r\n{'Connection: close' if close else 'X-A: b'}\r\n\r\n".encode()


def everything(client: socket.socket) -> bytes:
    found = b""
    while piece := client.recv(65536):
        found += piece
    return found


def read_until(client: socket.socket, end: bytes) -> bytes:
    found = b""
    while not found.endswith(end):
        piece = client.recv(65536)
        assert piece, found
        found += piece
    return found


@contextmanager
def server(
    options: str = "", *, host: str = "127.0.0.1", unix: str = "", application: str = SITE
) -> Iterator[Server]:
    """One process with four threads for pages, unless the options say otherwise."""
    port = ports.any_free()
    line, _, _ = procfile.read(ROOT / "Procfile")["web"].rpartition(" ")
    command = procfile.shell(f"{line} --config python:tests.web_server.site {options} {application}")
    settings = {"HOST": host, "PORT": str(port), "WEB_CONCURRENCY": "1", "WEB_THREADS": "4"}
    settings["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    address: Address = unix or (host.strip("[]"), port)
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "log").open("wb") as log:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **settings},
            stdout=log,
            stderr=log,
            preexec_fn=privileges.tied(signal.SIGTERM),
        )
        found = Server(address, process, Path(folder) / "log")
        try:
            wait_for(found.answers, seconds=20, what="the web server")
            yield found
        finally:
            process.terminate()
            process.wait(15)
