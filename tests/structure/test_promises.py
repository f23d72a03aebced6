"""The ledger of promises: each is made somewhere, kept by something, and proved through the running product."""

from pathlib import Path

import pytest

from devstack.checks import promises
from devstack.places import ROOT

LEDGER = ROOT / "docs" / "promises.md"
PROMISES = promises.read(LEDGER.read_text())


def test_the_ledger_holds_every_kind_of_promise() -> None:
    assert len(PROMISES) >= 80
    assert len({one.text for one in PROMISES}) == len(PROMISES), "one row a promise"


def test_every_promise_is_made_kept_and_proved() -> None:
    assert promises.Ledger(ROOT).complaints(PROMISES) == []


GOOD = (
    "| Nothing is lost | `README.md`: “no lesson is lost” | clock: `domain.maintenance.sweep.sweep` |"
    " `flows/test_sweep.py::test_lost` |"
)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    files = {
        "README.md": "When Mux is late,\n**no lesson** is lost.\n",
        "lessonadmin/domain/maintenance/sweep.py": "def sweep():\n    pass\n\n\ndef helper():\n    pass\n",
        "tests/flows/test_sweep.py": (
            "import pytest\nfrom lessonadmin.domain.maintenance import sweep\n\n\n"
            "@pytest.fixture\ndef swept():\n    return sweep.sweep()\n\n\n"
            "def by_hand():\n    sweep.sweep()\n\n\n"
            "def test_lost(house):\n    sweep.helper()\n\n\n"
            "def test_direct():\n    by_hand()\n\n\n"
            "def test_by_fixture(swept):\n    pass\n\n\ndef helps():\n    pass\n"
        ),
        "tests/domain/maintenance/test_sweep.py": "def test_lost():\n    pass\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def wrong(tree: Path, row: str) -> list[str]:
    found = promises.read(f"{promises.HEAD}\n|---|---|---|---|\n{row}\n")
    assert len(found) == 1
    return promises.Ledger(tree).complaints(found)


def test_of_the_test_a_whole_row_is_right(tree: Path) -> None:
    assert wrong(tree, GOOD) == []


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("`flows/test_sweep.py::test_lost`", "", "no test proves it"),
        ("::test_lost", "::test_gone", "flows/test_sweep.py::test_gone is not there"),
        ("::test_lost", "::helps", "flows/test_sweep.py::helps is not there"),
        ("flows/test_sweep.py", "flows/test_gone.py", "flows/test_gone.py is not there"),
        ("flows/test_sweep.py", "domain/maintenance/test_sweep.py", "domain/maintenance/test_sweep.py::test_lost does not drive the running product"),
        ("::test_lost", "::test_direct", "calls lessonadmin.domain.maintenance.sweep.sweep itself"),
        ("::test_lost", "::test_by_fixture", "calls lessonadmin.domain.maintenance.sweep.sweep itself"),
        ("sweep.sweep", "sweep.wake", "domain.maintenance.sweep.wake is not there"),
        ("clock: `domain.maintenance.sweep.sweep`", "the clock", "nothing keeps it"),
        ("no lesson is lost", "no lesson is late", "README.md does not say “no lesson is late”"),
        ("README.md", "GONE.md", "GONE.md does not say"),
        ("`README.md`: “no lesson is lost”", "everybody", "no text makes it"),
    ],
)  # fmt: skip
def test_of_the_test_a_planted_row_is_found(tree: Path, old: str, new: str, complaint: str) -> None:
    assert old in GOOD
    (found,) = wrong(tree, GOOD.replace(old, new))
    assert complaint in found


def test_of_the_test_a_row_with_too_few_cells_is_no_promise_kept(tree: Path) -> None:
    assert len(wrong(tree, "| Everything will be well |")) == 3
