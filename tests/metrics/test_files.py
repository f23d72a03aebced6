"""Counters never go backwards and never count twice, however many processes counted, died, or were killed while folding."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.multiprocess import MultiProcessCollector

from lessonadmin.metrics import files, labels
from lessonadmin.metrics.folder import NotOurs, make_private

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
    found = MultiProcessCollector.merge(files.files(folder))  # type: ignore[no-untyped-call]
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
    with files.locked(counted):
        assert files.fold(counted, most_dead=0) == 6
        assert files.fold(counted, most_dead=0) == 0
    assert sorted(one.name for one in counted.iterdir()) == ["counter_0.db", "histogram_0.db", "lock"]
    assert sums(counted) == EXPECTED
    count(counted, 8)
    files.fold(counted, most_dead=0)
    assert sums(counted)["done_total"] == 15
    assert len(list(counted.glob("*.db"))) == 2


def test_a_few_dead_ones_are_left_alone(counted: Path) -> None:
    assert files.fold(counted, most_dead=6) == 0
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
    files.fold(counted, most_dead=0)
    assert (counted / f"counter_{living.pid}.db").exists()
    assert sums(counted)["done_total"] == 23
    living.communicate()
    files.fold(counted, most_dead=0)
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
            files.fold(counted, most_dead=0)
    files.fold(counted, most_dead=0)
    assert sums(counted) == EXPECTED
    assert len(list(counted.glob("*.db"))) == 2
    assert not list(counted.glob("*.new"))


def test_of_the_test_without_the_journal_it_would_count_twice(counted: Path) -> None:
    """The control: sums in place, old files not yet removed, and nobody who knows."""
    files._add_up(counted, "counter", list(counted.glob("counter_*.db")))
    (counted / "counter_0.new").rename(counted / "counter_0.db")
    assert sums(counted)["done_total"] == 14


def test_a_file_without_anything_in_it_is_no_trouble(counted: Path) -> None:
    (counted / "counter_4194999.db").touch()
    assert sums(counted) == EXPECTED
    files.fold(counted, most_dead=0)
    assert sums(counted) == EXPECTED


def test_a_journal_names_only_files_of_this_folder(
    counted: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "precious.db"
    elsewhere.touch()
    (counted / "folding.json").write_text(json.dumps([str(elsewhere), "../precious.db"]))
    files.fold(counted, most_dead=0)
    assert elsewhere.exists()


DEAD = 4194000  # more than any process has as its number
REQUESTS, EVENTS = "lessonadmin_http_request_seconds", "lessonadmin_webhook_events"


def of_a_former_version(folder: Path, process: int) -> None:
    """What a process left that took every method and every type of event as it came."""
    requests = MmapedDict(str(folder / f"histogram_{process}.db"))  # type: ignore[no-untyped-call]
    for method in ("GET", "BREW", *(f"A{number:07d}" for number in range(40))):
        labels = {"route": "none", "method": method, "status": "405"}
        for name, more in (("_bucket", {"le": "+Inf"}), ("_sum", {})):
            key = json.dumps([REQUESTS, REQUESTS + name, labels | more, "Time."], sort_keys=True)
            requests.write_value(key, 1.0, 0.0)  # type: ignore[no-untyped-call]
    requests.close()  # type: ignore[no-untyped-call]
    events = MmapedDict(str(folder / f"counter_{process}.db"))  # type: ignore[no-untyped-call]
    for kind in ("video.asset.ready", *(f"video.odd_{letter}" for letter in "abcdefgh")):
        key = json.dumps(
            [EVENTS, f"{EVENTS}_total", {"type": kind, "outcome": "ignored"}, "E."], sort_keys=True
        )
        events.write_value(key, 1.0, 0.0)  # type: ignore[no-untyped-call]
    events.close()  # type: ignore[no-untyped-call]


def told(folder: Path, name: str, label: str) -> dict[str, float]:
    found = MultiProcessCollector.merge(files.files(folder))  # type: ignore[no-untyped-call]
    return {
        sample.labels[label]: sample.value for one in found for sample in one.samples if sample.name == name
    }


@pytest.mark.parametrize("process", [DEAD, files.FOLDED], ids=["left", "folded before"])
def test_a_restart_merges_what_a_former_version_counted_of_odd_methods(tmp_path: Path, process: int) -> None:
    of_a_former_version(tmp_path, process)
    of_a_former_version(tmp_path, DEAD + 1)
    assert len(told(tmp_path, f"{REQUESTS}_sum", "method")) == 42, "the control: they are there"
    files.fold(tmp_path, labels.bounded, most_dead=0)
    assert told(tmp_path, f"{REQUESTS}_count", "method") == {"GET": 2, "OTHER": 82}
    assert told(tmp_path, f"{REQUESTS}_sum", "method") == {"GET": 2, "OTHER": 82}
    assert told(tmp_path, f"{EVENTS}_total", "type") == {"video.asset.ready": 2, "other": 16}


def linked(folder: Path) -> None:
    (folder.parent / "elsewhere").mkdir(mode=0o700)
    folder.symlink_to(folder.parent / "elsewhere")


def open_to_all(folder: Path) -> None:
    folder.mkdir()
    folder.chmod(0o777)


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (linked, "is no folder of its own"),
        (open_to_all, "can be written to by others"),
        (Path.touch, "cannot be used"),
    ],
)
def test_a_folder_that_somebody_else_may_have_filled_is_refused(
    tmp_path: Path, make: Callable[[Path], None], why: str
) -> None:
    make(tmp_path / "metrics")
    with pytest.raises(NotOurs, match=why):
        make_private(tmp_path / "metrics")


def test_a_folder_of_somebody_else_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(NotOurs, match="belongs to somebody else"):
        make_private(tmp_path / "metrics")


def test_a_folder_of_ours_is_made_or_made_private(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir(mode=0o755)
    for name in ("old", "new"):
        make_private(tmp_path / name)
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o700
