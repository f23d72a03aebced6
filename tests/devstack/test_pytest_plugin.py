"""The order of the files of a run."""

from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest

from devstack.pytest_plugin import _places


@dataclass(frozen=True)
class Item:
    """As much of a test as the order looks at."""

    path: Path
    name: str
    marker: str | None = None

    def get_closest_marker(self, name: str) -> str | None:
        return self.marker if self.marker == name else None


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
