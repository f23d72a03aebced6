"""Counters never go backwards and never count twice, however many processes count, fork, end or are killed."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest
from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.multiprocess import MultiProcessCollector

from devstack.places import ROOT
from lessonadmin.metrics import files

PROCESS = """
import os, sys, time
from lessonadmin import metrics

def count(number):
    metrics.uploads.labels("ready").inc(number)
    metrics.time_to_ready.observe(number)

def tell():
    print(metrics._SLOTS(), flush=True)
"""
JOBS = """
for number in range(30):
    child = os.fork()
    if child == 0:
        count(1)
        os._exit(0)
    os.waitpid(child, 0)
"""
FAMILY = """
count(1)
tell()
for number in range(2):
    if os.fork() == 0:
        count(1)
        tell()
        time.sleep(60)
time.sleep(60)
"""
ORPHAN = """
count(1)
tell()
parent = os.getpid()
if os.fork():
    count(2)
    os._exit(0)
while os.getppid() == parent:
    pass
count(4)
tell()
"""
WITHOUT_END = """
number = 0
while True:
    number += 1
    metrics.uploads.labels(f"kind{number % 3000}").inc()
    print(number, flush=True)
"""


@contextmanager
def process(folder: Path, code: str) -> Iterator[subprocess.Popen[str]]:
    """A process of the product that runs this code, killed in the end with its children."""
    running = subprocess.Popen(
        [sys.executable, "-c", PROCESS + code],
        cwd=ROOT,
        env={"PROMETHEUS_MULTIPROC_DIR": str(folder)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with running:
        try:
            yield running
        finally:
            with suppress(ProcessLookupError):
                os.killpg(running.pid, signal.SIGKILL)


def run(folder: Path, code: str) -> list[str]:
    """What such a process says until its end."""
    with process(folder, code) as running:
        said, _ = running.communicate(timeout=30)
    assert running.returncode == 0
    return said.split()


def line(running: subprocess.Popen[str]) -> str:
    assert running.stdout is not None
    return running.stdout.readline().strip()


def sums(folder: Path) -> Counter[str]:
    """Every sample that is not 0 by its name (and its bucket), whatever its other labels."""
    found: Counter[str] = Counter()
    for metric in MultiProcessCollector.merge(files.sound(folder)):
        for sample in metric.samples:
            found[sample.name + sample.labels.get("le", "")] += sample.value
    return +found


def uploads(folder: Path) -> float:
    return sums(folder)["lessonadmin_uploads_total"]


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.glob("*.db"))


OF_ONE = ["counter_slot1.db", "histogram_slot1.db"]


def test_a_process_goes_on_in_the_file_of_one_that_has_ended(tmp_path: Path) -> None:
    for number in (1, 2, 400):
        assert run(tmp_path, f"count({number}); tell()") == ["slot1"]
    assert names(tmp_path) == OF_ONE
    found = sums(tmp_path)
    assert found["lessonadmin_uploads_total"] == 403
    assert found["lessonadmin_time_to_ready_seconds_sum"] == 403
    assert found["lessonadmin_time_to_ready_seconds_bucket5.0"] == 2
    assert found["lessonadmin_time_to_ready_seconds_count"] == 3


def test_jobs_that_are_forked_one_after_the_other_need_one_more_file(tmp_path: Path) -> None:
    run(tmp_path, "count(1)" + JOBS)
    assert uploads(tmp_path) == 31
    assert names(tmp_path) == sorted([*OF_ONE, "counter_slot2.db", "histogram_slot2.db"])


def test_processes_that_live_never_share_a_file(tmp_path: Path) -> None:
    """Four parents with two children each, half of them killed, and as many again."""
    with ExitStack() as living, ExitStack() as dying:
        families = [
            stack.enter_context(process(tmp_path, FAMILY)) for stack in (living, living, dying, dying)
        ]
        slots = [{line(family) for _ in range(3)} for family in families]
        assert len(set.union(*slots)) == 12
        assert uploads(tmp_path) == 12
        dying.close()
        families = [living.enter_context(process(tmp_path, FAMILY)) for _ in range(2)]
        slots[2:] = [{line(family) for _ in range(3)} for family in families]
        assert len(set.union(*slots)) == 12
        assert uploads(tmp_path) == 18
    assert len(names(tmp_path)) <= 2 * (12 + 2)  # a child never has the slot that its parent has left


def test_a_child_that_outlives_its_parent_does_not_write_over_what_the_parent_counted(tmp_path: Path) -> None:
    """The parent's slot is free by then; the client would go on with the values of the moment of the fork."""
    first, second = run(tmp_path, ORPHAN)
    assert first != second
    assert uploads(tmp_path) == 7


@pytest.mark.parametrize("times", range(3))
def test_killed_while_it_counts_a_process_leaves_what_it_said(tmp_path: Path, times: int) -> None:
    """Its file grows meanwhile: each number is a new series until they come again."""
    total = 0
    for _ in range(2):
        with process(tmp_path, WITHOUT_END) as running:
            said = 0
            while said < 700 + 1700 * times:
                said = int(line(running))
        total += said
    run(tmp_path, "tell()")
    assert names(tmp_path) == OF_ONE
    assert uploads(tmp_path) >= total


def cut_off(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:100])


def pages_never_written(file: Path) -> None:
    """The machine went down: the first page reached the disk, the others did not."""
    whole = file.read_bytes()
    file.write_bytes(whole[:40] + bytes(len(whole) - 40))


def other_bytes(file: Path) -> None:
    file.write_bytes(b"\xff" * 4096)


@pytest.mark.parametrize("damage", [cut_off, pages_never_written, other_bytes])
def test_a_damaged_file_stops_nothing_and_is_put_aside(tmp_path: Path, damage: object) -> None:
    with process(tmp_path, "count(1); tell(); time.sleep(60)") as first:
        assert line(first) == "slot1"
        run(tmp_path, "count(2)")
    damage(tmp_path / "counter_slot2.db")  # type: ignore[operator]
    assert uploads(tmp_path) == 1, "the others are still read"
    with process(tmp_path, "count(4); tell(); time.sleep(60)") as again:
        assert line(again) == "slot1"
        assert run(tmp_path, "count(8); tell()") == ["slot2"]
    assert uploads(tmp_path) == 13
    assert (tmp_path / "counter_slot2.damaged").exists()


def test_a_file_without_anything_in_it_is_no_trouble(tmp_path: Path) -> None:
    (tmp_path / "counter_slot1.db").touch()
    (tmp_path / "counter_slot7.db").touch()
    assert sums(tmp_path) == {}
    run(tmp_path, "count(2)")
    assert uploads(tmp_path) == 2


def test_what_a_former_version_left_counts_and_stays(tmp_path: Path) -> None:
    """It named files by process, and those that it had added up by 0."""
    key = json.dumps(["lessonadmin_uploads", "lessonadmin_uploads_total", {"outcome": "ready"}, "Uploads."])
    for number in (0, 1, os.getpid(), 4194000):
        values = MmapedDict(str(tmp_path / f"counter_{number}.db"))
        values.write_value(key, 10.0, 0.0)
        values.close()
    before = {file: file.read_bytes() for file in tmp_path.glob("*.db")}
    run(tmp_path, "count(2)")
    assert uploads(tmp_path) == 42
    assert {file: file.read_bytes() for file in before} == before
