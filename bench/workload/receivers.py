"""The programs that receive the webhooks, each as it would run: two processes, on a database of its own."""

import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.peers.environment import Peers
from bench.workload import webhook_rows
from bench.workload.servers import from_procfile, program, wait_until_it_answers
from devstack.servers import ports
from lessonadmin.domain.webhooks.applier import LOCK

SECONDS_TO_START = 30
HELD = f"""SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1
  AND (classid::bigint << 32 | objid::bigint) = {LOCK}
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"""
GUNICORN = (
    "-m", "gunicorn", "--worker-class", "gthread", "--workers", "2", "--threads", "4", "--preload",
    "--no-control-socket", "--log-level", "warning", "--config", "python:bench.peers",  # not the product's
)  # fmt: skip


@dataclass(frozen=True)
class Receiver:
    """Where it listens, and the process groups of what answers and what applies."""

    port: int
    web: int
    applier: int | None = None


@contextmanager
def product(environment: Mapping[str, str], *, applying: bool = True) -> Iterator[Receiver]:
    """The Procfile's web, and its clock, which applies; without it, its lock is held, so that web does not apply either."""
    port = ports.any_free()
    own = {"HOST": "127.0.0.1", "PORT": str(port), "PUBLIC_URL": f"http://127.0.0.1:{port}"}
    environment = {**environment, **own}
    with webhook_rows.connect(environment["DATABASE_URL"]) as database:
        if not applying:
            database.execute("SELECT pg_advisory_lock(%s)", (LOCK,))
        with from_procfile("web", environment) as web:
            wait_until_it_answers(port)
            if not applying:
                yield Receiver(port, web)
                return
            with from_procfile("clock", environment) as clock:
                _wait_for_applier(database)
                yield Receiver(port, web, clock)


def _wait_for_applier(database: webhook_rows.Database) -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    while not webhook_rows.one(database, HELD):
        if time.monotonic() > deadline:
            raise RuntimeError("the clock does not apply")
        time.sleep(0.05)


@contextmanager
def bare(environment: Mapping[str, str]) -> Iterator[Receiver]:
    with _gunicorn(sys.executable, "bench.peers.bare_view:app", environment) as receiver:
        yield receiver


@contextmanager
def django(environment: Mapping[str, str], peers: Peers) -> Iterator[Receiver]:
    with _gunicorn(peers.python, "bench.peers.django_receiver:application", environment) as receiver:
        yield receiver


@contextmanager
def node(environment: Mapping[str, str], peers: Peers) -> Iterator[Receiver]:
    port = ports.any_free()
    own = {"NODE_PATH": str(peers.node_modules), "NODE_ENV": "production", "PORT": str(port)}
    with program((peers.node, "bench/peers/node_receiver.cjs"), {**environment, **own}, "node") as web:
        wait_until_it_answers(port)
        yield Receiver(port, web)


@contextmanager
def _gunicorn(python: str | Path, application: str, environment: Mapping[str, str]) -> Iterator[Receiver]:
    port = ports.any_free()
    command = (python, *GUNICORN, "--bind", f"127.0.0.1:{port}", application)
    with program(command, environment, application.partition(":")[0]) as web:
        wait_until_it_answers(port)
        yield Receiver(port, web)
