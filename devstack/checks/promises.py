"""Reads `docs/promises.md` and says what is wrong with it: promises that nothing keeps, proves, or makes any more.

`python -m devstack.checks.promises`. Files are read only; nothing of the product is run.
"""

import ast
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from devstack import places
from devstack.orphans import modules
from devstack.orphans.modules import Function, Module, Name
from devstack.orphans.references import Resolver, collect

# Folders of tests that drive the running product, and how.
DRIVING = {
    "flows": "the Procfile's processes, with parts of them lost on the way",
    "contract": "the Procfile's processes over HTTP, commands and SQL",
    "chaos": "processes that are killed",
    "browser": "a real browser on real processes",
    "shell": "a real browser on a real server",
    "operate": "what an operator does, with the programs an operator uses",
    "cli": "the commands",
    "devstack": "the commands of bin/",
    "muxsim": "the simulator over HTTP",
}
HEAD = "| promise | said in | kept by | proved by |"
QUOTE = re.compile(r"`([^`]+)`: “([^”]+)”")
CODE = re.compile(r"`([^`]+)`")


@dataclass(frozen=True)
class Promise:
    """One row: what is promised, `said` as (file, words), who keeps it, and the tests that prove it."""

    line: int
    text: str
    said: tuple[tuple[str, str], ...]
    keepers: tuple[str, ...]
    tests: tuple[str, ...]


def read(text: str) -> list[Promise]:
    """Every row of every table that has the head of a table of promises."""
    found, inside = [], False
    for number, line in enumerate(text.splitlines(), 1):
        if line == HEAD:
            inside = True
        elif not line.startswith("|"):
            inside = False
        elif inside and not set(line) <= set("|- "):
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            promise, said, kept, proved = (*cells, "", "", "", "")[:4]
            found.append(
                Promise(
                    number,
                    promise,
                    tuple(QUOTE.findall(said)),
                    tuple(CODE.findall(kept)),
                    tuple(CODE.findall(proved)),
                )
            )
    return found


class Ledger:
    """What the rows are held against: the files, the product's names, the tests."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._known = modules.load(root)
        self._tests: dict[str, Module] = {}

    def complaints(self, promises: list[Promise]) -> list[str]:
        """One sentence for each thing that is wrong."""
        return [
            f"line {one.line}, {one.text!r}: {wrong}" for one in promises for wrong in self._wrong_with(one)
        ]

    def _wrong_with(self, promise: Promise) -> Iterator[str]:
        if not promise.said:
            yield "no text makes it"
        for file, words in promise.said:
            if not self._says(file, words):
                yield f"{file} does not say “{words}”"
        if not promise.keepers:
            yield "nothing keeps it"
        keepers = {keeper: self._find(keeper) for keeper in promise.keepers}
        yield from (f"{keeper} is not there" for keeper, found in keepers.items() if found is None)
        if not promise.tests:
            yield "no test proves it"
        for test in promise.tests:
            yield from self._wrong_with_test(
                test, {found for found in keepers.values() if isinstance(found, Name)}
            )

    def _says(self, file: str, words: str) -> bool:
        path = self._root / file
        return path.is_file() and _plain(words) in _plain(path.read_text())

    def _find(self, keeper: str) -> Name | Path | None:
        """A name of the product (`lessonadmin.` may be left out), or a file that is no Python."""
        if "/" in keeper:
            return self._root / keeper if (self._root / keeper).is_file() else None
        for dotted in (keeper, f"lessonadmin.{keeper}"):
            module, _, path = dotted.rpartition(".")
            for name, inner in (
                (module, path),
                (module.rpartition(".")[0], f"{module.rpartition('.')[2]}.{path}"),
            ):
                if name in self._known and inner in self._known[name].definitions:
                    return Name(name, inner)
        return None

    def _wrong_with_test(self, test: str, keepers: set[Name]) -> Iterator[str]:
        file, _, name = test.partition("::")
        if file.partition("/")[0] not in DRIVING:
            yield f"{test} does not drive the running product"
            return
        path = self._root / "tests" / file
        if not path.is_file():
            yield f"{file} is not there"
            return
        module = self._tests.setdefault(file, modules.read(self._root, path))
        definition = module.definitions.get(name)
        if definition is None or definition.kind != "function" or not name.startswith("test"):
            yield f"{test} is not there"
            return
        for keeper in sorted(keepers & _called(module, name, self._known)):
            yield f"{test} calls {keeper} itself, which proves nothing about the product"


def _plain(text: str) -> str:
    return " ".join(re.sub(r"[`*]", "", text).split())


def _called(module: Module, test: str, known: Mapping[str, Module]) -> set[Name]:
    """What a test refers to: itself, and through the helpers and fixtures of its file."""
    resolver = Resolver({**known, module.name: module})
    found: set[Name] = set()
    waiting, seen = [test], set()
    while waiting:
        name = waiting.pop()
        if name in seen or name not in module.definitions:
            continue
        seen.add(name)
        parts = module.definitions[name].parts
        names = collect(module, resolver, parts).names
        found |= names
        waiting += [one.path for one in names if one.module == module.name]
        waiting += [
            argument.arg for part in parts if isinstance(part, Function) for argument in _arguments(part)
        ]
    return found


def _arguments(function: Function) -> list[ast.arg]:
    return [*function.args.args, *function.args.kwonlyargs]


def main() -> int:
    promises = read((places.ROOT / "docs" / "promises.md").read_text())
    complaints = Ledger(places.ROOT).complaints(promises)
    for line in complaints:
        print(line)
    print(f"{len(promises)} promises, {len(complaints)} complaints")
    return 1 if complaints or not promises else 0


if __name__ == "__main__":
    sys.exit(main())
