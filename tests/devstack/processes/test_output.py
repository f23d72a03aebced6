"""What is shown while the stack runs, and what is only kept."""

import errno
import io
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from devstack.processes.leftovers import Register
from devstack.processes.output import Output
from devstack.processes.supervisor import Supervisor

REQUEST = "20:21:13 INFO    GET /lessons 200 milliseconds=15.2"
FAULT = "20:21:14 ERROR   it broke"
TRACE = "ZeroDivisionError: division by zero"


Make = Callable[..., Output]


class FullDisk(io.StringIO):
    def write(self, text: str) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., Output]]:
    """Outputs of one file; closed at the end."""
    made: list[Output] = []

    def one(*, everything: bool = False) -> Output:
        names = ("web", "mux", "clock")
        made.append(Output(names, file=tmp_path / "log" / "run.log", everything=everything))
        return made[-1]

    yield one
    for output in made:
        output.close()


def speak(output: Output) -> None:
    for line in (REQUEST, FAULT, TRACE):
        output.line("web", line)
    output.line("mux", "listening", routine=True)
    output.warn("clock", "It ended by itself.")


KEPT = [
    f"web   | {REQUEST}",
    f"web   | {FAULT}",
    f"web   | {TRACE}",
    "mux   | listening",
    "clock | It ended by itself.",
]


@pytest.mark.parametrize(("everything", "shown"), [(False, [KEPT[1], KEPT[2], KEPT[4]]), (True, KEPT)])
def test_what_goes_well_is_kept_and_shown_only_if_wanted(
    make: Make, capsys: pytest.CaptureFixture[str], everything: bool, shown: list[str]
) -> None:
    output = make(everything=everything)
    speak(output)
    assert capsys.readouterr().out.splitlines() == shown
    assert output.file.read_text().splitlines() == KEPT


def test_a_start_goes_on_in_the_file_of_the_one_before(make: Make) -> None:
    speak(make())
    second = make()
    speak(second)
    assert second.file.read_text().splitlines() == [*KEPT, *KEPT]


def test_the_file_is_bounded(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("devstack.processes.output.KEPT_BYTES", 200)
    output = make()
    for _ in range(20):
        output.line("web", REQUEST)
    assert sum(file.stat().st_size for file in output.file.parent.glob("run.log*")) <= 400


def test_a_file_that_cannot_be_written_stops_nothing(make: Make, capsys: pytest.CaptureFixture[str]) -> None:
    output = make()
    before = output._kept.setStream(FullDisk())
    assert before is not None
    before.close()
    speak(output)
    said = capsys.readouterr()
    assert said.out.splitlines() == [KEPT[1], KEPT[2], KEPT[4]]
    assert said.err == ""


def test_enter_shows_the_box_again(
    make: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    keyboard, terminal = os.openpty()
    output = make()
    with (
        os.fdopen(terminal) as stdin,
        Supervisor(environment={}, register=Register(tmp_path / "run"), output=output) as manager,
    ):
        monkeypatch.setattr(sys, "stdin", stdin)
        output.box("ready at http://127.0.0.1:8000", "user@demo.example pass admin")
        box = capsys.readouterr().out
        assert "ready at http://127.0.0.1:8000\nuser@demo.example pass admin\n" in box
        manager.on_enter(output.repeat_box)
        manager.turn(0.01)
        assert capsys.readouterr().out == ""
        os.write(keyboard, b"\n")
        manager.turn(10)
        assert capsys.readouterr().out == box
    os.close(keyboard)
