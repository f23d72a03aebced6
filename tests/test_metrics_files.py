"""Counters never go backwards and never count twice, however many processes counted, died, or were killed while folding."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from prometheus_client.multiprocess import MultiProcessCollector

from lessonadmin import metrics_files

COUNTING = """
import sys
from prometheus_client import Counter, Histogram
Counter("done_total", "Done.", ["what"]).labels("it").inc(int(sys.argv[1]))
Histogram("took_seconds", "Took.", buckets=(1, 5)).observe(int(sys.argv[1]))
"""


def count(folder: Path, number: int) -> None:
    """A process that counts and ends."""
    subprocess.run(
        [sys.executable, "-c", COUNTING, str(number)],
        env={"PROMETHEUS_MULTIPROC_DIR": str(folder)},
        check=True,
    )


def sums(folder: Path) -> dict[str, float]:
    found = MultiProcessCollector.merge(metrics_files.files(folder))  # type: ignore[no-untyped-call]
    return {
        sample.name + sample.labels.get("le", ""): sample.value for one in found for sample in one.samples
    }


@pytest.fixture
def counted(tmp_path: Path) -> Path:
    for number in (1, 2, 4):
        count(tmp_path, number)
    return tmp_path


EXPECTED = {
    "done_total": 7,
    "took_seconds_bucket1.0": 1,
    "took_seconds_bucket5.0": 3,
    "took_seconds_bucket+Inf": 3,
    "took_seconds_count": 3,
    "took_seconds_sum": 7,
}


def test_dead_processes_become_one_file_and_the_sums_stay(counted: Path) -> None:
    assert len(list(counted.glob("*.db"))) == 6
    assert sums(counted) == EXPECTED
    with metrics_files.locked(counted):
        assert metrics_files.fold(counted, most_dead=0) == 6
        assert metrics_files.fold(counted, most_dead=0) == 0
    assert sorted(one.name for one in counted.iterdir()) == ["counter_0.db", "histogram_0.db", "lock"]
    assert sums(counted) == EXPECTED
    count(counted, 8)
    metrics_files.fold(counted, most_dead=0)
    assert sums(counted)["done_total"] == 15
    assert len(list(counted.glob("*.db"))) == 2


def test_a_few_dead_ones_are_left_alone(counted: Path) -> None:
    assert metrics_files.fold(counted, most_dead=6) == 0
    assert len(list(counted.glob("*.db"))) == 6


def test_a_process_that_lives_keeps_its_file(counted: Path) -> None:
    living = subprocess.Popen(
        [sys.executable, "-c", COUNTING + "print('counted', flush=True); sys.stdin.read()", "16"],
        env={"PROMETHEUS_MULTIPROC_DIR": str(counted)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert living.stdout is not None
    assert living.stdout.readline() == "counted\n"
    metrics_files.fold(counted, most_dead=0)
    assert (counted / f"counter_{living.pid}.db").exists()
    assert sums(counted)["done_total"] == 23
    living.communicate()
    metrics_files.fold(counted, most_dead=0)
    assert sums(counted)["done_total"] == 23
    assert len(list(counted.glob("*.db"))) == 2


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("survived", range(9))
def test_killed_anywhere_in_the_folding_nothing_is_lost_or_counted_twice(
    counted: Path, monkeypatch: pytest.MonkeyPatch, survived: int
) -> None:
    """The folding is stopped before its n-th change of the folder, and begun again."""
    left = [survived]

    def stopping(true: object) -> object:
        def change(*args: object, **more: object) -> object:
            if left[0] == 0:
                raise Killed
            left[0] -= 1
            return true(*args, **more)  # type: ignore[operator]

        return change

    with monkeypatch.context() as patch:
        for name in ("rename", "unlink", "write_text"):
            patch.setattr(Path, name, stopping(getattr(Path, name)))
        with pytest.raises(Killed):
            metrics_files.fold(counted, most_dead=0)
    metrics_files.fold(counted, most_dead=0)
    assert sums(counted) == EXPECTED
    assert len(list(counted.glob("*.db"))) == 2
    assert not list(counted.glob("*.new"))


def test_of_the_test_without_the_journal_it_would_count_twice(counted: Path) -> None:
    """The control: sums in place, old files not yet removed, and nobody who knows."""
    metrics_files._add_up(counted, "counter", list(counted.glob("counter_*.db")))
    (counted / "counter_0.new").rename(counted / "counter_0.db")
    assert sums(counted)["done_total"] == 14


def test_a_file_without_anything_in_it_is_no_trouble(counted: Path) -> None:
    (counted / "counter_4194999.db").touch()
    assert sums(counted) == EXPECTED
    metrics_files.fold(counted, most_dead=0)
    assert sums(counted) == EXPECTED


def test_a_journal_names_only_files_of_this_folder(
    counted: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "precious.db"
    elsewhere.touch()
    (counted / "folding.json").write_text(json.dumps([str(elsewhere), "../precious.db"]))
    metrics_files.fold(counted, most_dead=0)
    assert elsewhere.exists()
