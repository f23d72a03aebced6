"""Reads the documents: what they link to, and which files, functions, tables and words of the product they name.

Nothing of the product is imported: names are read from the syntax trees. What stands in fenced blocks is an example and
is not read, but for the files that pictures name.
"""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from devstack.places import ROOT

SOURCES = ("lessonadmin", "muxsim", "devstack", "bench", "tests")
# A document may leave out where a path or a module lies, as imports in the same package do.
PREFIXES = ("", "lessonadmin", "lessonadmin/domain", "docs")
PATH = re.compile(r"^[A-Za-z_.][\w.*-]*(?:/[\w.*-]*)+$")
DOTTED = re.compile(r"^(?:[A-Za-z_]\w*\.)+[A-Za-z_]\w*(?:\(\))?$")
FILE = re.compile(r"^[\w-]+(?:\.\w+)*\.(?:py|md|html|js|mjs|css|toml|txt|json|yaml)$")


def documents() -> list[Path]:
    """Every document of the repository but the history of changes, which names what is gone."""
    top = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")]
    return [file for file in top if file.exists()] + sorted((ROOT / "docs").rglob("*.md"))


def prose(text: str) -> str:
    return re.sub(r"^(```|~~~).*?^\1", "", text, flags=re.M | re.S)


def named(text: str) -> list[str]:
    """Everything that stands between backticks."""
    return re.findall(r"`([^`\n]+)`", prose(text))


def links(text: str) -> list[str]:
    """Links into the repository, without the place on the page."""
    found = re.findall(r"\]\(([^)\s]+)\)", prose(text))
    return [link.split("#")[0] for link in found if "://" not in link and link.split("#")[0]]


def unknown(text: str) -> list[str]:
    """What a text names and the repository does not have."""
    return [name for name in (*named(text), *drawn(text)) if not _exists(name)]


def drawn(text: str) -> list[str]:
    """The files that stand in its pictures."""
    pictures = re.findall(r"^```mermaid\n(.*?)^```", text, flags=re.M | re.S)
    return [name for picture in pictures for name in re.findall(r"[\w/]+\.py\b", picture)]


def _exists(name: str) -> bool:
    if FILE.match(name):
        return name in _file_names()
    if PATH.match(name):
        return is_path(name) or name in words()
    if DOTTED.match(name):
        return is_defined(name.removesuffix("()")) or name in words()
    return True


def is_path(name: str) -> bool:
    return any(any(ROOT.glob(f"{prefix}/{name.rstrip('/')}".lstrip("/"))) for prefix in PREFIXES)


@cache
def _file_names() -> frozenset[str]:
    folders = (*SOURCES, "docs", "templates", "migrations")
    found = {file.name for folder in folders for file in (ROOT / folder).rglob("*") if file.is_file()}
    return frozenset(found | {file.name for file in ROOT.iterdir()})


def is_defined(name: str) -> bool:
    """`module.name`, `module.Class.name`, `Class.name` or a module, with as much of the packages before it as is said."""
    return name in _definitions()


@cache
def _definitions() -> frozenset[str]:
    found: set[str] = set()
    for dotted, tree in _trees():
        found.update(_endings(dotted))
        for inner in _inside(tree):
            found.update(f"{module}.{inner}" for module in _endings(dotted))
            found.add(inner)
    return frozenset(one for one in found if "." in one)


def _endings(dotted: str) -> Iterator[str]:
    parts = dotted.split(".")
    yield from (".".join(parts[start:]) for start in range(len(parts)))


def _inside(tree: ast.Module) -> Iterator[str]:
    for node in tree.body:
        yield from _bound(node)
        if isinstance(node, ast.ClassDef):
            members = (name for member in node.body for name in _bound(member))
            table = _table(node)
            for member in members:
                yield f"{node.name}.{member}"
                if table:
                    yield f"{table}.{member}"


def _table(node: ast.ClassDef) -> str:
    for one in node.body:
        if isinstance(one, ast.Assign) and ast.unparse(one.targets[0]) == "__tablename__":
            return str(ast.literal_eval(one.value))
    return ""


def _bound(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Assign):
        yield from (target.id for target in node.targets if isinstance(target, ast.Name))
    elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        yield node.target.id
    elif isinstance(node, ast.ImportFrom):  # a package hands on what its modules define
        yield from (one.asname or one.name for one in node.names)


@cache
def _trees() -> list[tuple[str, ast.Module]]:
    found = []
    for folder in SOURCES:
        for file in sorted((ROOT / folder).rglob("*.py")):
            dotted = ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            found.append((dotted, ast.parse(file.read_text())))
    return found


@cache
def words() -> frozenset[str]:
    """The texts that stand in the product: types of events, names of audit rows, routes and the like."""
    return frozenset(
        node.value
        for dotted, tree in _trees()
        if dotted.startswith(("lessonadmin", "muxsim"))
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )
