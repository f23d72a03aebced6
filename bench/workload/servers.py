"""What a benchmark needs to run the product on servers of its own: PostgreSQL as careful as in production, Redis, web."""

import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from devstack.servers import ports
from devstack.servers.for_tests import Running
from devstack.servers.postgres import Postgres
from devstack.servers.valkey import Valkey

ROOT = Path(__file__).parents[2]
SECRET = "bench-webhook-secret"  # of this benchmark only


@contextmanager
def servers() -> Iterator[tuple[Postgres, dict[str, str]]]:
    """PostgreSQL with fsync on and an empty, migrated database, Redis, and the settings that name them."""
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
        postgres.create_role()
        postgres.create_database("bench")
        environment = {
            "DATABASE_URL": postgres.url("bench"),
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


@contextmanager
def gunicorn(application: str, environment: dict[str, str], *, config: str = "") -> Iterator[int]:
    """Two web processes with four threads each, as the Procfile has them; the port."""
    port = ports.any_free()
    options = [
        "--preload",
        "--worker-class",
        "gthread",
        "--workers",
        "2",
        "--threads",
        "4",
        "--no-control-socket",
    ]
    command = [sys.executable, "-m", "gunicorn", *options, "--log-level", "warning", "--config", config]
    command += ["--bind", f"127.0.0.1:{port}", application]
    with subprocess.Popen(command, env=os.environ | environment, cwd=ROOT, stderr=subprocess.DEVNULL) as web:
        try:
            _wait_until_it_answers(port)
            yield port
        finally:
            web.terminate()
            web.wait(30)


def _wait_until_it_answers(port: int) -> None:
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
