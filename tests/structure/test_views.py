"""Views and the pages of the panel ask the domain: no query of their own, nothing of the session but taking back what failed, and in
a transaction one call of the domain on each way through it."""

import ast
from collections.abc import Sequence
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


class Transactions:
    """How many functions of the domain a module calls in each of its transactions.

    Of two ways through a transaction the longer one counts. A function of the same module counts with what it calls; a class
    such as `Changes(...)` or `Actor.user` does nothing and does not count.
    """

    def __init__(self, source: str) -> None:
        self._tree = ast.parse(source)
        self._domain = {
            alias.asname or alias.name
            for node in ast.walk(self._tree)
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("lessonadmin.domain")
            for alias in node.names
        }
        self._own = {node.name: node for node in self._tree.body if isinstance(node, ast.FunctionDef)}

    def with_calls(self) -> dict[int, int]:
        """The line of each transaction, and its calls."""
        return {
            node.lineno: self._of_all(node.body)
            for node in ast.walk(self._tree)
            if isinstance(node, ast.With)
            and any(ast.unparse(item.context_expr).startswith("transaction(") for item in node.items)
        }

    def _of_all(self, statements: Sequence[ast.stmt]) -> int:
        if not statements:
            return 0
        first, rest = statements[0], statements[1:]
        if not isinstance(first, ast.If):
            return self._of(first) + self._of_all(rest)
        leaves = isinstance(first.body[-1], ast.Return | ast.Raise)
        taken = self._of_all(first.body) + (0 if leaves else self._of_all(rest))
        return self._of(first.test) + max(taken, self._of_all(first.orelse) + self._of_all(rest))

    def _of(self, node: ast.AST) -> int:
        return sum(self._of_call(one) for one in ast.walk(node) if isinstance(one, ast.Call))

    def _of_call(self, call: ast.Call) -> int:
        name = ast.unparse(call.func)
        if name in self._own:
            return self._of_all(self._own[name].body)
        first, last = name.partition(".")[0], name.rpartition(".")[2]
        return int(first in self._domain and not first[0].isupper() and not last[0].isupper())


def test_a_transaction_of_a_view_calls_one_function_of_the_domain() -> None:
    files = sorted([*VIEWS.rglob("*.py"), *PANEL.rglob("*.py")])
    found = {
        f"{file.relative_to(ROOT)}:{line}": calls
        for file in files
        for line, calls in Transactions(file.read_text()).with_calls().items()
    }
    assert len(found) > 25
    assert {place: calls for place, calls in found.items() if calls > 1} == {}
    assert sum(found.values()) > 25


@pytest.mark.parametrize(
    ("body", "calls"),
    [
        ("lessons.delete(user, lesson_id)", 1),
        ("lesson = lessons.edit(user, lesson_id, Changes(title='New'))", 1),
        ("removal.clear_video(locking.lock_video_of(owner))", 2),
        ("if ready:\n        lessons.publish(one)\n    else:\n        lessons.unpublish(one)", 1),
        ("if ready:\n        return lessons.publish(one)\n    lessons.unpublish(one)", 1),
        ("if ready:\n        lessons.publish(one)\n    lessons.unpublish(one)", 2),
        ("both()", 2),
    ],
)
def test_of_the_test_calls_in_a_transaction_are_counted(body: str, calls: int) -> None:
    source = f"""
from lessonadmin.domain.lessons import lessons
from lessonadmin.domain.lessons.lessons import Changes
from lessonadmin.domain.videos import locking, removal

def both():
    lessons.publish(one)
    lessons.unpublish(one)

with transaction(auth.current_actor()):
    {body}
"""
    assert list(Transactions(source).with_calls().values()) == [calls]
