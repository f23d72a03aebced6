"""The process manager, on small real programs."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from devstack.processes import identity, leftovers
from devstack.processes.leftovers import Register

MANAGER = """
import json, os, sys
from pathlib import Path
from devstack.processes.leftovers import Register
from devstack.processes.output import Output, ReaderGone
from devstack.processes.programs import Program
from devstack.processes.supervisor import Stopped, Supervisor
from devstack.errors import SetupError

folder, programs = Path(sys.argv[1]), json.loads(sys.argv[2])
def ready(name):
    return lambda: (folder / f"{name}.ready").exists()
known = [
    Program(name=p["name"], command=("/bin/sh", "-c", p["shell"]), folder=folder, ready=ready(p["name"]),
            stage=p.get("stage", 0), stop_seconds=p.get("stop_seconds", 5), noise=tuple(p.get("noise", ())))
    for p in programs
]
try:
    with Supervisor(environment=os.environ, register=Register(folder / "run"), output=Output(("one", "two"), file=folder / "lines")) as manager:
        manager.start(*known)
        manager.wait_ready(*(p.name for p in known), seconds=5)
        print("all ready", flush=True)
        manager.forever()
except Stopped:
    print("stopped", flush=True)
except SetupError as trouble:
    print(f"trouble: {trouble}", flush=True)
"""


class Manager:
    """A manager in a process of its own, as `bin/run` is."""

    def __init__(self, folder: Path, *programs: dict[str, object]) -> None:
        self.folder = folder
        self.log = folder / "output"
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-c", MANAGER, str(folder), json.dumps(programs)],
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=Path(__file__).parents[3],
            )

    def said(self) -> str:
        return self.log.read_text()

    def wait_for(self, words: str, *, times: int = 1) -> None:
        wait_until(lambda: self.said().count(words) >= times, f"{words!r} in:\n{self.said()}")

    def mark(self, name: str) -> str:
        return (self.folder / "run" / f"{name}.process").read_text()

    def stop(self) -> float:
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)
        return time.monotonic() - began


def wait_until(condition: object, what: str = "it", seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.02)


@pytest.fixture
def managers(tmp_path: Path) -> Iterator[list[Manager]]:
    """Whatever a test starts is gone afterwards, also when it fails."""
    started: list[Manager] = []
    yield started
    for manager in started:
        manager.process.kill()
        manager.process.wait()
    Register(tmp_path / "run").stop_leftovers(seconds=0.1)


def lives(name: str, then: str = "exec sleep 60", **more: object) -> dict[str, object]:
    return {"name": name, "shell": f"touch {name}.ready; {then}", **more}


def test_shows_who_says_what(tmp_path: Path, managers: list[Manager]) -> None:
    program = lives(
        "one",
        "echo hello; echo known noise; echo half >&2; printf '\\033[2Ja bell \\007\\n'; exec sleep 60",
        noise=["known"],
    )
    managers.append(manager := Manager(tmp_path, program))
    manager.wait_for("one | half")
    manager.wait_for(r"one | \x1b[2Ja bell \x07")
    assert "one | hello" in manager.said()
    assert "noise" not in manager.said()


def test_a_fallen_program_is_started_again_each_time_a_little_later(
    tmp_path: Path, managers: list[Manager]
) -> None:
    managers.append(manager := Manager(tmp_path, lives("one", "echo run >> runs; sleep 0.3; exit 3")))
    manager.wait_for("exit code 3", times=3)
    assert "Starting it again in 0.5 s" in manager.said()
    assert "Starting it again in 1 s" in manager.said()
    assert "Starting it again in 2 s" in manager.said()
    assert (tmp_path / "runs").read_text().count("run") == 3


def test_what_a_fallen_program_left_is_ended_first(tmp_path: Path, managers: list[Manager]) -> None:
    program = lives("one", "sleep 600 & echo $! > child; sleep 0.3; kill -9 $$")
    managers.append(manager := Manager(tmp_path, program))
    manager.wait_for("SIGKILL")
    child = int((tmp_path / "child").read_text())
    wait_until(lambda: identity.mark(child) is None, "the end of the child")


def test_a_program_that_ends_at_once_is_told_with_its_last_words(
    tmp_path: Path, managers: list[Manager]
) -> None:
    program = {"name": "one", "shell": "echo the reason; exit 1"}
    managers.append(manager := Manager(tmp_path, lives("two"), program))
    manager.process.wait(10)
    assert "trouble: one did not start: the reason" in manager.said()
    assert "Traceback" not in manager.said()


def test_stops_the_later_stage_first(tmp_path: Path, managers: list[Manager]) -> None:
    server = lives("one", "trap 'echo server >> order; exit 0' TERM; while :; do sleep 0.05; done")
    client = lives(
        "two", "trap 'sleep 0.4; echo client >> order; exit 0' TERM; while :; do sleep 0.05; done", stage=1
    )
    managers.append(manager := Manager(tmp_path, server, client))
    manager.wait_for("all ready")
    manager.stop()
    assert (tmp_path / "order").read_text().split() == ["client", "server"]
    assert manager.said().endswith("stopped\n")


def test_who_does_not_want_to_stop_is_stopped_in_bounded_time(
    tmp_path: Path, managers: list[Manager]
) -> None:
    program = lives("one", "trap '' TERM; sleep 600 & while :; do sleep 0.1; done", stop_seconds=1)
    managers.append(manager := Manager(tmp_path, program))
    manager.wait_for("all ready")
    mark = manager.mark("one")
    assert manager.stop() < 5
    assert leftovers.members_of(mark) == set()


def test_a_killed_manager_takes_its_programs_along(tmp_path: Path, managers: list[Manager]) -> None:
    managers.append(manager := Manager(tmp_path, lives("one"), lives("two")))
    manager.wait_for("all ready")
    marks = [manager.mark("one"), manager.mark("two")]
    manager.process.kill()
    wait_until(lambda: not any(identity.is_alive(mark) for mark in marks), "the end of the programs")


def test_what_outlives_a_killed_manager_is_found_by_the_next(tmp_path: Path, managers: list[Manager]) -> None:
    stubborn = lives(
        "one", "trap '' TERM; (trap '' TERM; echo in >> in; sleep 600) & while :; do sleep 0.1; done"
    )
    managers.append(manager := Manager(tmp_path, stubborn))
    manager.wait_for("all ready")
    wait_until((tmp_path / "in").exists, "the child")
    mark = manager.mark("one")
    manager.process.kill()
    manager.process.wait()
    assert identity.is_alive(mark)
    assert Register(tmp_path / "run").stop_leftovers(seconds=0.3) == ["one"]
    assert leftovers.members_of(mark) == set()
    assert Register(tmp_path / "run").stop_leftovers() == []


def test_the_leader_may_be_gone_and_its_people_are_found_all_the_same(tmp_path: Path) -> None:
    shell = subprocess.Popen(["/bin/sh", "-c", "sleep 600 & exec sleep 600"], start_new_session=True)
    register = Register(tmp_path)
    register.add("one", shell.pid)
    wait_until(lambda: len(leftovers.session_members(shell.pid)) == 2, "both")
    shell.kill()
    shell.wait()
    assert register.stop_leftovers(seconds=2) == ["one"]
    assert leftovers.session_members(shell.pid) == set()


def test_a_stranger_with_the_same_number_is_left_alone(tmp_path: Path) -> None:
    stranger = subprocess.Popen(["sleep", "600"], start_new_session=True)
    try:
        mark = identity.mark(stranger.pid)
        assert mark is not None
        number, started, boot = mark.split()
        (tmp_path / "one.process").write_text(f"{number} {int(started) - 1} {boot}")
        assert Register(tmp_path).stop_leftovers() == []
        assert stranger.poll() is None
        (tmp_path / "one.process").write_text("99999999 1 another-boot")
        assert Register(tmp_path).stop_leftovers() == []
        assert not list(tmp_path.glob("*.process"))
    finally:
        stranger.kill()
        stranger.wait()


def test_a_second_request_does_not_wait(tmp_path: Path, managers: list[Manager]) -> None:
    program = lives("one", "trap '' TERM; while :; do sleep 0.1; done", stop_seconds=60)
    managers.append(manager := Manager(tmp_path, program))
    manager.wait_for("all ready")
    manager.process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    manager.process.send_signal(signal.SIGINT)
    assert manager.process.wait(10) == 0


def test_the_reader_of_the_output_is_gone(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    program = lives("one", "while :; do echo line; sleep 0.05; done")
    manager = subprocess.Popen(
        [sys.executable, "-c", MANAGER, str(tmp_path), json.dumps([program])],
        stdout=writing,
        stderr=subprocess.DEVNULL,
        cwd=Path(__file__).parents[3],
    )
    os.close(writing)
    wait_until((tmp_path / "run" / "one.process").exists)
    mark = (tmp_path / "run" / "one.process").read_text()
    os.close(reading)
    manager.wait(10)
    assert not identity.is_alive(mark)


def test_stops_on_ctrl_c_also_when_a_shell_started_it_in_the_background(tmp_path: Path) -> None:
    command = [sys.executable, "-c", MANAGER, str(tmp_path), json.dumps([lives("one")])]
    began = subprocess.Popen(
        ["/bin/sh", "-c", '"$@" & echo $! > "$0"; wait', str(tmp_path / "pid"), *command],
        cwd=Path(__file__).parents[3],
        stdout=subprocess.DEVNULL,
    )
    wait_until((tmp_path / "one.ready").exists)
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGINT)
    began.wait(10)
