"""The process that `tests/preloaded.py` starts programs from: it loads the product's libraries once and forks for each.

It loads nothing of the product itself, nor the client of Prometheus: they look at the environment while they are loaded,
and each program has its own.
"""

import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import sys
import tempfile
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from devstack.places import ROOT
from devstack.servers import privileges

FILES = 65536
NOT_BEFORE = ("lessonadmin", "prometheus_client", "__main__", "tests")


@dataclass
class Program:
    """What a child becomes."""

    is_module: bool
    words: list[str]
    environment: dict[str, str]


def main() -> None:
    channel = socket.socket(fileno=int(sys.argv[1]))
    _load()
    program = _serve(channel)
    if program is not None:
        _become(program)


def _libraries() -> list[str]:
    """What the product loads, asked of a process that has loaded it."""
    said, tell = os.pipe()
    child = os.fork()
    if child == 0:
        with tempfile.TemporaryDirectory() as folder:
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
            for name in (
                "lessonadmin.admin",
                "lessonadmin.views",
                "lessonadmin.jobs",
                "lessonadmin.web_server.worker",
            ):
                importlib.import_module(name)
            for name in ("gunicorn.app.wsgiapp", "flask.cli", "lessonadmin.cli"):
                importlib.import_module(name)
            names = [name for name in sys.modules if name.partition(".")[0] not in NOT_BEFORE]
            with os.fdopen(tell, "w") as answer:
                json.dump(names, answer)
        os._exit(0)
    os.close(tell)
    with os.fdopen(said) as answer:
        found: list[str] = json.load(answer)
    os.waitpid(child, 0)
    return found


def _load() -> None:
    gc.disable()
    for name in _libraries():
        importlib.import_module(name)
    gc.collect()
    gc.freeze()
    gc.enable()
    assert threading.active_count() == 1, "a child would have none of the other threads"


def _serve(channel: socket.socket) -> Program | None:
    """Returns in each child with what it is to become, and in this process when the tests have ended."""
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    ends: dict[int, int] = {}  # process -> the pipe in which its end is told
    while True:
        ready, _, _ = select.select([channel, woken], [], [])
        if woken in ready:
            os.read(woken, 4096)
            _tell_ends(ends)
        if channel in ready:
            asked, given, _, _ = socket.recv_fds(channel, 1, 4)
            if not asked:
                return None
            request, out, err, end = given
            child, program = _fork(channel, request, out, err)
            if program is not None:
                return program
            for one in (request, out, err):
                os.close(one)
            os.write(end, f"{child}\n".encode())
            ends[child] = end


def _tell_ends(ends: dict[int, int]) -> None:
    while ends:
        child, status = os.waitpid(-1, os.WNOHANG)
        if child == 0:
            return
        end = ends.pop(child)
        with suppress(BrokenPipeError):  # the test did not want to know
            os.write(end, f"{os.waitstatus_to_exitcode(status)}\n".encode())
        os.close(end)


def _fork(channel: socket.socket, request: int, out: int, err: int) -> tuple[int, Program | None]:
    """The child's number; in the child what it becomes, with nothing left of this process's own files and signals."""
    tie = privileges.tied(signal.SIGTERM)
    child = os.fork()
    if child:
        return child, None
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGCHLD, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    tie()
    os.setsid()
    program = Program(**json.loads(os.pread(request, os.fstat(request).st_size, 0)))
    nothing = os.open(os.devnull, os.O_RDONLY)
    for file, number in ((nothing, 0), (out, 1), (err, 2)):
        os.dup2(file, number)
    channel.detach()  # else it closes its number at the program's end, whichever file of the program has that by then
    os.closerange(3, FILES)
    return 0, program


def _become(program: Program) -> None:
    """As the interpreter does it for a program's file, or for `python -m`."""
    os.environ.clear()
    os.environ.update(program.environment)
    os.chdir(ROOT)
    if program.is_module:
        sys.argv[:] = program.words
        sys.path[0] = str(ROOT)
        runpy.run_module(program.words[0], run_name="__main__", alter_sys=True)
    else:
        file = Path(sys.executable).parent / program.words[0]
        sys.argv[:] = [str(file), *program.words[1:]]
        sys.path[0] = str(file.parent)
        runpy.run_path(str(file), run_name="__main__")


if __name__ == "__main__":
    main()
