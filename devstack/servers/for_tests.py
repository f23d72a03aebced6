"""PostgreSQL and Redis for one test run: thrown away with it, and quick to have.

A cluster that is already migrated is kept in `instance/test-cluster/`, named by what its schema was made from; a run
copies it, so that it starts in a fraction of a second. Nothing here touches what `bin/run` keeps in `instance/`.
"""

import fcntl
import hashlib
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from devstack import places
from devstack.errors import SetupError
from devstack.processes.programs import Program
from devstack.servers import ports, wheels
from devstack.servers.postgres import APP_ROLE, CARELESS, SERVICE_ROLE, Postgres
from devstack.servers.valkey import Valkey

TEMPLATE = "lessonadmin_template"
# as the owner of the tables, for the application
Migrate = Callable[[str, str], None]


class Running:
    """A program that was started for the tests, with its output in a file."""

    def __init__(self, program: Program, log: Path) -> None:
        self.program = program
        self.log = log
        program.before()
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                program.command,
                env={**os.environ, **program.settings},
                cwd=program.folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=program.preexec,
            )

    def wait_ready(self, seconds: float = 20) -> None:
        """Return once it answers; a program that ends or stays silent is a fault, told with its last words."""
        deadline = time.monotonic() + seconds
        while not self.program.ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise SetupError(f"{self.program.name} did not start: {self.last_words()}")
            time.sleep(0.02)

    def last_words(self) -> str:
        lines = [line for line in self.log.read_text(errors="replace").splitlines() if line.strip()]
        return " / ".join(lines[-3:]) or "it said nothing"

    def stop(self) -> None:
        """End the program, politely first, and whatever is left of its process group."""
        if self.process.poll() is None:
            self.process.send_signal(self.program.stop_signal)
            try:
                self.process.wait(self.program.stop_seconds)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)


@dataclass(frozen=True)
class Servers:
    """What the processes of one run need to reach the servers; made of text so that it can be handed over."""

    sockets: str
    redis_port: int
    redis_password: str

    @property
    def postgres(self) -> Postgres:
        return Postgres(data=Path(self.sockets), sockets=Path(self.sockets))

    def redis_url(self, number: int) -> str:
        return f"redis://:{self.redis_password}@127.0.0.1:{self.redis_port}/{number}"

    def database(self, name: str) -> str:
        """A fresh database with the product's schema, roles and policies; the answer is the URL for the product."""
        self.postgres.create_database(name, template=TEMPLATE)
        return self.postgres.app_url(name)


@contextmanager
def for_one_run(migrate: Migrate) -> Iterator[Servers]:
    """Both servers, as long as the block lasts."""
    places.sweep_private_folders("test")
    home = places.private_folder("test")
    running: list[Running] = []
    try:
        data = home / "pg"
        _copy_cluster(_migrated_cluster(home, migrate), data)
        postgres = Postgres(data=data, sockets=home, options=CARELESS)
        running.append(_started(postgres.program(), home))
        valkey, server = _start_valkey(home)
        running.append(server)
        yield Servers(str(home), valkey.port, valkey.password)
    finally:
        for server in reversed(running):
            server.stop()
        shutil.rmtree(home, ignore_errors=True)


def _started(program: Program, home: Path) -> Running:
    server = Running(program, home / f"{program.name}.log")
    server.wait_ready()
    return server


def _start_valkey(home: Path) -> tuple[Valkey, Running]:
    # A free port may be taken by another process before the server has it: then another one.
    for attempts_left in (4, 3, 2, 1, 0):
        valkey = Valkey(
            data=home / "redis", port=ports.any_free(), password=secrets.token_hex(16), keep=False
        )
        valkey.prepare()
        try:
            return valkey, _started(valkey.program(), home)
        except SetupError:
            if not attempts_left:
                raise
    raise AssertionError("not reached")


def schema_key() -> str:
    """A name for the schema: it changes with any migration, with the roles and policies, and with the server."""
    digest = hashlib.sha256(str(wheels.postgres_programs()).encode())
    product = places.ROOT / "lessonadmin"
    policies = [
        Path(__file__),
        product / "database" / "database_roles.py",
        product / "domain" / "row_policies.py",
    ]
    for file in [*sorted((places.ROOT / "migrations").rglob("*.py")), *policies]:
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:16]


def _migrated_cluster(home: Path, migrate: Migrate) -> Path:
    """The kept cluster for today's migrations, made now if there is none; two runs at once make it once."""
    kept = places.SETUP / "test-cluster"
    kept.mkdir(parents=True, exist_ok=True)
    with (kept / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        wanted = kept / schema_key()
        if not wanted.exists():
            for old in kept.iterdir():
                if old.is_dir():
                    shutil.rmtree(old, ignore_errors=True)
            _make_cluster(home, wanted, migrate)
    return wanted


def _make_cluster(home: Path, wanted: Path, migrate: Migrate) -> None:
    unfinished = wanted.with_name(wanted.name + ".making")
    postgres = Postgres(data=unfinished, sockets=home, options=CARELESS)
    postgres.prepare()
    server = _started(postgres.program(), home)
    try:
        postgres.create_roles()
        postgres.create_database(TEMPLATE)
        migrate(postgres.url(TEMPLATE), postgres.url(TEMPLATE, user=APP_ROLE))
        with postgres.superuser(TEMPLATE) as connection:
            # for tests of plans, which count the rows that they have written a moment ago
            connection.execute(f"GRANT MAINTAIN ON ALL TABLES IN SCHEMA public TO {SERVICE_ROLE}")
    finally:
        server.stop()
    unfinished.rename(wanted)


def _copy_cluster(source: Path, target: Path) -> None:
    shutil.copytree(source, target)
    target.chmod(0o700)
    Postgres(data=target, sockets=target, options=CARELESS).prepare()


def run_flask(*arguments: str, settings: dict[str, str]) -> str:
    """One `flask --app app` command with these settings; its failure is told with its last words."""
    with tempfile.TemporaryFile("w+") as output:
        done = subprocess.run(
            [sys.executable, "-m", "flask", "--app", "app", *arguments],
            cwd=places.ROOT,
            env={**os.environ, **settings},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
        output.seek(0)
        text = output.read()
    if done.returncode != 0:
        raise SetupError(f"'flask {' '.join(arguments)}' failed:\n{text}")
    return text
