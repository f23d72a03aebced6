"""A small process manager: starts programs, shows what they say, starts the fallen again, stops all of them.

It never leaves anything behind: a program that ends takes its session along, all of them are stopped in order and in
bounded time, and when the manager itself is killed, the kernel tells its children and the register tells the next one.
"""

import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import IO

from devstack.errors import SetupError
from devstack.processes import leftovers
from devstack.processes.leftovers import Register
from devstack.processes.output import Output
from devstack.processes.programs import Program
from lessonadmin.text.texts import visible

FIRST_PAUSE = 0.5
MAX_PAUSE_SECONDS = 10.0
# who ran this long is well again: the next fall counts as the first
WELL_AFTER = 30.0
KEPT_LINES = 30
BEAT = 0.25


class Stopped(Exception):
    """A signal asked the manager to stop."""


@dataclass
class Child:
    """A program and the process that runs it now, if one does."""

    program: Program
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    falls: int = 0
    start_again_at: float | None = None
    rest: bytes = b""
    last_lines: list[str] = field(default_factory=list)

    @property
    def runs(self) -> bool:
        return self.process is not None and self.process.poll() is None


class Supervisor:
    """Used as a context: leaving it stops everything, whatever happened."""

    def __init__(self, *, environment: Mapping[str, str], register: Register, output: Output) -> None:
        self.environment = dict(environment)
        self._register = register
        self._output = output
        self._children: list[Child] = []
        self._selector = selectors.DefaultSelector()
        self._asked: list[int] = []
        self._previous: dict[int, object] = {}

    def __enter__(self) -> "Supervisor":
        self._wakeup, self._woken = socket.socketpair()
        for end in (self._wakeup, self._woken):
            end.setblocking(False)
        signal.set_wakeup_fd(self._wakeup.fileno(), warn_on_full_buffer=False)
        self._selector.register(self._woken, selectors.EVENT_READ, None)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            # nohup asked for the last; a shell that starts it in the background sets the first aside too, unasked
            if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
                self._previous[number] = signal.signal(
                    number, lambda asked, _frame: self._asked.append(asked)
                )
        self._previous[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda *_: None)
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._stop_everything()
        finally:
            signal.set_wakeup_fd(-1)
            for number, before in self._previous.items():
                signal.signal(number, before)  # type: ignore[arg-type]  # what signal() gave
            self._selector.close()
            self._wakeup.close()
            self._woken.close()

    # starting

    def start(self, *programs: Program) -> None:
        """Start these now; `wait_ready` tells when they serve."""
        for program in programs:
            child = Child(program)
            self._children.append(child)
            self._spawn(child)

    def wait_ready(self, *names: str, seconds: float = 30) -> None:
        """Return when all of these serve. One that ends or stays silent is a SetupError, with its last words."""
        deadline = time.monotonic() + seconds
        for child in [child for child in self._children if child.program.name in names]:
            while not child.program.ready():
                self.pause(0.05)
                if not child.runs:
                    raise SetupError(f"{child.program.name} did not start: {self._last_words(child)}")
                if time.monotonic() > deadline:
                    raise SetupError(
                        f"{child.program.name} did not answer in time: {self._last_words(child)}"
                    )

    def run_to_end(
        self, name: str, command: Sequence[str], *, folder: str, settings: Mapping[str, str]
    ) -> tuple[int, str]:
        """A command that ends by itself; its exit code and what it said, which is not shown."""
        with subprocess.Popen(
            command,
            env={**self.environment, **settings},
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as process:
            pipe = _pipe(process)
            self._register.add(name, process.pid)
            said: list[bytes] = []
            self._selector.register(pipe, selectors.EVENT_READ, said.append)
            try:
                while process.poll() is None:
                    self.turn(BEAT)
            except BaseException:
                leftovers.end(lambda: leftovers.session_members(process.pid), seconds=3)
                raise
            finally:
                with suppress(KeyError):
                    self._selector.unregister(pipe)
                self._register.remove(name)
            while chunk := _read(pipe):
                said.append(chunk)
        return process.returncode, b"".join(said).decode(errors="replace")

    def _spawn(self, child: Child) -> None:
        program = child.program
        program.before()
        child.process = subprocess.Popen(
            program.command,
            env={**self.environment, **program.settings},
            cwd=program.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=program.preexec,
        )
        child.started_at, child.start_again_at, child.rest = time.monotonic(), None, b""
        self._register.add(program.name, child.process.pid)
        self._selector.register(
            _pipe(child.process), selectors.EVENT_READ, lambda chunk: self._heard(child, chunk)
        )

    # living

    def forever(self) -> None:
        """Look after everything until it is asked to stop."""
        while True:
            self.turn(BEAT)
            for child in self._children:
                self._look_after(child)

    def on_enter(self, then: Callable[[], None]) -> None:
        """Do this whenever the person at the terminal presses Enter; without a terminal never."""
        if sys.stdin is not None and sys.stdin.isatty():
            # in the background, where the keyboard is another's, reading fails instead of halting everything
            signal.signal(signal.SIGTTIN, signal.SIG_IGN)
            self._selector.register(sys.stdin, selectors.EVENT_READ, lambda _typed: then())

    def turn(self, seconds: float) -> None:
        """Pass on what was said in the meantime; the request to stop is raised from here."""
        self._listen(seconds)
        if self._asked:
            raise Stopped

    def pause(self, seconds: float) -> None:
        """Let this much time pass, however much is said in it."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self.turn(left)

    def _listen(self, seconds: float) -> None:
        for key, _ in self._selector.select(seconds):
            if key.fileobj is self._woken:
                with suppress(BlockingIOError):
                    self._woken.recv(4096)
                continue
            chunk = _read(key.fileobj)  # type: ignore[arg-type]  # nothing but pipes and the terminal is registered beside it
            if chunk:
                key.data(chunk)
            elif chunk == b"":
                self._selector.unregister(key.fileobj)

    def _look_after(self, child: Child) -> None:
        now = time.monotonic()
        if child.process is not None and not child.runs:
            ending = self._bury(child)
            child.falls = 1 if now - child.started_at > WELL_AFTER else child.falls + 1
            pause = min(FIRST_PAUSE * 2 ** (child.falls - 1), MAX_PAUSE_SECONDS)
            child.start_again_at = now + pause
            self._output.warn(child.program.name, f"{ending} Starting it again in {pause:g} s.")
        elif child.start_again_at is not None and now >= child.start_again_at:
            self._spawn(child)

    def _bury(self, child: Child) -> str:
        """Take in what a process said last, and what is left of its session; how it ended, in words."""
        process = child.process
        if process is None:
            return "It was not running."
        pipe = _pipe(process)
        while chunk := _read(pipe):
            self._heard(child, chunk)
        if child.rest:
            self._heard(child, b"\n")
        with suppress(KeyError, ValueError):
            self._selector.unregister(pipe)
        pipe.close()
        code = process.wait()
        leftovers.end(lambda: leftovers.session_members(process.pid), seconds=1)
        self._register.remove(child.program.name)
        child.process = None
        how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        return f"It ended by itself ({how})."

    def _heard(self, child: Child, chunk: bytes) -> None:
        *lines, child.rest = (child.rest + chunk).split(b"\n")
        for line in lines:
            # it may hold what a stranger sent, and no terminal obeys that
            text = visible(line.decode(errors="replace").rstrip("\r"))
            child.last_lines = [*child.last_lines[-KEPT_LINES:], text]
            routine = any(words in text for words in child.program.noise)
            self._output.line(child.program.name, text, routine=routine)

    def _last_words(self, child: Child) -> str:
        self._listen(0.1)
        lines = [line.strip() for line in child.last_lines if line.strip()]
        return lines[-1] if lines else "it said nothing"

    # stopping

    def _stop_everything(self) -> None:
        """The newest first, those that were started together, together; each with its time, and no longer."""
        for group in _by_stage(reversed(self._children)):
            self._stop([child for child in group if child.process is not None])

    def _stop(self, children: list[Child]) -> None:
        for child in children:
            _send(child, child.program.stop_signal)
        begun = time.monotonic()
        timeout = {id(child): child.program.stop_seconds for child in children}
        while any(child.runs for child in children):
            self._listen_to_the_end()
            for child in children:
                hurry = len(self._asked) > 1  # a second Ctrl-C
                if child.runs and (hurry or time.monotonic() - begun > timeout[id(child)]):
                    _send(child, signal.SIGKILL)
        for child in children:
            with suppress(Exception):
                self._bury(child)

    def _listen_to_the_end(self) -> None:
        # the reader of the output may be gone by now; the programs must be stopped all the same
        try:
            self._listen(0.05)
        except Exception:
            time.sleep(0.05)


def _send(child: Child, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        if child.process is not None and number == signal.SIGKILL:
            os.killpg(child.process.pid, number)
        elif child.process is not None:
            child.process.send_signal(number)


def _by_stage(children: Iterable[Child]) -> list[list[Child]]:
    """Neighbours of the same stage together."""
    groups: list[list[Child]] = []
    for child in children:
        if groups and groups[-1][0].program.stage == child.program.stage:
            groups[-1].append(child)
        else:
            groups.append([child])
    return groups


def _pipe(process: subprocess.Popen[bytes]) -> IO[bytes]:
    """The output of a child process, read without waiting."""
    if process.stdout is None:
        raise RuntimeError("a process was started without a pipe")
    os.set_blocking(process.stdout.fileno(), False)
    return process.stdout


def _read(pipe: IO[bytes]) -> bytes | None:
    """What is there now; nothing yet: None; the end: empty."""
    try:
        return os.read(pipe.fileno(), 65536)
    except BlockingIOError:
        return None
    except (OSError, ValueError):
        return b""
