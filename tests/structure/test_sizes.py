"""Files stay small: a module and a stylesheet up to 400 lines, a template under 100; and each module says what it is for."""

import ast
from pathlib import Path

from devstack.places import ROOT

MAX_MODULE_LINES = 400
MAX_FUNCTION_LINES = 40
MAX_TEMPLATE_LINES = 99
MAX_STYLESHEET_LINES = 400
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "misc", "common"}
MODULES = sorted(
    file for folder in ("lessonadmin", "muxsim", "devstack") for file in (ROOT / folder).rglob("*.py")
)


def test_modules_are_small_and_say_what_they_are_for() -> None:
    found = []
    for file in MODULES:
        text = file.read_text()
        if text.count("\n") > MAX_MODULE_LINES:
            found.append(f"{file.relative_to(ROOT)}: {text.count(chr(10))} lines")
        if text.strip() and ast.get_docstring(ast.parse(text)) is None:
            found.append(f"{file.relative_to(ROOT)}: no docstring")
        if file.stem in FORBIDDEN_NAMES:
            found.append(f"{file.relative_to(ROOT)}: a name that says nothing")
    assert found == []


def test_functions_are_short() -> None:
    found = []
    for file in MODULES:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > MAX_FUNCTION_LINES:
                    found.append(f"{file.relative_to(ROOT)}: {node.name} has {lines} lines")
    assert found == []


def longer_than(lines: int, folder: Path, ending: str) -> list[str]:
    return [
        f"{file.relative_to(folder)}: {count} lines"
        for file in sorted(folder.rglob(f"*{ending}"))
        if (count := file.read_text().count("\n")) > lines
    ]


def test_templates_are_short() -> None:
    assert longer_than(MAX_TEMPLATE_LINES, ROOT / "templates", ".html") == []


def test_stylesheets_are_short() -> None:
    assert longer_than(MAX_STYLESHEET_LINES, ROOT / "lessonadmin" / "static" / "css", ".css") == []


def test_of_the_test_a_long_file_is_found(tmp_path: Path) -> None:
    (tmp_path / "short.css").write_text("a {}\n" * 3)
    (tmp_path / "long.css").write_text("a {}\n" * 4)
    (tmp_path / "long.html").write_text("<p>\n" * 4)
    assert longer_than(3, tmp_path, ".css") == ["long.css: 4 lines"]
