"""The running product as a browser test sees it, and people who visit it.

Everything is real: web, worker and clock by the Procfile's own commands, PostgreSQL, Redis, and the Mux simulator.
"""

import os
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from playwright.sync_api import BrowserContext, Page

from devstack.places import ROOT
from devstack.processes import procfile
from devstack.servers import ports
from devstack.servers.for_tests import Servers
from devstack.stack import status_of
from lessonadmin.domain.accounts import passwords
from lessonadmin.domain.accounts.sessions import hashed
from muxsim.client import Control
from muxsim.server import Simulator
from tests import preloaded
from tests.browser.profiles import Kind, Profiles
from tests.settings import environment

PASSWORD = "a good long password"
TOKENS = [("web-token", "web-secret", "high"), ("worker-token", "worker-secret", "low")]
WEBHOOK_SECRET = "test-webhook-secret"
PROCESSING_SECONDS = 0.4
TIMEOUT_SECONDS = 30.0
USER_AGENT = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
)
# Google's cast script, which the player asks for and the policy keeps out
NOISE = ("cast_sender", "gstatic.com")


@dataclass
class Person:
    """A user with an account; all have the same password."""

    id: uuid.UUID
    email: str
    role: str


class Stack:
    """The running product."""

    def __init__(self, *, servers: Servers, name: str, redis_url: str, folder: Path) -> None:
        self.folder = folder
        self.port = ports.any_free()
        self.url = f"http://127.0.0.1:{self.port}"
        self.database = servers.database(name)
        self._owner = servers.postgres.url(name)
        self.simulator = Simulator(
            tokens=TOKENS,
            webhooks=[(f"{self.url}/api/webhooks/mux", WEBHOOK_SECRET)],
            processing_seconds=PROCESSING_SECONDS,
            retry_seconds=0.5,
            rate_limits=False,
        ).start()
        self.mux = Control(self.simulator.url)
        self.settings = environment(
            database_url=self.database,
            redis_url=redis_url,
            PUBLIC_URL=self.url,
            MUX_API_URL=self.simulator.url,
            MUX_STREAM_URL=self.simulator.url,
            MUX_IMAGE_URL=self.simulator.url,
            MUX_WEBHOOK_SECRETS=WEBHOOK_SECRET,
            SWEEP_EVERY_SECONDS="2",
            UPLOAD_MAX_MB="40",
            ASKS_PER_MINUTE="1000",
            UPLOADS_PER_HOUR="1000",
            HOST="127.0.0.1",
            PORT=str(self.port),
            WEB_CONCURRENCY="1",
            WEB_THREADS="8",
        )
        self._processes: list[preloaded.Started] = []
        self._hash = passwords.hashed(PASSWORD)
        signs = Flask("signs cookies as the product does")
        signs.secret_key = self.settings["SECRET_KEY"]
        self.cookie_signer = SecureCookieSessionInterface().get_signing_serializer(signs)

    def start(self) -> None:
        for name in procfile.read(ROOT / "Procfile"):
            if name != "release":
                self._processes.append(self._start(name, name, self.settings))
        self._wait(f"{self.url}/readyz", "web")

    def _start(self, name: str, log_name: str, settings: dict[str, str]) -> preloaded.Started:
        given = {**os.environ, **settings}
        with (self.folder / f"{log_name}.log").open("wb") as log:
            return preloaded.start_line(procfile.read(ROOT / "Procfile")[name], env=given, stdout=log)

    def _wait(self, address: str, log_name: str) -> None:
        until = time.monotonic() + 3 * TIMEOUT_SECONDS
        while status_of(address) != 200:
            if time.monotonic() > until:
                raise AssertionError(f"the house did not start: {self.log(log_name)}")
            time.sleep(0.1)

    @contextmanager
    def web_with(self, **settings: str) -> Iterator[str]:
        """One more web process on the same data, with other settings; its address."""
        port = ports.any_free()
        url = f"http://127.0.0.1:{port}"
        changed = {**self.settings, "PORT": str(port), "PUBLIC_URL": url, **settings}
        process = self._start("web", "web_with", changed)
        try:
            self._wait(f"{url}/healthz", "web_with")
            yield url
        finally:
            process.terminate()
            process.wait(10)

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text(errors="replace")[-4000:]

    def stop(self) -> None:
        for process in reversed(self._processes):
            process.terminate()
        for process in reversed(self._processes):
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.simulator.stop()

    def sql(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """One statement on the product's database, as the test's own hand; the rows, if it has any."""
        with psycopg.connect(self._owner, autocommit=True) as connection:
            found = connection.execute(statement, values)
            return found.fetchall() if found.description else []

    def person(self, role: str = "instructor", name: str = "") -> Person:
        found = Person(uuid.uuid4(), f"{role}-{uuid.uuid4().hex[:8]}@school.example", role)
        self.sql(
            "INSERT INTO users (id, email, name, role, password_hash) VALUES (%s, %s, %s, %s, %s)",
            found.id,
            found.email,
            name or f"{role.title()} Example",
            role,
            self._hash,
        )
        return found

    def lesson(self, owner: Person, **columns: object) -> str:
        """A draft of an instructor; its id."""
        given = {"id": str(uuid.uuid4()), "creator_id": owner.id, "title": "A lesson", **columns}
        names = ", ".join(given)
        places = ", ".join(["%s"] * len(given))
        self.sql(f"INSERT INTO lessons ({names}) VALUES ({places})", *given.values())  # noqa: S608 - names that the tests write
        return str(given["id"])

    def until(self, holds: Callable[[], Any]) -> Any:
        """Waits until it is true of Mux or of the database, and answers what it was."""
        return self.mux.wait_for(holds, timeout=TIMEOUT_SECONDS)

    def calm(self) -> None:
        """Mux as it is on a good day, and free to be asked."""
        self.mux.clear_faults()
        self.mux.set_switch("deliveries_paused", False)
        self.mux.hold_processing(False)
        self.mux.set_switch("processing_seconds", PROCESSING_SECONDS)
        self.sql("UPDATE mux_budget SET tokens = 18, filled_at = now(), failures = 0, paused_until = NULL")


class Visitor:
    """Opens pages, signs people in, and remembers what the pages complained about."""

    def __init__(self, profiles: Profiles, stack: Stack) -> None:
        self._profiles = profiles
        self._stack = stack
        self._lent: list[tuple[Kind, BrowserContext]] = []
        self.complaints: list[str] = []

    def __call__(
        self,
        person: Person | None,
        *,
        width: int = 1280,
        dark: bool = False,
        errors: bool = False,
        url: str | None = None,
        first: bool = False,
    ) -> Page:
        """A page in a browser of its own. `errors`: the test provokes errors on the console, so they count for nothing.
        `url`: another web process than the stack's. `first`: nothing was ever loaded in this browser."""
        kind = Kind(url or self._stack.url, width, dark)
        context = self._profiles.new(kind) if first else self._profiles.lend(kind)
        self._lent.append((kind, context))
        if person is not None:
            self.sign_in(context, person)
        page = context.new_page()
        if not errors:
            page.on(
                "console",
                lambda message: self._heard(message.type, f"{message.text} {message.location['url']}"),
            )
            page.on("pageerror", lambda error: self.complaints.append(str(error)))
        return page

    def _heard(self, kind: str, text: str) -> None:
        if kind in ("error", "warning") and not any(word in text for word in NOISE):
            self.complaints.append(f"{kind}: {text}")

    def sign_in(self, context: BrowserContext, person: Person) -> None:
        """A session as the form begins it, without the time that a password and its pages take; the form has tests of its own."""
        secret = uuid.uuid4().hex
        self._stack.sql(
            "INSERT INTO user_sessions (user_id, secret_hash, way, user_agent) VALUES (%s, %s, 'password', %s)",
            person.id,
            hashed(secret),
            USER_AGENT,
        )
        value = str(self._stack.cookie_signer.dumps({"secret": secret, "_permanent": True}))
        # a cookie does not know of ports: it is sent to every web process of the stack
        context.add_cookies([{"name": "session", "value": value, "url": self._stack.url, "httpOnly": True}])

    def close(self) -> None:
        for kind, context in self._lent:
            self._profiles.take_back(kind, context)
