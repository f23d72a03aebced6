"""The product as an operator runs it: the Procfile's own lines on a PostgreSQL and a Redis of its own, and a fake Mux."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg
import redis
from psycopg.rows import dict_row

from devstack.places import ROOT
from devstack.processes import procfile
from devstack.servers import ports
from devstack.servers.for_tests import Running, Servers
from devstack.servers.postgres import CARELESS, Postgres
from devstack.servers.valkey import Valkey
from devstack.stack import status_of
from tests import preloaded
from tests.contract.callers import Browser, Caller, Doc, Hook
from tests.contract.fake_mux import FakeMux

PASSWORD = "correct horse battery"
SECRET, OLD_SECRET = "whsec_of_the_checks", "whsec_from_before"
MANY_COMMANDS = """
import json, sys
from app import app
runner = app.test_cli_runner()
done = [runner.invoke(args=one) for one in json.loads(sys.argv[1])]
assert not [one.output for one in done if one.exit_code], [one.output for one in done]
print(json.dumps([one.stdout for one in done]))
"""
# every account that the checks need: making one takes two commands, so none is made twice
PEOPLE = {
    "instructor": "instructor",
    "colleague": "instructor",
    "student": "student",
    "support": "support",
    "admin": "admin",
}


class Stack:
    """Everything that runs, and the ways in that an outsider has."""

    def __init__(self, servers: Servers, folder: Path) -> None:
        self.folder = folder
        self.mux = FakeMux()
        self.port = ports.any_free()
        self.url = f"http://127.0.0.1:{self.port}"
        self._servers = servers
        servers.postgres.create_database("contract")
        self.database = servers.postgres.url("contract")
        self.settings = {
            "DATABASE_URL": self.database,
            "REDIS_URL": servers.redis_url(0),
            "SECRET_KEY": "only-for-these-checks-and-long-enough",
            "PUBLIC_URL": self.url,
            "MUX_TOKEN_ID": "high",
            "MUX_TOKEN_SECRET": "high-secret",
            "MUX_WORKER_TOKEN_ID": "low",
            "MUX_WORKER_TOKEN_SECRET": "low-secret",
            "MUX_WEBHOOK_SECRETS": f"{SECRET}, {OLD_SECRET}",
            "MUX_API_URL": self.mux.url,
            "MUX_STREAM_URL": self.mux.url,
            "MUX_IMAGE_URL": self.mux.url,
            "SWEEP_EVERY_SECONDS": "1",
            "RECHECK_AFTER_SECONDS": "3600",
            "UPLOADS_PER_HOUR": "1000",
            "ASKS_PER_MINUTE": "1000",
            "METRICS_TOKEN": "only-for-prometheus",
            "PROMETHEUS_MULTIPROC_DIR": str(folder / "metrics"),
        }
        self.hook = Hook(self.url, SECRET)
        self._running: list[preloaded.Started] = []
        self._names: dict[str, preloaded.Started] = {}
        self._restarted: list[Running] = []
        self._people: dict[str, Caller] = {}

    # processes

    def environment(self, **changes: str) -> dict[str, str]:
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        kept = {name: value for name, value in os.environ.items() if name in ("HOME", "LANG", "TMPDIR")}
        return {**kept, "PATH": path, "HOST": "127.0.0.1", **self.settings, **changes}

    def start(self) -> None:
        lines = procfile.read(ROOT / "Procfile")
        release = self.process(lines["release"], "release")
        assert release.wait(60) == 0, (self.folder / "release.log").read_text()
        for name in ("web", "worker", "clock"):
            self.process(lines[name], name, PORT=str(self.port))
        self._make_people()
        # The nightly reconciliation has been: else it comes while some check waits for the only worker.
        self.insert("reconcile_runs", started_by="nightly", finished_at="now")
        self.until(lambda: status_of(f"{self.url}/readyz") == 200, seconds=40)

    def process(self, line: str, name: str, **changes: str) -> preloaded.Started:
        """One line of the Procfile, with these further settings."""
        with (self.folder / f"{name}.log").open("ab") as log:
            made = preloaded.start_line(line, env=self.environment(**changes), stdout=log)
        self._running.append(made)
        self._names.setdefault(name, made)
        return made

    def alive(self) -> list[str]:
        """Which of the Procfile's three still are what was started."""
        return [name for name in ("web", "worker", "clock") if self._names[name].poll() is None]

    def web(self, name: str, **changes: str) -> str:
        """One more web of the same stack with other settings; its address."""
        port = ports.any_free()
        line = procfile.read(ROOT / "Procfile")["web"]
        self.process(line, name, PORT=str(port), WEB_CONCURRENCY="1", **changes)
        self.until(lambda: status_of(f"http://127.0.0.1:{port}/healthz") == 200, seconds=30)
        return f"http://127.0.0.1:{port}"

    def stop(self) -> None:
        for process in reversed(self._running):
            process.terminate()
        for process in reversed(self._running):
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for server in reversed(self._restarted):
            server.stop()
        self.mux.stop()

    def restart_postgres(self) -> None:
        """Stopped as an operator does it, and back at once."""
        home = Path(self._servers.sockets)
        postgres = Postgres(data=home / "pg", sockets=home, options=CARELESS)
        pid = int((home / "pg" / "postmaster.pid").read_text().splitlines()[0])
        os.kill(pid, 2)
        self.until(lambda: not (home / "pg" / "postmaster.pid").exists(), seconds=20)
        self._started(postgres.program())

    def restart_redis(self) -> None:
        """Back with nothing in it."""
        home = Path(self._servers.sockets)
        valkey = Valkey(
            data=home / "redis",
            port=self._servers.redis_port,
            password=self._servers.redis_password,
            keep=False,
        )
        with suppress(redis.RedisError), redis.Redis.from_url(valkey.url()) as connection:
            connection.shutdown(nosave=True)
        self.until(lambda: not valkey.answers(), seconds=20)
        self._started(valkey.program())

    def _started(self, program: Any) -> None:
        running = Running(program, self.folder / f"{program.name}-again.log")
        self._restarted.append(running)
        running.wait_ready()

    def flask(self, *arguments: str, **changes: str) -> "subprocess.CompletedProcess[str]":
        """One command, to its end."""
        return preloaded.run(
            [sys.executable, "-m", "flask", "--app", "app", *arguments], env=self.environment(**changes)
        )

    def empty_database(self, name: str) -> str:
        """The address of one more database, without a table."""
        self._servers.postgres.create_database(name)
        return self._servers.postgres.url(name)

    # people

    def _make_people(self) -> None:
        """Accounts and tokens by the product's own commands, all in one process, since each takes a second to load."""
        emails = {name: f"{name}@school.example" for name in PEOPLE}
        commands = [
            ["users", "create", emails[name], "--role", role, "--password", PASSWORD]
            for name, role in PEOPLE.items()
        ]
        commands += [["users", "token", email] for email in emails.values()]
        done = subprocess.run(
            [sys.executable, "-c", MANY_COMMANDS, json.dumps(commands)],
            cwd=ROOT,
            env=self.environment(),
            capture_output=True,
            text=True,
            check=True,
        )
        tokens = json.loads(done.stdout)[len(PEOPLE) :]
        for (name, role), token in zip(PEOPLE.items(), tokens, strict=True):
            user_id = str(self.one("SELECT id FROM users WHERE email = %s", emails[name])["id"])
            self._people[name] = Caller(self.url, token.strip(), user_id, emails[name], role)

    def who(self, name: str) -> Caller:
        """One of PEOPLE."""
        return self._people[name]

    @property
    def stranger(self) -> Caller:
        return Caller(self.url)

    def browser(self, role: str) -> Browser:
        browser = Browser(self.url)
        browser.sign_in(self.who(role).email, PASSWORD)
        return browser

    # the tables, by hand

    def sql(self, statement: str, *values: object) -> list[Doc]:
        with psycopg.connect(self.database, autocommit=True, row_factory=dict_row) as connection:
            found = connection.execute(statement, values)
            return list(found.fetchall()) if found.description else []

    def one(self, statement: str, *values: object) -> Doc:
        rows = self.sql(statement, *values)
        assert len(rows) == 1, f"{len(rows)} rows: {statement}"
        return rows[0]

    def insert(self, table: str, **columns: object) -> str:
        """A row with these columns only, as an outsider who read section 7 would write it."""
        names, places = ", ".join(columns), ", ".join(["%s"] * len(columns))
        made = self.one(f"INSERT INTO {table} ({names}) VALUES ({places}) RETURNING id", *columns.values())  # noqa: S608 - names that the tests write
        return str(made["id"])

    def without_lessons(self) -> None:
        """Nothing to sell and nothing sold, whatever other checks have made."""
        self.sql("DELETE FROM purchases")
        self.sql("DELETE FROM lessons")

    def lesson_row(self, **columns: object) -> str:
        owner = self.who("instructor").id
        return self.insert("lessons", **{"creator_id": owner, "title": "Written by hand", **columns})

    def tracking(self, lesson_id: str) -> list[Doc]:
        return self.sql(
            "SELECT * FROM mux_asset_tracking WHERE lesson_id = %s ORDER BY created_at", lesson_id
        )

    def actions(self, target_id: str) -> list[str]:
        rows = self.sql("SELECT action FROM audit_log WHERE target_id = %s ORDER BY at, id", target_id)
        return [row["action"] for row in rows]

    def notices(self, lesson_id: str) -> list[str]:
        rows = self.sql("SELECT kind FROM notifications WHERE lesson_id = %s ORDER BY created_at", lesson_id)
        return [row["kind"] for row in rows]

    def lesson(self, lesson_id: str) -> Doc:
        return self.one("SELECT * FROM lessons WHERE id = %s", lesson_id)

    @staticmethod
    def until(condition: Callable[[], Any], seconds: float = 15) -> Any:
        """What the condition says once it is true."""
        end = time.monotonic() + seconds
        while not (found := condition()):
            assert time.monotonic() < end, "it did not happen in time"
            time.sleep(0.05)
        return found
