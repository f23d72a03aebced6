"""The product as it runs in production (the Procfile's lines), on servers of its own, so that each of them can be killed.

`Stack` keeps PostgreSQL, Redis, web, worker, clock and the Mux simulator of one test file; whatever a test ended or killed
it starts again. Nothing in here touches a process that it did not start.
"""

import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, TypeVar

import psutil

from devstack import places
from devstack.processes import procfile
from devstack.servers import for_tests, ports, privileges
from devstack.servers.for_tests import Running
from devstack.servers.postgres import Postgres
from devstack.servers.valkey import Valkey
from muxsim.client import Control
from muxsim.server import Simulator
from tests import preloaded
from tests.settings import environment

T = TypeVar("T")
SECRET = "flow-webhook-secret"
DATABASE = "flow"
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True)
class Answer:
    """What came back over HTTP; status 0 for no answer at all."""

    status: int
    body: Any


def request(
    method: str, url: str, body: Any = None, *, headers: dict[str, str] | None = None, timeout: float = 20
) -> Answer:
    raw = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
    sent = {"Content-Type": "application/json", **(headers or {})}
    asked = urllib.request.Request(url, data=raw, method=method, headers=sent)
    try:
        with _direct.open(asked, timeout=timeout) as answer:
            return Answer(answer.status, _read(answer.read()))
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, _read(error.read()))
    except OSError:
        return Answer(0, None)


def _read(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        return raw


def wait_for(holds: Callable[[], T], *, seconds: float, what: str = "it") -> T:
    """Ask until the answer is true; it must be in this many seconds."""
    until = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < until, f"{what} did not come true within {seconds} s"
        time.sleep(0.05)
    return found


class Database:
    """A PostgreSQL of one's own, with the product's schema, that may be killed and comes back with what it kept."""

    def __init__(self, home: Path, options: tuple[str, ...] = ()) -> None:
        self.home = home
        data = home / "pg"
        # the kept cluster of the test run: migrated once, copied here
        shutil.copytree(places.SETUP / "test-cluster" / for_tests.schema_key(), data)
        data.chmod(0o700)
        self.postgres = Postgres(data=data, sockets=home, options=options)
        self.postgres.prepare()
        self.running: Running | None = None
        self.start()
        self.postgres.create_database(DATABASE, template=for_tests.TEMPLATE)
        self.url = self.postgres.app_url(DATABASE)

    def start(self) -> None:
        self.running = Running(self.postgres.program(), self.home / "postgres.log")
        self.running.wait_ready()

    def stop(self) -> None:
        if self.running is not None:
            self.running.stop()
        self.running = None

    def kill(self) -> None:
        """kill -9 for every process of it, as near to at once as can be."""
        assert self.running is not None
        head = psutil.Process(self.running.process.pid)
        for process in [head, *head.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self.running.process.wait()
        self.running = None

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        # as the superuser, who also sees what other roles wait for
        with self.postgres.superuser(DATABASE) as connection:
            cursor = connection.execute(query, values)  # type: ignore[arg-type]  # a test's own text
            return cursor.fetchall() if cursor.description else []

    def one(self, query: str, *values: object) -> Any:
        return self.rows(query, *values)[0][0]


class Stack:
    """Everything that runs. `looked_at`: a test reads the command lines of the processes, so each is started from nothing."""

    def __init__(
        self, *, database_options: tuple[str, ...] = (), looked_at: bool = False, **settings: str
    ) -> None:
        self._looked_at = looked_at
        self.home = places.private_folder("flow")
        self.home.chmod(0o755)
        self.port, mux_port = ports.any_free(), ports.any_free()
        self.url = f"http://127.0.0.1:{self.port}"
        self.database = Database(self.home, database_options)
        self.redis = Valkey(data=self.home / "redis", port=ports.any_free(), password=secrets.token_hex(8))
        self.redis.prepare()
        self.redis_running: Running | None = None
        self.simulator: Simulator | None = None
        self.mux_port = mux_port
        self.mux = Control(f"http://127.0.0.1:{mux_port}")
        self.processes: dict[str, subprocess.Popen[bytes] | preloaded.Started] = {}
        mux_url = f"http://127.0.0.1:{mux_port}"
        (self.home / "metrics").mkdir()
        product = environment(
            database_url=self.database.url,
            redis_url=self.redis.url(),
            PUBLIC_URL=self.url,
            MUX_API_URL=mux_url,
            MUX_STREAM_URL=mux_url,
            MUX_IMAGE_URL=mux_url,
            PROMETHEUS_MULTIPROC_DIR=str(self.home / "metrics"),
            HOST="127.0.0.1",
            PORT=str(self.port),
            **{"MUX_WEBHOOK_SECRETS": SECRET, **settings},
        )
        binaries = str(Path(sys.executable).parent)
        self.environment = {**os.environ, **product, "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}"}
        self.commands = procfile.read(places.ROOT / "Procfile")

    # servers

    def start_redis(self) -> None:
        if self.redis_running is None:
            self.redis_running = Running(self.redis.program(), self.home / "redis.log")
            self.redis_running.wait_ready()

    def kill_redis(self) -> None:
        assert self.redis_running is not None
        self.redis_running.process.kill()
        self.redis_running.process.wait()
        self.redis_running = None

    def start_mux(self) -> None:
        if self.simulator is None:
            given = self.environment
            self.simulator = Simulator(
                state_dir=self.home / "mux",
                webhooks=[(f"{self.url}/api/webhooks/mux", given["MUX_WEBHOOK_SECRETS"].split(",")[0])],
                tokens=[
                    (given["MUX_TOKEN_ID"], given["MUX_TOKEN_SECRET"], "high"),
                    (given["MUX_WORKER_TOKEN_ID"], given["MUX_WORKER_TOKEN_SECRET"], "low"),
                ],
                processing_seconds=0.0,
                rate_limits=False,
                retry_seconds=0.5,
                port=self.mux_port,
            ).start()

    def stop_mux(self) -> None:
        if self.simulator is not None:
            self.simulator.stop()
        self.simulator = None

    # the product

    def start(self, *names: str) -> None:
        """Start these of the Procfile's processes that do not run."""
        for name in names or ("web", "worker", "clock"):
            before = self.processes.get(name)
            if before is not None and before.poll() is None:
                continue
            with (self.home / f"{name}.log").open("ab") as log:
                begin = self._begin_by_shell if self._looked_at else preloaded.start_line
                self.processes[name] = begin(self.commands[name], env=self.environment, stdout=log)

    @staticmethod
    def _begin_by_shell(
        line: str, *, env: dict[str, str], stdout: IO[bytes]
    ) -> "subprocess.Popen[bytes] | preloaded.Started":
        return subprocess.Popen(
            procfile.shell(line),
            env=env,
            cwd=places.ROOT,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=privileges.tied(signal.SIGTERM),
        )

    def stop(self, *names: str, seconds: float = 15) -> None:
        """As a deployment does it: SIGTERM, and they end by themselves."""
        ending = [self.processes.pop(name) for name in names if name in self.processes]
        for process in ending:
            process.terminate()
        for process in ending:
            process.wait(seconds)

    def kill(self, name: str) -> None:
        """kill -9, with all its children. The head is held first: else it starts a new child for one that is killed, and
        that child keeps the port."""
        process = self.processes.pop(name)
        head = psutil.Process(process.pid)
        with suppress(psutil.NoSuchProcess):
            head.suspend()
            for one in [*head.children(recursive=True), head]:
                with suppress(psutil.NoSuchProcess):
                    one.kill()
        process.wait()

    def children(self, name: str) -> list[psutil.Process]:
        """What this one of the Procfile's processes has started itself."""
        return psutil.Process(self.processes[name].pid).children()  # type: ignore[no-any-return]

    def begin(self) -> None:
        """Everything runs and says that it is well."""
        if self.database.running is None:
            self.database.start()
        self.start_redis()
        self.start_mux()
        self.start()
        try:
            wait_for(self.is_ready, seconds=40, what="the house")
        except AssertionError as error:
            raise AssertionError(f"{error}: {self.last_words()}") from None

    def last_words(self) -> str:
        files = [self.home / f"{name}.log" for name in self.processes]
        said = {file.stem: file.read_text(errors="replace").splitlines()[-4:] for file in files}
        return f"{request('GET', f'{self.url}/readyz').body} {said}"

    def is_ready(self) -> bool:
        return request("GET", f"{self.url}/readyz", timeout=3).status == 200

    def alive(self) -> bool:
        return request("GET", f"{self.url}/healthz", timeout=3).status == 200

    def end(self) -> None:
        for name in list(self.processes):
            with suppress(psutil.NoSuchProcess):
                self.kill(name)
        self.stop_mux()
        if self.redis_running is not None:
            self.redis_running.stop()
        self.database.stop()
        shutil.rmtree(self.home, ignore_errors=True)

    def flask(self, *words: str) -> str:
        done = preloaded.run([sys.executable, "-m", "flask", "--app", "app", *words], env=self.environment)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()
