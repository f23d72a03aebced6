"""Where the disk is full, counters cost a process nothing: it counts on, and what it counted is written when there is space."""

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from prometheus_client.mmap_dict import MmapedDict

from devstack.places import ROOT
from lessonadmin.metrics import reserved_file
from lessonadmin.metrics.reserved_file import ReservedFile

Opened = Callable[..., ReservedFile]


@pytest.fixture
def opened() -> Iterator[Opened]:
    """Files of counters, closed in the end as their process would close them."""
    with ExitStack() as stack:

        def open_one(path: Path, kind: type[MmapedDict] = ReservedFile) -> ReservedFile:
            found = kind(str(path))
            stack.callback(found.close)
            return found

        yield open_one


def in_file(path: Path) -> dict[str, float]:
    return {key: value for key, value, _, _ in MmapedDict.read_all_values_from_file(str(path))}


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], None]:
    """The disk is full, or not any more."""
    given = os.posix_fallocate

    def refuse(_file: int, _start: int, _size: int) -> None:
        raise OSError(28, "No space left on device")

    return lambda yes: monkeypatch.setattr(os, "posix_fallocate", refuse if yes else given)


def test_every_byte_is_reserved_before_it_is_used(tmp_path: Path, opened: Opened) -> None:
    ours, clients = tmp_path / "ours.db", tmp_path / "clients.db"
    opened(ours)
    opened(clients, MmapedDict)
    assert ours.stat().st_size == clients.stat().st_size == reserved_file.FIRST_BYTES
    assert ours.stat().st_blocks * 512 >= reserved_file.FIRST_BYTES
    assert clients.stat().st_blocks * 512 < reserved_file.FIRST_BYTES, "the client's own file has holes"


def test_it_counts_on_in_the_file_that_is_there(tmp_path: Path, opened: Opened) -> None:
    path = tmp_path / "counter.db"
    first = opened(path)
    first.write_value("[a]", 3.0, 0.0)
    first.close()
    second = opened(path)
    assert second.read_value("[a]") == (3.0, 0.0)
    second.write_value("[a]", 4.0, 0.0)
    assert in_file(path) == {"[a]": 4.0}


def test_a_file_that_grows_reserves_what_it_grows_by(tmp_path: Path, opened: Opened) -> None:
    path = tmp_path / "counter.db"
    counters = opened(path)
    for number in range(2000):
        counters.write_value(f"[{'x' * 60}{number}]", float(number), 0.0)
    assert len(in_file(path)) == 2000
    assert path.stat().st_size > reserved_file.FIRST_BYTES
    assert path.stat().st_blocks * 512 >= path.stat().st_size


def test_without_space_for_a_file_nothing_fails_and_nothing_that_was_counted_is_missing(
    tmp_path: Path, full: Callable[[bool], None], opened: Opened
) -> None:
    path = tmp_path / "counter.db"
    before = opened(path)
    before.write_value("[a]", 5.0, 0.0)
    before.close()
    full(True)
    counters = opened(path)
    assert counters.read_value("[a]") == (0.0, 0.0)
    counters.write_value("[a]", 1.0, 0.0)
    counters.write_value("[a]", 2.0, 0.0)
    assert in_file(path) == {"[a]": 5.0}
    full(False)
    counters.write_value("[a]", 3.0, 0.0)
    assert in_file(path) == {"[a]": 8.0}, "5 of the process before and 3 of this one"
    counters.write_value("[a]", 4.0, 0.0)
    assert in_file(path) == {"[a]": 9.0}
    counters.write_value("[b]", 1.0, 0.0)
    assert in_file(path) == {"[a]": 9.0, "[b]": 1.0}


def test_a_file_that_cannot_grow_keeps_its_counters_going(
    tmp_path: Path, full: Callable[[bool], None], opened: Opened
) -> None:
    path = tmp_path / "counter.db"
    counters = opened(path)
    counters.write_value("[a]", 1.0, 0.0)
    full(True)
    for number in range(2000):
        counters.write_value(f"[{'x' * 60}{number}]", 7.0, 0.0)
    counters.write_value("[a]", 2.0, 0.0)
    found = in_file(path)
    assert found["[a]"] == 2.0
    assert 100 < len(found) < 1500
    full(False)
    counters.write_value(f"[{'x' * 60}1999]", 8.0, 0.0)
    assert in_file(path)[f"[{'x' * 60}1999]"] == 8.0


COUNTS = """
import os
from lessonadmin import metrics
metrics.uploads.labels("ready").inc()
if (child := os.fork()) == 0:
    for number in range(3000):
        metrics.uploads.labels(f"kind{number}").inc()
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
"""
BY_THE_CLIENTS_OWN_FILES = """
import sys, types
from prometheus_client.mmap_dict import MmapedDict
sys.modules["lessonadmin.metrics.reserved_file"] = types.SimpleNamespace(ReservedFile=MmapedDict)
"""


def process_without_space(folder: Path, code: str) -> int:
    """Its exit code; no file of it may become larger than nothing, which is the error of a full disk with another number."""

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))

    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={
            "PROMETHEUS_MULTIPROC_DIR": str(folder),
            "DATABASE_URL": "postgresql:///none",
            "PYTHONDONTWRITEBYTECODE": "1",
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        preexec_fn=limit,
        check=False,
    )
    return done.returncode


def test_a_process_and_its_children_live_without_space(tmp_path: Path) -> None:
    folder = tmp_path / "metrics"
    assert process_without_space(folder, COUNTS) == 0
    assert process_without_space(folder, BY_THE_CLIENTS_OWN_FILES + COUNTS) != 0, (
        "the client's own files need space"
    )
