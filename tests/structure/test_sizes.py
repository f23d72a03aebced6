"""Rooms stay small: a module under 400 lines, a template under 150, and each module says what it is for."""

import ast

from devstack.places import ROOT

MAX_MODULE_LINES = 400
MAX_FUNCTION_LINES = 40
MAX_TEMPLATE_LINES = 150
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


def test_templates_are_short() -> None:
    found = [
        f"{file.relative_to(ROOT)}: {lines} lines"
        for file in sorted((ROOT / "templates").rglob("*.html"))
        if (lines := file.read_text().count("\n")) > MAX_TEMPLATE_LINES
    ]
    assert found == []
