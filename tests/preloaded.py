"""Starts programs of the product (`flask`, `gunicorn`) from a process that has loaded their libraries already.

Loading the libraries is half of what a start costs, and a run of the tests starts the product some hundred times. What is
started is a process of its own all the same, with its own environment and the program's own file, and it loads the product's
own modules itself: those look at their environment while they are loaded. Not for a test that looks at a process from
outside (its command line, its environment in /proc): there it is the process that it was made from.
"""

import atexit
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from typing import IO

from devstack.places import ROOT
from devstack.servers import privileges

SIGNAL = b"!"


class Started:
    """A process, to be used like `subprocess.Popen`."""

    def __init__(self, command: Sequence[str], said: int) -> None:
        self.args = list(command)
        self.returncode: int | None = None
        self._said: int | None = (
            said  # where the server says the number of the process, and later how it ended
        )
        self.pid = int(self._read())

    def poll(self) -> int | None:
        if self._said is not None and select.select([self._said], [], [], 0)[0]:
            self._end()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        if self._said is not None:
            if not select.select([self._said], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(self.args, timeout or 0)
            self._end()
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _read(self) -> str:
        assert self._said is not None
        line = b""
        while not line.endswith(b"\n"):
            more = os.read(self._said, 1)
            assert more, "the process that has loaded the libraries is gone"
            line += more
        return line.decode()

    def _end(self) -> None:
        self.returncode = int(self._read())
        self._close()

    def _close(self) -> None:
        if self._said is not None:
            os.close(self._said)
        self._said = None

    __del__ = _close


def start(
    command: Sequence[str],
    *,
    env: Mapping[str, str],
    stdout: IO[bytes] | IO[str],
    stderr: IO[bytes] | IO[str] | None = None,
) -> Started:
    """`command` begins with `flask` or `gunicorn`, or with Python and `-m`. It runs at the root of the repository, in a
    session of its own, reads nothing, and is told to end when the tests are gone. Without `stderr` both go to `stdout`."""
    is_module = command[0] == sys.executable
    words = list(command[2:] if is_module else command)
    asked = {"is_module": is_module, "words": words, "environment": dict(env)}
    said, end = os.pipe()
    try:
        with tempfile.TemporaryFile() as file:
            file.write(json.dumps(asked).encode())
            file.flush()
            given = [file.fileno(), stdout.fileno(), (stderr or stdout).fileno(), end]
            socket.send_fds(_server(), [SIGNAL], given)
    finally:
        os.close(end)
    return Started(command, said)


def start_line(line: str, *, env: Mapping[str, str], stdout: IO[bytes]) -> Started:
    """A line of the Procfile, with its settings filled in by the shell as in production."""
    filled = subprocess.run(
        ["/bin/sh", "-c", f"printf '%s\\n' {line}"], env=dict(env), capture_output=True, text=True, check=True
    )
    return start(filled.stdout.splitlines(), env=env, stdout=stdout)


def run(
    command: Sequence[str], *, env: Mapping[str, str], timeout: float = 60
) -> "subprocess.CompletedProcess[str]":
    """To its end, and what it said."""
    with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as complained:
        process = start(command, env=env, stdout=said, stderr=complained)
        try:
            process.wait(timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise
        texts = []
        for file in (said, complained):
            file.seek(0)
            texts.append(file.read().decode())
    return subprocess.CompletedProcess(process.args, process.wait(), *texts)


@cache
def _server() -> socket.socket:
    """Started when the first process is asked for; it ends with the tests."""
    ours, theirs = socket.socketpair()
    with theirs:
        server = subprocess.Popen(
            [sys.executable, "-m", "tests.preloaded_server", str(theirs.fileno())],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
            preexec_fn=privileges.tied(signal.SIGTERM),
        )
    atexit.register(_stop, server, ours)
    return ours


def _stop(server: "subprocess.Popen[bytes]", channel: socket.socket) -> None:
    channel.close()
    server.wait(10)
