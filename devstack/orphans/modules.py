"""The Python files of the product: what each one defines, and what the names in it stand for."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

# Folders and files whose definitions must be used. Migrations are run by their own tool and define nothing for others.
PRODUCT = ("lessonadmin", "muxsim", "devstack", "bench")
ENTRY_FILES = ("app.py", "gunicorn.conf.py", "migrations/env.py")
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, order=True)
class Name:
    """A function, class, constant or member: `lessonadmin.db`, `transaction`."""

    module: str
    path: str

    def __str__(self) -> str:
        return f"{self.module}.{self.path}"


@dataclass(frozen=True)
class Definition:
    """Where a name is defined; `owner` is the class of a member."""

    name: Name
    kind: str
    line: int
    parts: tuple[ast.AST, ...]
    owner: Name | None = None
    bases: tuple[ast.expr, ...] = ()


@dataclass
class Module:
    """One file. `imports` are the dotted texts that a name may stand for: two functions may import it differently."""

    name: str
    file: Path
    is_package: bool
    tree: ast.Module
    definitions: dict[str, Definition] = field(default_factory=dict)
    rest: list[ast.AST] = field(default_factory=list)
    imports: dict[str, set[str]] = field(default_factory=dict)

    @property
    def is_entry(self) -> bool:
        """Read by another program: the web server, the migrations' tool."""
        return any(self.file.match(name) for name in ENTRY_FILES)

    @property
    def is_run_by_name(self) -> bool:
        """`bin/bench` runs every module of its folder, and starts some of `bench.workload` in processes of their own; `python -m` runs a package."""
        bench = self.name.startswith("bench.") and self.file.name != "__init__.py"
        return bench or self.file.name == "__main__.py"


def load(root: Path) -> dict[str, Module]:
    """Every module by its dotted name; entry files are loaded too, since they use what others define."""
    return {module.name: module for module in (read(root, file) for file in _files(root))}


def read(root: Path, file: Path) -> Module:
    """One file of the tree."""
    relative = file.relative_to(root).with_suffix("")
    parts = relative.parts[:-1] if relative.name == "__init__" else relative.parts
    tree = ast.parse(file.read_text(), str(file))
    module = Module(".".join(parts), file, relative.name == "__init__", tree)
    _read_imports(module)
    for statement in _statements(tree.body):
        _read_statement(module, statement)
    return module


def _files(root: Path) -> Iterator[Path]:
    for folder in PRODUCT:
        yield from sorted((root / folder).rglob("*.py"))
    for name in ENTRY_FILES:
        if (root / name).is_file():
            yield root / name


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """What a module does at its top, looking into `if` and `try`."""
    for statement in body:
        if isinstance(statement, ast.If) and not _is_main(statement):
            yield from _statements(statement.body)
            yield from _statements(statement.orelse)
        elif isinstance(statement, ast.Try):
            yield from _statements(statement.body)
            for handler in statement.handlers:
                yield from _statements(handler.body)
        else:
            yield statement


def _is_main(statement: ast.If) -> bool:
    return "__main__" in ast.unparse(statement.test)


def _read_statement(module: Module, statement: ast.stmt) -> None:
    if isinstance(statement, Function):
        _define(module, statement.name, "function", statement, (statement,))
    elif isinstance(statement, ast.ClassDef):
        _read_class(module, statement)
    elif constants := assigned(statement):
        for name in constants:
            if not is_dunder(name):
                _define(module, name, "constant", statement, (statement,))
    elif not isinstance(statement, ast.Import | ast.ImportFrom):
        module.rest.append(statement)


def _read_class(module: Module, statement: ast.ClassDef) -> None:
    methods = [item for item in statement.body if isinstance(item, Function)]
    around: tuple[ast.AST, ...] = (
        *statement.decorator_list,
        *statement.bases,
        *statement.keywords,
        *(item for item in statement.body if not isinstance(item, Function)),
    )
    _define(module, statement.name, "class", statement, around)
    module.definitions[statement.name] = replace(
        module.definitions[statement.name], bases=tuple(statement.bases)
    )
    owner = Name(module.name, statement.name)
    for item in statement.body:
        names = [item.name] if isinstance(item, Function) else assigned(item)
        for name in names:
            kind = "method" if item in methods else "field"
            # what a field is made of belongs to the class, which is made with it
            parts = (item,) if item in methods else ()
            _define(module, f"{statement.name}.{name}", kind, item, parts, owner)


def _define(
    module: Module,
    path: str,
    kind: str,
    node: ast.stmt,
    parts: tuple[ast.AST, ...],
    owner: Name | None = None,
) -> None:
    before = module.definitions.get(path)
    if before is not None:
        parts = before.parts + parts
    module.definitions[path] = Definition(Name(module.name, path), kind, node.lineno, parts, owner)


def assigned(statement: ast.AST) -> list[str]:
    """The names that an assignment gives a value to."""
    if isinstance(statement, ast.Assign):
        targets = statement.targets
    elif isinstance(statement, ast.AnnAssign | ast.AugAssign):
        targets = [statement.target]
    else:
        return []
    return [
        node.id
        for target in targets
        for node in ast.walk(target)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    ]


def is_dunder(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


def _read_imports(module: Module) -> None:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                bound = alias.asname or alias.name.split(".")[0]
                stands_for = alias.name if alias.asname else bound
                module.imports.setdefault(bound, set()).add(stands_for)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                base = _absolute(module, node)
                module.imports.setdefault(alias.asname or alias.name, set()).add(f"{base}.{alias.name}")


def _absolute(module: Module, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    here = module.name.split(".")
    up = node.level - (1 if module.is_package else 0)
    base = here[: len(here) - up]
    return ".".join([*base, node.module] if node.module else base)
