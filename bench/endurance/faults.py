"""The table of faults: each begins at once and gives back what ends it.

A fault may be taken back while another one goes on, in any order, so each undoes its own work only. Nothing in here touches a process
that the stack did not start.
"""

import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psutil
import psycopg
import redis

from devstack.servers.postgres import APP_ROLE, OWNER_ROLE
from tests.flows.processes import DATABASE, Stack, request, wait_for

Undo = Callable[[], object]
SLOW_CLIENTS = 60
DISK_BYTES = 4 * 1024 * 1024
HEAD_BEGINS = b"GET /login HTTP/1.1\r\nHos"


@dataclass(frozen=True)
class Fault:
    """`seconds`: how long it lasts in a battery. `holds_web`: web itself cannot answer meanwhile."""

    name: str
    begin: Callable[[Stack], Undo]
    seconds: float = 6.0
    holds_web: bool = False


def _kill(name: str, stack: Stack) -> Undo:
    if name in stack.processes:
        stack.kill(name)
    return partial(stack.start, name)


def _processes(stack: Stack, name: str) -> list[psutil.Process]:
    if name not in stack.processes:
        return []
    head = psutil.Process(stack.processes[name].pid)
    return [head, *head.children(recursive=True)]


def _pause(processes: list[psutil.Process]) -> Undo:
    for one in processes:
        with suppress(psutil.NoSuchProcess):
            one.suspend()

    def go_on() -> None:
        for one in processes:
            with suppress(psutil.NoSuchProcess):
                one.resume()

    return go_on


def _pause_all(name: str, stack: Stack) -> Undo:
    return _pause(_processes(stack, name))


def _pause_one_of_web(stack: Stack) -> Undo:
    return _pause(_processes(stack, "web")[1:2])


def _crash_postgresql(stack: Stack) -> Undo:
    if stack.database.running is not None:
        stack.database.kill()

    def start() -> None:
        if stack.database.running is None:
            stack.database.start()

    return start


def _read_only(stack: Stack) -> Undo:
    def to(value: str) -> None:
        stack.database.rows(f"ALTER SYSTEM SET default_transaction_read_only = {value}")
        stack.database.rows("SELECT pg_reload_conf()")

    to("on")
    return partial(to, "off")


def _take_all_connections(stack: Stack) -> Undo:
    """Those of the product are ended, and what ends is taken by another program."""
    taken: list[psycopg.Connection[tuple[object, ...]]] = []
    end = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = %s"
    until = time.monotonic() + 1.5
    while time.monotonic() < until:
        try:
            taken.append(psycopg.connect(host=str(stack.home), user=OWNER_ROLE, dbname=DATABASE))
        except psycopg.OperationalError:
            stack.database.rows(end, APP_ROLE)

    def give_back() -> None:
        for one in taken:
            one.close()

    return give_back


def _kill_redis(stack: Stack) -> Undo:
    if stack.redis_running is not None:
        stack.kill_redis()
    return stack.start_redis


def _empty_redis(stack: Stack) -> Undo:
    """It comes back, and nothing that it had is there."""
    start = _kill_redis(stack)
    for one in stack.redis.data.iterdir():
        if one.name != "valkey.conf":
            shutil.rmtree(one) if one.is_dir() else one.unlink()
    return start


def _flush_redis(stack: Stack) -> Undo:
    with suppress(redis.RedisError), redis.Redis.from_url(stack.redis.url(), socket_timeout=2) as connection:
        connection.flushall()
    return lambda: None


def _pause_redis(stack: Stack) -> Undo:
    if stack.redis_running is None:
        return lambda: None
    return _pause([psutil.Process(stack.redis_running.process.pid)])


def _stop_mux(stack: Stack) -> Undo:
    stack.stop_mux()
    return stack.start_mux


def _mux(kind: str, stack: Stack, *, target: str = "api", **params: object) -> Undo:
    """A rule of the simulator, whether or not it runs when the fault ends."""
    stack.start_mux()
    rule = stack.mux.fault(target, kind, **params)

    def end() -> None:
        stack.start_mux()
        stack.mux.remove_fault(rule)

    return end


def may_mount() -> bool:
    """A disk of its own, which can be full, needs root and the right to mount."""
    return os.geteuid() == 0 and _mount(Path("/tmp"), only_try=True)  # noqa: S108 - nothing is mounted there


def _mount(at: Path, *, only_try: bool = False) -> bool:
    if only_try:
        tried = subprocess.run(
            ["unshare", "--mount", "mount", "-t", "tmpfs", "none", str(at)], capture_output=True, check=False
        )
        return tried.returncode == 0
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES},mode=0700", "none", str(at)], check=False
    )
    return done.returncode == 0


def small_disk_for_metrics(stack: Stack) -> Undo:
    """The folder of the counters lies on a disk of its own from now on, before anything of the product runs."""
    at = stack.home / "metrics"
    assert _mount(at)
    return partial(subprocess.run, ["umount", "--lazy", str(at)], check=False)


def _fill_disk(stack: Stack) -> Undo:
    """What was counted is deleted too, as one does to make space, and web is started anew: it has to make its files again."""
    folder = stack.home / "metrics"
    for one in folder.glob("*.db"):
        one.unlink()
    start = _kill("web", stack)
    filler = folder / "filler"
    with suppress(OSError), filler.open("wb", buffering=0) as file:
        for size in (65536, 4096, 1):
            with suppress(OSError):
                while True:
                    file.write(b"x" * size)
    start()
    wait_for(stack.alive, seconds=20, what="web on a full disk")
    answers = {request("GET", f"{stack.url}/{path}").status for path in ("login", "healthz", "readyz") * 10}
    assert answers <= {200, 503}, "a process of web ended on a full disk"  # readyz may lack a worker or Redis
    return partial(filler.unlink, missing_ok=True)


class SlowClients(threading.Thread):
    """Connections that send a byte every ten seconds; one that web ends is opened again."""

    def __init__(self, stack: Stack) -> None:
        super().__init__(name="slow clients")
        self._port = stack.port
        self._ended = threading.Event()
        self._open: list[tuple[socket.socket, float]] = []

    def run(self) -> None:
        while not self._ended.wait(0.2):
            self._open = [one for one in self._open if self._goes_on(one[0])]
            with suppress(OSError):
                while len(self._open) < SLOW_CLIENTS:
                    self._open.append(self._opened())
            for number, (one, at) in enumerate(self._open):
                if time.monotonic() >= at:
                    self._open[number] = (one, time.monotonic() + 10)
                    with suppress(OSError):
                        one.sendall(b"a")
        for one, _ in self._open:
            one.close()

    def _opened(self) -> tuple[socket.socket, float]:
        one = socket.create_connection(("127.0.0.1", self._port), timeout=2)
        one.sendall(HEAD_BEGINS)
        one.setblocking(False)
        return one, time.monotonic() + 10

    def _goes_on(self, one: socket.socket) -> bool:
        try:
            if one.recv(1000):
                return True
        except BlockingIOError:
            return True
        except OSError:
            pass
        one.close()
        return False

    def end(self) -> None:
        self._ended.set()
        self.join(10)


def _slow_clients(stack: Stack) -> Undo:
    clients = SlowClients(stack)
    clients.start()
    return clients.end


def _sigterm(stack: Stack) -> Undo:
    """A deployment: everything is asked to end, and started anew."""
    stack.stop("web", "worker", "clock", seconds=150)
    return stack.start


WEBHOOKS_LOST = "all webhooks lost"
DISK_FULL = "disk full under the metrics"
TABLE = (
    Fault("web killed", partial(_kill, "web"), 3, holds_web=True),
    Fault("worker killed", partial(_kill, "worker")),
    Fault("clock killed", partial(_kill, "clock")),
    Fault("one process of web paused", _pause_one_of_web, 5, holds_web=True),
    Fault("worker paused", partial(_pause_all, "worker"), 10),
    Fault("clock paused", partial(_pause_all, "clock"), 15),
    Fault("PostgreSQL crashed", _crash_postgresql, 3),
    Fault("PostgreSQL read-only", _read_only),
    Fault("PostgreSQL out of connections", _take_all_connections),
    Fault("Redis killed", _kill_redis),
    Fault("Redis restarted empty", _empty_redis, 1),
    Fault("Redis emptied", _flush_redis, 0),
    Fault("Redis paused", _pause_redis, 30),
    Fault("Mux unreachable", _stop_mux, 10),
    Fault("Mux answers 500", partial(_mux, "status", status=500), 10),
    Fault("Mux answers 429", partial(_mux, "rate_limited", retry_after=5), 10),
    Fault("Mux does not answer", partial(_mux, "hang", seconds=60), 10),
    Fault("Mux answers nonsense", partial(_mux, "truncated_json"), 10),
    Fault("Mux answers a byte a second", partial(_mux, "drip", seconds=1), 10),
    Fault(WEBHOOKS_LOST, partial(_mux, "drop", target="webhook"), 10),
    Fault("clients that send a byte every ten seconds", _slow_clients, 15),
    Fault("deployment by SIGTERM", _sigterm, 0, holds_web=True),
    Fault(DISK_FULL, _fill_disk, 10, holds_web=True),
)
BY_NAME = {one.name: one for one in TABLE}
PAIRS = (
    ("worker killed", "Redis emptied"),
    ("PostgreSQL crashed", "web killed"),
    ("Mux unreachable", "Redis killed"),
    ("clock killed", WEBHOOKS_LOST),
    ("PostgreSQL read-only", "Redis paused"),
    ("PostgreSQL crashed", "Redis restarted empty"),
    ("Mux answers a byte a second", "clients that send a byte every ten seconds"),
    ("worker paused", "clock killed"),
)


@dataclass(frozen=True)
class Struck:
    """Faults that were there together, by the wall clock."""

    names: tuple[str, ...]
    began: float
    ended: float

    @property
    def holds_web(self) -> bool:
        return any(BY_NAME[name].holds_web for name in self.names)

    @property
    def promised_seconds(self) -> float:
        """Until everything is right again: after a single fault, or several at once."""
        return 60.0 if len(self.names) == 1 else 120.0

    def __str__(self) -> str:
        return " + ".join(self.names)


def strike(stack: Stack, *names: str, seconds: float | None = None) -> Struck:
    """All of these at once, each for its time or for so long; then everything is started that does not run, as a supervisor does."""
    began = time.time()
    undo = [
        (seconds if seconds is not None else BY_NAME[name].seconds, BY_NAME[name].begin(stack))
        for name in names
    ]
    last = 0.0
    for lasts, end in sorted(undo, key=lambda one: one[0]):
        time.sleep(max(0.0, lasts - last))
        last = max(last, lasts)
        end()
    ended = time.time()
    stack.start()
    wait_for(stack.alive, seconds=30, what="web")
    return Struck(names, began, ended)
