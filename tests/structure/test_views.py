"""Views and the pages of the panel ask the domain: no query of their own, and nothing of the session but taking back what failed."""

import ast
from pathlib import Path

import pytest

from devstack.places import ROOT

VIEWS = ROOT / "lessonadmin" / "views"
PANEL = ROOT / "lessonadmin" / "admin"


def queries_in(source: str) -> list[int]:
    """The lines that make a query or use the session for anything but `rollback`."""
    tree = ast.parse(source)
    return [
        node.lineno
        for node in ast.walk(tree)
        if (isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == "select")
        or (
            isinstance(node, ast.Attribute)
            and node.attr != "rollback"
            and ast.unparse(node.value).endswith("db.session")
        )
    ]


@pytest.mark.parametrize(("folder", "at_least"), [(VIEWS, 20), (PANEL, 25)])
def test_no_view_makes_a_query(folder: Path, at_least: int) -> None:
    files = sorted(folder.rglob("*.py"))
    assert len(files) > at_least
    found = {
        str(file.relative_to(folder)): lines for file in files if (lines := queries_in(file.read_text()))
    }
    assert found == {}


@pytest.mark.parametrize(
    "planted",
    [
        "db.session.scalar(select(User.id))",
        "rows = sa.select(Lesson)",
        "lesson = db.session.get(Lesson, lesson_id)",
        "db.session.execute(text('SELECT 1'))",
    ],
)
def test_a_planted_query_is_found(planted: str) -> None:
    source = (VIEWS / "home.py").read_text()
    assert queries_in(source) == []
    assert queries_in(f"{source}\n\ndef planted() -> None:\n    {planted}\n")
