"""The units of a run, their order, and how they are collected."""

import gc
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import psycopg
import pytest

from devstack.pytest_plugin import MANY_DELETED, THRESHOLDS, Emptying, _places, _Units, pytest_collection


@dataclass(frozen=True)
class Item:
    """As much of a test as the order looks at."""

    path: Path
    name: str
    marker: str | None = None
    timeout: int | None = None

    def get_closest_marker(self, name: str) -> pytest.Mark | None:
        if name == "timeout" and self.timeout is not None:
            return pytest.Mark("timeout", (self.timeout,), {}, _ispytest=True)
        return pytest.Mark(name, (), {}, _ispytest=True) if self.marker == name else None


def ordered(items: list[Item]) -> list[str]:
    places = _places(cast(list[pytest.Item], items))
    return [item.name for item in sorted(items, key=lambda item: places[cast(pytest.Item, item)])]


def files(kind: str, count: int, marker: str | None = None) -> list[Item]:
    return [Item(Path(f"{kind}{number}"), f"{kind}{number}", marker) for number in range(count)]


@pytest.mark.parametrize("marker", ["browser", "flow", "chaos"])
def test_files_that_wait_stand_evenly_among_the_others(marker: str) -> None:
    order = ordered(files("wait", 4, marker) + files("short", 16))
    assert [order.index(f"wait{number}") for number in range(4)] == [0, 5, 9, 14]
    assert [name for name in order if "short" in name] == [f"short{number}" for number in range(16)]


def test_the_tests_of_a_file_stay_together_in_their_order() -> None:
    first, other = Path("first"), Path("other")
    items = [
        Item(first, "a"),
        Item(other, "c"),
        Item(first, "b"),
        Item(other, "d", "flow"),
        Item(Path("last"), "e"),
    ]
    assert ordered(items) == ["c", "d", "a", "b", "e"]


def test_one_kind_alone_keeps_its_order() -> None:
    assert ordered(files("wait", 5, "flow")) == [f"wait{number}" for number in range(5)]


def test_what_takes_long_begins_early() -> None:
    units = [Item(Path(str(seconds)), str(seconds), None, seconds) for seconds in (110, 240, 60, 300)]
    assert ordered(units) == ["300", "240", "110", "60"], "what is below the usual timeout keeps its order"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One whose files are run together, beside two files that stand for themselves."""
    (tmp_path / "whole").mkdir()
    for name in ("whole/__init__.py", "whole/test_a.py", "whole/test_b.py", "test_c.py", "test_d.py"):
        (tmp_path / name).touch()
    return tmp_path


def test_the_files_of_a_package_stay_together_and_begin_first(folder: Path) -> None:
    names = ("test_c.py", "whole/test_a.py", "test_d.py", "whole/test_b.py")
    items = [Item(folder / name, name, None if name == "test_c.py" else "flow") for name in names]
    assert ordered(items) == ["whole/test_a.py", "whole/test_b.py", "test_c.py", "test_d.py"]


def test_a_package_is_handed_to_one_worker(folder: Path) -> None:
    units = _Units.__new__(_Units)  # only where it cuts the run: a whole scheduler wants workers
    units.config = SimpleNamespace(rootpath=folder)
    names = ("whole/test_a.py::test_it", "whole/test_b.py::test_it[a::b/c]", "test_c.py::test_it")
    assert [Path(units._split_scope(name)) for name in names] == [
        folder / "whole",
        folder / "whole",
        folder / "test_c.py",
    ]


def test_the_collector_of_garbage_rests_while_tests_are_collected(monkeypatch: pytest.MonkeyPatch) -> None:
    frozen: list[str] = []
    monkeypatch.setattr(gc, "freeze", lambda: frozen.append("frozen"))
    of_no_worker = cast(pytest.Session, SimpleNamespace(config=SimpleNamespace()))
    collecting = pytest_collection(of_no_worker)
    next(collecting)
    assert not gc.isenabled()
    with pytest.raises(StopIteration):
        collecting.send(None)
    assert gc.isenabled()
    assert (frozen, gc.get_threshold()) == (["frozen"], THRESHOLDS)


def size(connection: psycopg.Connection[tuple[int]]) -> int:
    found = connection.execute("SELECT pg_relation_size('heartbeats')").fetchone()
    assert found is not None
    return found[0]


def test_after_many_deleted_rows_the_tables_are_made_anew(owner_url: str, empty_tables: Emptying) -> None:
    """And not while a transaction reads one of them; a few rows are deleted and leave the file as it is."""
    many = "INSERT INTO heartbeats (name, at) SELECT n::text, now() FROM generate_series(1, %s) n"
    url = "postgresql://" + owner_url.partition("://")[2]
    with psycopg.connect(url, autocommit=True) as connection, psycopg.connect(url) as reader:
        connection.execute(many, [MANY_DELETED])
        empty_tables()
        assert size(connection) == 0
        connection.execute(many, [20])
        empty_tables()
        assert size(connection) > 0
        reader.execute("SELECT FROM heartbeats")
        connection.execute(many, [MANY_DELETED])
        empty_tables()
        assert size(connection) > 0
        assert connection.execute("SELECT FROM heartbeats").fetchall() == []
        reader.rollback()
        empty_tables()
        assert size(connection) == 0
