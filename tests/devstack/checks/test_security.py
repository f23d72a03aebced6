"""The check of security finds a planted hole, and takes no excuse that does not name it."""

from pathlib import Path

import pytest

from devstack.checks import security
from devstack.places import ROOT


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("eval(input())", True),
        ("eval(input())  # another rule # nosec B101", True),
        ("eval(input())  # a reason # nosec B307", False),
        ("print(len(input()))", False),
    ],
)
def test_a_planted_hole_is_found(tmp_path: Path, line: str, found: bool) -> None:
    (tmp_path / "planted.py").write_text(f"{line}\n")
    code, said = security.run([str(tmp_path)])
    assert (code, "B307" in said) == (int(found), found), said


def test_all_that_is_delivered_is_read() -> None:
    assert all((ROOT / one).exists() for one in security.CODE)
