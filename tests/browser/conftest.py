"""Real processes for the browser tests: PostgreSQL, Redis, web, worker, clock and the Mux simulator, and a Chromium.

`house`     everything that runs, started once: its address, its Mux (`house.mux`), its database (`house.sql(...)`)
`teacher`   an account that nobody else uses, so that tests share the house without seeing each other
`page`      a page in which the teacher is signed in; at its end it is an error if the page wrote errors to its console
`visit`     further pages: visit(person, width=390, dark=True, errors=True)
`film`      files to upload: film() a small real video, film(bytes), film(name="x.txt")
"""

import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect, sync_playwright
from werkzeug.security import generate_password_hash

from devstack import browser as chromium
from devstack import ports, procfile
from devstack.house import status_of
from devstack.places import ROOT
from devstack.servers import Servers
from muxsim.client import Control
from muxsim.sample import SAMPLE_VIDEO
from muxsim.server import Simulator
from tests.settings import environment

PASSWORD = "a good long password"
TOKENS = [("web-token", "web-secret", "high"), ("worker-token", "worker-secret", "low")]
WEBHOOK_SECRET = "test-webhook-secret"
PROCESSING_SECONDS = 0.4
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]
# what the browser says about answers that a test provokes on purpose, and about Google's cast script, which the
# policy keeps out
NOISE = ("cast_sender", "gstatic.com")

expect.set_options(timeout=10_000)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.enable_socket)


@dataclass
class Person:
    """Somebody with an account; everybody has the same password."""

    id: uuid.UUID
    email: str
    role: str


class House:
    """The running product."""

    def __init__(self, *, servers: Servers, name: str, redis_url: str, folder: Path) -> None:
        self.folder = folder
        self.port = ports.any_free()
        self.url = f"http://127.0.0.1:{self.port}"
        self.database = servers.database(name)
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
        self._processes: list[subprocess.Popen[bytes]] = []
        self._hash = generate_password_hash(PASSWORD, method="scrypt:1024:8:1")

    def start(self) -> None:
        bin_folder = Path(sys.executable).parent
        given = {**os.environ, **self.settings, "PATH": f"{bin_folder}:{os.environ['PATH']}"}
        for name, command in procfile.read(ROOT / "Procfile").items():
            if name == "release":
                continue
            with (self.folder / f"{name}.log").open("wb") as log:
                self._processes.append(
                    subprocess.Popen(
                        procfile.shell(command),
                        cwd=ROOT,
                        env=given,
                        stdin=subprocess.DEVNULL,
                        stdout=log,
                        stderr=subprocess.STDOUT,
                    )
                )
        until = time.monotonic() + 30
        while status_of(f"{self.url}/readyz") != 200:
            if time.monotonic() > until:
                raise AssertionError(f"the house did not start: {self.log('web')}")
            time.sleep(0.1)

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
        address = "postgresql://" + self.database.partition("://")[2]
        with psycopg.connect(address, autocommit=True) as connection:
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
        """A draft of somebody's; its id."""
        given = {"id": str(uuid.uuid4()), "creator_id": owner.id, "title": "A lesson", **columns}
        names = ", ".join(given)
        places = ", ".join(["%s"] * len(given))
        self.sql(f"INSERT INTO lessons ({names}) VALUES ({places})", *given.values())  # noqa: S608 - our names
        return str(given["id"])

    def calm(self) -> None:
        """Mux as it is on a good day."""
        self.mux.clear_faults()
        self.mux.set_switch("deliveries_paused", False)
        self.mux.hold_processing(False)
        self.mux.set_switch("processing_seconds", PROCESSING_SECONDS)


class Visitor:
    """Opens pages, signs people in, and remembers what the pages complained about."""

    def __init__(self, browser: Browser, house: House) -> None:
        self._browser = browser
        self._house = house
        self._contexts: list[BrowserContext] = []
        self.complaints: list[str] = []

    def __call__(
        self, person: Person | None, *, width: int = 1280, dark: bool = False, errors: bool = False
    ) -> Page:
        """A page in a browser of its own. `errors`: the test provokes errors on the console, so they count for nothing."""
        context = self._browser.new_context(
            base_url=self._house.url,
            viewport={"width": width, "height": 844 if width < 600 else 900},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
            locale="en-GB",
            timezone_id="UTC",
        )
        self._contexts.append(context)
        if person is not None:
            self.sign_in(context, person)
        page = context.new_page()
        if not errors:
            page.on("console", lambda message: self._heard(message.type, message.text))
            page.on("pageerror", lambda error: self.complaints.append(str(error)))
        return page

    def _heard(self, kind: str, text: str) -> None:
        if kind in ("error", "warning") and not any(word in text for word in NOISE):
            self.complaints.append(f"{kind}: {text}")

    def sign_in(self, context: BrowserContext, person: Person) -> None:
        html = context.request.get("/login").text()
        token = html.partition('name="csrf-token" content="')[2].partition('"')[0]
        answer = context.request.post(
            "/login", form={"email": person.email, "password": PASSWORD, "csrf_token": token}
        )
        assert "/login" not in answer.url, answer.status

    def close(self) -> None:
        for context in self._contexts:
            with suppress(Exception):
                context.close()


@pytest.fixture(scope="session")
def house(
    real_servers: Servers, redis_url: str, worker_id: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    built = House(
        servers=real_servers,
        name=f"browser_{worker_id}",
        redis_url=redis_url,
        folder=tmp_path_factory.mktemp("house"),
    )
    try:
        built.start()
        yield built
    finally:
        built.stop()


@pytest.fixture(autouse=True)
def clean(house: House) -> Iterator[None]:
    """Instead of empty tables: everybody is new in every test, and Mux is calm."""
    house.calm()
    yield
    house.calm()


@pytest.fixture(scope="session")
def playwright_library() -> Iterator[Playwright]:
    with sync_playwright() as library:
        yield library


@pytest.fixture(scope="session")
def browser(playwright_library: Playwright) -> Iterator[Browser]:
    program = chromium.find()
    assert program is not None, "there is no Chromium; bin/test says how to get one"
    found = playwright_library.chromium.launch(executable_path=program, args=FLAGS)
    yield found
    found.close()


@pytest.fixture
def visit(browser: Browser, house: House) -> Iterator[Visitor]:
    visitor = Visitor(browser, house)
    yield visitor
    visitor.close()
    assert not visitor.complaints, visitor.complaints


@pytest.fixture
def teacher(house: House) -> Person:
    return house.person(name="Tina Teacher")


@pytest.fixture
def page(visit: Visitor, teacher: Person) -> Page:
    return visit(teacher)


@pytest.fixture
def film(tmp_path: Path) -> Callable[..., str]:
    """Files to upload, by what they hold and how they are called."""

    def make(data: bytes | None = None, *, name: str = "my_first film.mp4") -> str:
        path = tmp_path / name
        path.write_bytes(SAMPLE_VIDEO if data is None else data)
        return str(path)

    return make


AXE = (ROOT / "node_modules" / "axe-core" / "axe.min.js").read_text()
# rules that look at what Mux's own components draw in their shadow roots are theirs to mend
AXE_OPTIONS = {
    "resultTypes": ["violations"],
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
}


@pytest.fixture
def axe() -> Callable[[Page], list[str]]:
    """What is seriously wrong with a page for people who use assistive technology; empty for a good one."""

    def look(page: Page) -> list[str]:
        page.evaluate(AXE)
        found = page.evaluate(
            "async (options) => (await axe.run({exclude: [['mux-player']]}, options)).violations", AXE_OPTIONS
        )
        return [
            f"{one['id']} ({one['impact']}): {json.dumps([node['html'][:200] for node in one['nodes']])}"
            for one in found
            if one["impact"] in ("serious", "critical")
        ]

    return look


__all__ = ["House", "Person", "Visitor"]
