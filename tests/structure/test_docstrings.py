"""A docstring or comment of the product that names something in backticks names what exists."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from lessonadmin.config import Settings

ROOT = Path(__file__).parents[2]
PROGRAMS = ("lessonadmin", "muxsim")
IN_BACKTICKS = re.compile(r"`([A-Za-z_][\w.]*\w)(?:\(\))?`")
# Names of other programs, and of messages between programs.
OF_OTHERS = {
    *("column_editable_list", "inline_models", "csrf_token"),  # of Flask-Admin
    *("Forwarded", "Host"),  # headers
    *("messages", "signed"),  # fields and values of Mux's answers
    *(
        "seq",
        "deliveries",
        "age_seconds",
        "spread_seconds",
        "private_key",
    ),  # fields of the simulator's answers
    *("pyproject", "toml"),
}


def _texts(path: Path, source: str) -> Iterator[tuple[str, str]]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            found = ast.get_docstring(node)
            if found:
                yield f"{path}:{getattr(node, 'lineno', 1)}", found
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield f"{path}:{token.start[0]}", token.string


def _written_in(source: str) -> set[str]:
    """The names and the words of strings in a file, without its docstrings and comments."""
    tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    names = {token.string for token in tokens if token.type == tokenize.NAME}
    strings = [
        token.string for token in tokens if token.type == tokenize.STRING and '"""' not in token.string
    ]
    return names | {word for one in strings for word in re.findall(r"\w+", one)}


def _defined_in(path: Path, source: str) -> set[str]:
    """Modules, functions, classes and what stands at the top level of a module or class."""
    found = set(path.with_suffix("").parts)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        if isinstance(node, ast.Module | ast.ClassDef):
            for line in node.body:
                targets = line.targets if isinstance(line, ast.Assign) else [getattr(line, "target", None)]
                found |= {one.id for one in targets if isinstance(one, ast.Name)}
    return found


def unknown_names(sources: dict[Path, str]) -> list[str]:
    settings = {name.upper() for name in Settings.model_fields}
    defined = OF_OTHERS.union(settings, *(_defined_in(path, source) for path, source in sources.items()))
    found = []
    for path, source in sources.items():
        known = defined | _written_in(source)
        for where, text in _texts(path, source):
            for name in IN_BACKTICKS.findall(text):
                if not set(name.split(".")) <= known:
                    found.append(f"{where}: {name}")
    return found


def test_every_name_in_backticks_exists() -> None:
    paths = [path for program in PROGRAMS for path in (ROOT / program).rglob("*.py")]
    assert len(paths) > 200
    assert unknown_names({path.relative_to(ROOT): path.read_text() for path in paths}) == []


@pytest.mark.parametrize(
    "text",
    ['"""Uses `old_name`."""\n', "x = 1  # see `orders.gone`\n", 'def f() -> None:\n    """As `lost`."""\n'],
)
def test_a_name_that_is_gone_is_found(text: str) -> None:
    assert len(unknown_names({Path("shop/orders.py"): text})) == 1


def test_names_of_other_modules_and_of_the_file_itself_are_known() -> None:
    sources = {
        Path(
            "shop/orders.py"
        ): '"""Paid by `bills.pay`, counted in `limit`."""\ndef buy(limit: int) -> None: ...\n',
        Path("shop/bills.py"): "def pay() -> None: ...\n",
    }
    assert unknown_names(sources) == []
