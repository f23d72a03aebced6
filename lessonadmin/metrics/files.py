"""The counters' files: one a process while it lives, folded into one when it is dead.

Every job runs in a process of its own, so files would grow without end; and removing them would make counters go
backwards. Folding is done under a lock that readers take too, and may be killed at any point: a journal says what was
counted already, so nothing is counted twice. Which counters there are is not known in here.
"""

import fcntl
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from prometheus_client.mmap_dict import MmapedDict

FOLDED = 0  # no process has this number
MOST_DEAD = 8
JOURNAL = "folding.json"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Nobody folds or reads meanwhile; those who count are not held up."""
    with (folder / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def files(folder: Path) -> list[str]:
    """What is to be added up; a file that is only just being made has nothing in it yet."""
    return [str(file) for file in sorted(folder.glob("*.db")) if _size(file)]


def fold(folder: Path, named: Callable[[str], str] = str, *, most_dead: int = MOST_DEAD) -> int:
    """Fold the files of dead processes if there are many of them; how many were folded. The caller has the lock.

    `named` says under which key a series goes on: those that get the same one are added up.
    """
    _finish(folder)
    dead = [file for file in folder.glob("*_*.db") if _is_dead(file)]
    if len(dead) <= most_dead:
        return 0
    for kind in {_kind(file) for file in dead}:
        _add_up(folder, kind, [file for file in dead if _kind(file) == kind], named)
    journal = folder / f"{JOURNAL}.new"
    journal.write_text(json.dumps([file.name for file in dead]))
    journal.rename(folder / JOURNAL)  # from here on the new sums count and the old files do not
    _finish(folder)
    return len(dead)


def _add_up(folder: Path, kind: str, dead: list[Path], named: Callable[[str], str] = str) -> None:
    sums: dict[str, float] = {}
    for file in (_sum_of(folder, kind), *dead):
        if _size(file):
            for key, value, _, _ in MmapedDict.read_all_values_from_file(str(file)):  # type: ignore[no-untyped-call]
                key = named(key)
                sums[key] = sums.get(key, 0.0) + value
    made = _sum_of(folder, kind).with_suffix(".new")
    made.unlink(missing_ok=True)
    values = MmapedDict(str(made))  # type: ignore[no-untyped-call]
    for key, value in sums.items():
        values.write_value(key, value, 0.0)  # type: ignore[no-untyped-call]
    values.close()  # type: ignore[no-untyped-call]


def _finish(folder: Path) -> None:
    """What the journal says is done, or done again after a kill in the middle of it."""
    journal = folder / JOURNAL
    if not journal.exists():
        for left in folder.glob("*.new"):
            left.unlink()  # sums that never counted
        return
    for made in folder.glob(f"*_{FOLDED}.new"):
        made.rename(made.with_suffix(".db"))
    for name in json.loads(journal.read_text()):
        (folder / Path(name).name).unlink(missing_ok=True)
    journal.unlink()


def _sum_of(folder: Path, kind: str) -> Path:
    return folder / f"{kind}_{FOLDED}.db"


def _kind(file: Path) -> str:
    return file.stem.rpartition("_")[0]


def _is_dead(file: Path) -> bool:
    number = file.stem.rpartition("_")[2]
    if not number.isdigit() or int(number) == FOLDED:
        return False
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except (PermissionError, OverflowError):
        return False  # somebody else's process has the number by now
    return False


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0
