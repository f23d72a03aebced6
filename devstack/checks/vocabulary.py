"""Retired words: names, docstrings and comments use the words of `docs/glossary.md`: `python -m devstack.checks.vocabulary`.

Reads Python, tests too, and the comments of templates, scripts and styles. Never reads texts that people see, nor values that rows,
forms and programs hold: those keep the words they were stored with.
"""

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

from devstack import places

FOLDERS = ("lessonadmin", "muxsim", "devstack", "bench", "tests")
# What is said instead, for the message.
RETIRED = {
    "desk": "LockedVideo, worklist",
    "news": "observation",
    "happening": "video event",
    "nudge": "enqueue",
    "postman": "smtp",
    "shelf": "page",
    "wish": "query, options",
    "stumble": "fail",
    "room": "module, package",
    "door": "guard, client",
    "letterhead": "headers",
    "born": "created",
    "house": "stack",
    "patience": "timeout",
    "mending": "fix",
    "somebody": "a role",
    "someone": "a role",
    "nobody": "no + a role",
    "anybody": "any + a role",
    "everybody": "all + a role",
    "whoever": "a role",
    "longest": "max",
    "fewest": "min",
}
PRONOUNS = {"we": "Lessonadmin", "us": "Lessonadmin", "our": "the", "ours": "local"}
# Plurals and endings count too; `bedroom` does not.
WORD = re.compile(r"(?<![a-z])(" + "|".join(RETIRED) + r")(?:s|es|ed|'s|’s)?(?![a-z])")
# Also at the beginning of a sentence; US and UK are places.
PRONOUN = re.compile(
    r"(?<![A-Za-z'’])(" + "|".join([*PRONOUNS, *map(str.capitalize, PRONOUNS)]) + r")(?![A-Za-z])"
)
LIMIT = re.compile(r"^_?(MOST|LONGEST|SHORTEST|LARGEST|FEWEST|LEAST|HIGHEST|DEEPEST)(_|$)")
SCRIPT = re.compile(r"/\*.*?\*/|(?<![:'\"`])//[^\n]*", re.DOTALL)
MARKUP = {
    ".html": re.compile(r"\{#.*?#\}", re.DOTALL),
    ".js": SCRIPT,
    ".mjs": SCRIPT,
    ".css": re.compile(r"/\*.*?\*/", re.DOTALL),
}


def of_text(text: str) -> Iterator[str]:
    """Retired words in a docstring or a comment. What stands in quotes or backticks is quoted, not said."""
    said = re.sub(r"`[^`\n]*`|“[^”]*”|\"[^\"\n]*\"", " ", text)
    yield from (found.group(0) for found in WORD.finditer(said.lower()))
    yield from (found.group(0) for found in PRONOUN.finditer(said))


def of_name(name: str) -> Iterator[str]:
    """Retired words in an identifier: `desk_of`, `OpenDesk`, `MOST_ROWS`."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().split("_")
    yield from (word for word in words if WORD.fullmatch(word))
    if LIMIT.match(name):
        yield name


def _defined(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Every name that the module itself gives; names that it only uses may be a library's."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield node.lineno, node.name
            case ast.Name(ctx=ast.Store()):
                yield node.lineno, node.id
            case ast.arg():
                yield node.lineno, node.arg


def _docstrings(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            text = ast.get_docstring(node, clean=False)
            if text is not None:
                yield node.body[0].lineno, text


def _comments(source: str) -> Iterator[tuple[int, str]]:
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def in_python(source: str) -> Iterator[tuple[int, str]]:
    """Each retired word of a module with its line."""
    tree = ast.parse(source)
    for line, name in _defined(tree):
        yield from ((line, word) for word in of_name(name))
    for line, text in (*_docstrings(tree), *_comments(source)):
        for number, part in enumerate(text.splitlines()):
            yield from ((line + number, word) for word in of_text(part))


def in_markup(source: str, suffix: str) -> Iterator[tuple[int, str]]:
    """The same for the comments of a template, a script or a style sheet."""
    for comment in MARKUP[suffix].finditer(source):
        first = source.count("\n", 0, comment.start()) + 1
        for number, part in enumerate(comment.group(0).splitlines()):
            yield from ((first + number, word) for word in of_text(part))


def files(root: Path) -> Iterator[Path]:
    """What is read: no library, no migration (they are never edited)."""
    for folder in (*FOLDERS, "templates"):
        for file in sorted((root / folder).rglob("*")):
            if file.suffix in {".py", *MARKUP} and "vendor" not in file.parts:
                yield file


def complaints(root: Path) -> Iterator[str]:
    """One line a retired word, with what is said instead."""
    for file in files(root):
        source = file.read_text()
        found = in_python(source) if file.suffix == ".py" else in_markup(source, file.suffix)
        name = file.relative_to(root)
        if any(of_name(file.stem)):
            yield f"{name}: the name of the file"
        for line, word in sorted(found):
            yield f"{name}:{line}: {word}"


def main() -> int:
    """Print them; 1 if there are any."""
    found = list(complaints(places.ROOT))
    for line in found:
        print(line)
    print(f"{len(found)} retired words")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
