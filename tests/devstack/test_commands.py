"""What the scripts in bin/ decide, apart from what they start."""

import subprocess
import sys
from pathlib import Path

import pytest

from devstack.commands import bench, check, test
from devstack.errors import SetupError
from devstack.install import chromium as install_chromium

ROOT = Path(__file__).parents[2]


class Calls:
    """Stands in for the start of pytest."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, *arguments: str, chromium: str | None = "/usr/bin/chromium"
    ) -> None:
        self.command: list[str] = []
        monkeypatch.setattr(sys, "argv", ["test", *arguments])
        monkeypatch.setattr(install_chromium, "find_or_install", lambda: chromium)
        monkeypatch.setattr(subprocess, "run", self.run)
        monkeypatch.chdir(ROOT)

    def run(self, command: list[str], **_: object) -> "subprocess.CompletedProcess[str]":
        self.command = command
        return subprocess.CompletedProcess(command, 0)


def test_everything_is_shared_by_four_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = Calls(monkeypatch)
    assert test.main() == 0
    assert calls.command[3:] == ["-n", "4", "--dist", "loadfile", "--no-loadscope-reorder"]


@pytest.mark.parametrize(
    "argument", ["tests/test_factories.py", "tests/test_factories.py::test_each_row_is_whole"]
)
def test_one_file_is_run_in_one_process(monkeypatch: pytest.MonkeyPatch, argument: str) -> None:
    calls = Calls(monkeypatch, argument, "-x")
    assert test.main() == 0
    assert calls.command[3:] == [argument, "-x"]


def test_the_caller_may_choose_how_many(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = Calls(monkeypatch, "-n", "0")
    assert test.main() == 0
    assert calls.command[3:] == ["-n", "0"]


def test_without_a_browser_the_run_is_not_content(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    calls = Calls(monkeypatch, chromium=None)
    assert test.main() == 1
    assert "--without-browser" in calls.command
    said = capsys.readouterr().err
    assert "browser tests were NOT run" in said
    assert len(said.strip().splitlines()) == 1


def test_without_a_browser_when_the_caller_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Calls(monkeypatch, "--without-browser", chromium=None)
    assert test.main() == 0
    assert capsys.readouterr().err == ""


def test_a_file_without_browser_tests_needs_none(monkeypatch: pytest.MonkeyPatch) -> None:
    Calls(monkeypatch, "tests/test_factories.py", chromium=None)
    assert test.main() == 0


def test_browser_tests_are_really_left_out(tmp_path: Path) -> None:
    file = tmp_path / "test_two.py"
    file.write_text(
        "import pytest\n@pytest.mark.browser\ndef test_drives(): assert False\ndef test_other(): pass\n"
    )
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-c",
        str(ROOT / "pyproject.toml"),
        f"--rootdir={tmp_path}",
        "-q",
    ]
    command += ["-p", "devstack.pytest_plugin", "--without-browser", str(file)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert "1 passed, 1 deselected" in done.stdout, done.stdout + done.stderr


def test_checks_are_all_run_and_summed_up(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shell = [
        check.Check("bad", ("/bin/sh", "-c", "echo why; exit 3")),
        check.Check("good", ("/bin/sh", "-c", ":")),
    ]
    monkeypatch.setattr(check, "checks", lambda: shell)
    monkeypatch.setattr(sys, "argv", ["check"])
    assert check.main() == 1
    said = capsys.readouterr().out
    assert "--- bad\nwhy\n" in said
    assert "1 of 2 checks are content" in said
    monkeypatch.setattr(sys, "argv", ["check", "good"])
    assert check.main() == 0
    monkeypatch.setattr(sys, "argv", ["check", "other"])
    with pytest.raises(SetupError, match="no check named other; there are: bad, good"):
        check.main()


def test_every_script_of_ours_is_linted() -> None:
    """The linter is told folders, and says nothing about a folder that it does not know."""
    known = [file for file in check._scripts() if file.startswith(("lessonadmin/static", "muxsim"))]
    assert len(known) >= 5
    assert not [file for file in known if "vendor" in file]


@pytest.mark.parametrize(
    ("line", "row"),
    [
        ("name\t3 ms\tremark of words\n", ("name", "3 ms", "remark of words")),
        ("long name   12/s\n", ("long name", "12/s", "")),
        ("simulator uploads   figure\n", None),
        ("just a sentence.\n", None),
    ],
)
def test_rows_of_a_benchmark(line: str, row: tuple[str, str, str] | None) -> None:
    assert bench.as_row(line) == row


def test_the_benchmarks_table() -> None:
    lines = bench.table([("a", "name", "1 s", ""), ("b", "n", "20 s", "slow")]).splitlines()
    assert lines[0] == "benchmark  measured  figure  remark"
    assert lines[2:] == ["a          name      1 s", "b          n         20 s    slow"]
