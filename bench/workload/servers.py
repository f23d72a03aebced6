"""What a benchmark needs to run the product on servers of its own: PostgreSQL as careful as in production, Redis, web."""

import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from devstack.processes import procfile
from devstack.servers import ports
from devstack.servers.for_tests import Running
from devstack.servers.postgres import Postgres
from devstack.servers.valkey import Valkey

ROOT = Path(__file__).parents[2]
OWNER = "MIGRATION_DATABASE_URL"
SECRET = "bench-webhook-secret"  # of this benchmark only


@contextmanager
def servers() -> Iterator[tuple[Postgres, dict[str, str]]]:
    """PostgreSQL with fsync on and an empty, migrated database, Redis, and the settings that name them. The database is also named as
    its owner, who fills it, and as whom the peers connect: row-level security is the product's."""
    with tempfile.TemporaryDirectory(prefix="lessonadmin-bench-") as folder, ExitStack() as stack:
        home = Path(folder)
        home.chmod(0o755)
        (home / "sockets").mkdir(mode=0o777)
        (home / "sockets").chmod(0o777)
        postgres = Postgres(data=home / "pg", sockets=home / "sockets", options=("-c", "max_wal_size=1GB"))
        redis = Valkey(data=home / "redis", port=ports.any_free(), password="bench")  # gone with its folder
        for server in (postgres, redis):
            server.prepare()
            program = server.program()
            running = Running(program, home / f"{program.name}.log")
            stack.callback(running.stop)
            running.wait_ready()
        postgres.create_roles()
        postgres.create_database("bench")
        environment = {
            "DATABASE_URL": postgres.app_url("bench"),
            OWNER: postgres.url("bench"),
            "REDIS_URL": redis.url(),
            "SECRET_KEY": "bench",
            "PUBLIC_URL": "http://127.0.0.1",
            "MUX_TOKEN_ID": "bench",
            "MUX_TOKEN_SECRET": "bench",
            "MUX_WEBHOOK_SECRETS": SECRET,
            "MUX_API_URL": "http://127.0.0.1:1",
            "PROMETHEUS_MULTIPROC_DIR": str(home / "metrics"),
        }
        (home / "metrics").mkdir(mode=0o700)
        command = [sys.executable, "-m", "flask", "--app", "app", "db", "upgrade"]
        subprocess.run(command, env=os.environ | environment, cwd=ROOT, check=True, capture_output=True)
        yield postgres, environment


def _home_of(environment: Mapping[str, str]) -> Path:
    return Path(environment["PROMETHEUS_MULTIPROC_DIR"]).parent


@contextmanager
def program(command: Sequence[str | Path], environment: Mapping[str, str], name: str) -> Iterator[int]:
    """A program in a process group of its own, whose number is handed out; its output goes to a file, as in production."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    with (
        (_home_of(environment) / f"{name}.log").open("ab") as log,
        subprocess.Popen(
            [str(part) for part in command],
            env={**os.environ, "PATH": path, **environment},
            cwd=ROOT,
            stdout=log,
            stderr=log,
            start_new_session=True,
        ) as process,
    ):
        try:
            yield process.pid
        finally:
            process.terminate()
            process.wait(30)


@contextmanager
def from_procfile(name: str, environment: Mapping[str, str]) -> Iterator[int]:
    """One of the Procfile's processes, by the very command that is written there."""
    command = procfile.shell(procfile.read(ROOT / "Procfile")[name])
    with program(command, environment, name) as group:
        yield group


def wait_until_it_answers(port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2).close()
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("the web server did not come up")
