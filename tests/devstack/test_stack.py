"""The whole stack as `bin/run` starts it, with data of its own: shown, killed, started again, stopped."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import psutil
import pytest
from flask import Flask

from devstack import database_content, kept_files, only_one, options, places
from devstack import stack as stacks
from devstack.commands import run
from devstack.errors import SetupError
from devstack.processes import identity, leftovers
from devstack.processes.supervisor import Supervisor
from devstack.servers import ports
from devstack.servers.for_tests import Servers
from devstack.stack import status_of
from tests.factories import make_user
from tests.settings import environment

pytestmark = [pytest.mark.flow, pytest.mark.chaos]

ROOT = Path(__file__).parents[2]
NAMES = ("postgres", "redis", "mux", "web", "worker", "clock")
ACCOUNT = re.compile(r"^\S+@\S+ \S+ (student|instructor|support|admin)$", re.MULTILINE)


class Stack:
    """One folder of data, and whatever manager serves it now."""

    def __init__(self, folder: Path) -> None:
        self.instance = folder / "instance with a space"
        self.log = folder / "log"
        self.port = ports.any_free()
        self.manager: subprocess.Popen[bytes] | None = None
        self.first_said = ""

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def spawn(self, log: Path | None = None, **more: str) -> subprocess.Popen[bytes]:
        names = ("PATH", "HOME", "LANG", "TMPDIR")
        environment = {name: os.environ[name] for name in names if name in os.environ}
        environment |= {"LESSONADMIN_INSTANCE": str(self.instance), "PORT": str(self.port)} | more
        environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
        with (log or self.log).open("wb") as output:
            return subprocess.Popen(
                [sys.executable, "-m", "devstack.commands.run"],
                cwd=ROOT,
                env=environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def start(self) -> None:
        self.manager = self.spawn()
        deadline = time.monotonic() + 60
        while f"ready at {self.address}" not in self.said():
            assert self.manager.poll() is None, self.said()
            assert time.monotonic() < deadline, self.said()
            time.sleep(0.1)

    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def mark(self, name: str) -> str | None:
        try:
            return (self.instance / "run" / f"{name}.process").read_text()
        except FileNotFoundError:  # it is between two lives
            return None

    def marks(self) -> dict[str, str]:
        return {name: mark for name in NAMES if (mark := self.mark(name))}

    def number(self, name: str) -> int:
        return int(self.marks()[name].split()[0])

    def freeze(self, name: str) -> None:
        """Halt a program where it is; one that just ends, for what a test before did, is followed by another."""
        deadline = time.monotonic() + 15
        while not self._halted(name):
            assert time.monotonic() < deadline, self.said()
            time.sleep(0.05)

    def _halted(self, name: str) -> bool:
        try:
            process = psutil.Process(self.number(name))
            process.suspend()
            return bool(process.status() == psutil.STATUS_STOPPED)
        except (KeyError, psutil.NoSuchProcess):  # it is between two lives
            return False

    def stop(self) -> None:
        assert self.manager is not None
        self.manager.send_signal(signal.SIGTERM)
        self.manager.wait(30)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    stack = Stack(tmp_path_factory.mktemp("stack"))
    stack.start()
    stack.first_said = stack.said()
    yield stack
    stack.stop()
    leftovers.Register(stack.instance / "run").stop_leftovers(seconds=1)


def wait_until_ready(stack: Stack, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while status_of(f"{stack.address}/readyz") != 200:
        assert time.monotonic() < deadline, stack.said()
        time.sleep(0.1)


def test_shows_the_address_and_the_demo_accounts(stack: Stack) -> None:
    with urllib.request.urlopen(f"{stack.address}/login") as answer:
        assert b'name="password"' in answer.read()
    roles = {found[1] for found in ACCOUNT.finditer(stack.first_said)}
    assert roles == {"student", "instructor", "support", "admin"}
    assert "Traceback" not in stack.first_said
    assert re.search(r"Break things at +http://127.0.0.1:\d+/_sim ", stack.first_said)


def test_what_goes_well_scrolls_nothing_away(stack: Stack) -> None:
    said, kept = len(stack.said()), stack.instance / "log" / "run.log"
    with urllib.request.urlopen(f"{stack.address}/login?shown-in-the-file") as answer:
        answer.read()
    deadline = time.monotonic() + 10
    while "GET /login" not in kept.read_text():
        assert time.monotonic() < deadline, kept.read_text()
        time.sleep(0.05)
    assert "GET /login" not in stack.said()[said:]


def test_secrets_are_the_owners_alone(stack: Stack) -> None:
    """Every user of a machine can read command lines, and enter folders that are open."""
    kept = json.loads((stack.instance / "secrets.json").read_text())
    assert {"mux_webhook_secret", "mux_token_secret", "redis_password"} <= kept.keys()
    heads = [psutil.Process(stack.number(name)) for name in NAMES]
    running = {one.pid: one for head in heads for one in (head, *head.children(recursive=True))}
    lines = [" ".join(one.cmdline()) for one in running.values()]
    assert any("muxsim" in line and "--webhook" in line for line in lines)
    assert [line for line in lines for secret in kept.values() if secret in line] == []
    environment = "".join(Path(f"/proc/{stack.number('mux')}/environ").read_text())
    assert kept["mux_webhook_secret"] in environment, "the control: this is how the simulator is told"
    assert stack.instance.stat().st_mode & 0o077 == 0


def test_a_second_one_in_the_same_folder_is_refused(stack: Stack, tmp_path: Path) -> None:
    said = tmp_path / "log"  # of its own: the first one goes on writing into the stack's
    assert stack.spawn(said).wait(20) == 1
    assert said.read_text().strip() == (
        f"Lessonadmin already runs from this folder at {stack.address}. Use that, or stop it first."
    )


def test_a_real_school_is_not_served_with_a_simulator(
    app: Flask, pg_url: str, redis_url: str, tmp_path: Path
) -> None:
    """One line, before anything is started, and nothing is written."""
    make_user(email="ada@school.example")
    stack = Stack(tmp_path)
    assert stack.spawn(DATABASE_URL=pg_url, REDIS_URL=redis_url).wait(30) == 1
    lines = [line for line in stack.said().splitlines() if line and "stays in instance/" not in line]
    told = "The database that DATABASE_URL names holds an account that is not the demo's, and Mux would be simulated: "
    assert lines == [told + "set MUX_API_URL and MUX_TOKEN_ID too, or name another database."]
    assert database_content.read(pg_url) == database_content.Residents(others=1), "no demo account beside it"


@pytest.mark.parametrize(
    ("people", "mux", "refused"),
    [
        ([], False, False),
        (["admin@demo.example"], False, False),
        (["admin@demo.example", "ada@school.example"], False, True),
        (["ada@school.example"], True, False),
    ],
)
def test_who_lives_in_a_given_database_decides_whether_it_is_served(
    app: Flask, pg_url: str, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    people: list[str], mux: bool, refused: bool,
) -> None:  # fmt: skip
    for email in people:
        make_user(email=email)
    monkeypatch.setattr(places, "INSTANCE", tmp_path)
    stack = stacks.Stack(
        options.Options(1, pg_url, redis_url, mux), kept_files.Secrets(tmp_path / "secrets"), tmp_path,
        settings=environment(database_url=pg_url, redis_url=redis_url),
    )  # fmt: skip
    if not refused:
        run._check_settings(stack)
        assert run._is_serious(stack) == mux, "with a Mux of its own it is served, and nothing is made in it"
        return
    with pytest.raises(SetupError, match="not the demo's"):
        run._check_settings(stack)
    run._remembered(stack).touch()
    run._check_settings(stack)  # a demo that was made here, which a user joined


@pytest.mark.parametrize(("public", "host"), [("", "127.0.0.1"), ("http://lessons.example", "a-machine")])
def test_a_host_that_a_shell_has_set_opens_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, public: str, host: str
) -> None:
    monkeypatch.setattr(places, "INSTANCE", tmp_path / "instance")
    monkeypatch.setenv("HOST", "a-machine")
    monkeypatch.setenv("PUBLIC_URL", public)
    planned = stacks.plan(options.Options(1, "postgresql://h/x", "redis://h", own_mux=True))
    planned.close()
    assert planned.settings["HOST"] == host


def test_a_folder_that_was_open_is_closed(tmp_path: Path) -> None:
    folder = tmp_path / "instance"
    folder.mkdir(mode=0o755)
    places.make_private(folder)
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_database_without_tables_has_no_users(real_servers: Servers) -> None:
    real_servers.postgres.create_database("nobodys")
    assert database_content.read(real_servers.postgres.url("nobodys")) == database_content.Residents()


def test_with_mux_itself_no_demo_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "INSTANCE", tmp_path)
    settings = environment(
        database_url="postgresql://h/x",
        redis_url="redis://h",
        MUX_API_URL="https://api.mux.com",
        METRICS_TOKEN="t" * 16,
    )
    given = options.Options(1, None, None, own_mux=True)
    stack = stacks.Stack(given, kept_files.Secrets(tmp_path / "secrets"), tmp_path, settings=settings)
    assert run._accounts(stack, cast(Supervisor, None)) == []


def test_a_full_disk_is_told_before_anything_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1 << 20))
    monkeypatch.setattr(only_one, "RUN", tmp_path / "run")
    monkeypatch.setattr(sys, "argv", ["run"])
    monkeypatch.setattr(places, "INSTANCE", tmp_path)
    monkeypatch.setattr(options, "read", lambda: options.Options(ports.any_free(), None, None, False))
    with pytest.raises(SetupError, match=r"^The disk is full: 1 MB are left"):
        run.main()


@pytest.mark.parametrize("name", ["postgres", "redis", "worker", "clock", "web"])
def test_what_is_killed_comes_back(stack: Stack, name: str) -> None:
    wait_until_ready(stack)
    before = stack.marks()[name]
    os.kill(stack.number(name), signal.SIGKILL)
    deadline = time.monotonic() + 15
    while (now := stack.mark(name)) is None or now == before:
        assert time.monotonic() < deadline, stack.said()
        time.sleep(0.05)
    assert identity.is_alive(now)
    wait_until_ready(stack)


def test_a_killed_manager_is_followed_by_a_new_one(stack: Stack) -> None:
    assert stack.manager is not None
    wait_until_ready(stack)
    # the worker cannot hear that its manager is gone, and the database goes without a word
    stack.freeze("worker")
    before = stack.marks()
    assert {"worker", "postgres"} <= set(before)
    stack.manager.kill()
    os.kill(stack.number("postgres"), signal.SIGKILL)
    stack.manager.wait()
    stack.start()
    assert "Stopped what an earlier start had left running" in stack.said()
    assert not [name for name, mark in before.items() if identity.is_alive(mark)]
    wait_until_ready(stack)


def test_stopping_leaves_nothing_but_the_data(stack: Stack) -> None:
    wait_until_ready(stack)
    marks = stack.marks()
    assert set(marks) == set(NAMES)
    stack.stop()
    assert stack.manager is not None
    assert stack.manager.returncode == 0
    assert not [name for name, mark in marks.items() if leftovers.members_of(mark)]
    assert not list((stack.instance / "run").glob("*.process"))
    assert (stack.instance / "pg" / "PG_VERSION").exists()
    stack.start()
    assert re.search(r"\(started in \d+\.\d s\)", stack.said())
    assert len(ACCOUNT.findall(stack.said())) >= 4
