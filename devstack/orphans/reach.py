"""Everything that can be reached from the entries of the product; what is left is an orphan.

Entries are what a module does when it is imported, what a decorator hands to a framework (routes, commands, calls of the
API, fixtures), hooks of pytest, and members that a class of a library asks for by name.
"""

import ast
import importlib
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache

from devstack.orphans.modules import Definition, Function, Module, Name
from devstack.orphans.references import References, Resolver, collect

# Decorators that hand a function to a framework, which will call it. `object.get` of a blueprint is one, `click.command` is
# not: a command that no group takes in is an orphan.
METHODS_THAT_REGISTER = {
    "get", "post", "put", "patch", "delete", "route", "errorhandler", "before_request", "after_request",
    "teardown_request", "teardown_appcontext", "context_processor", "command", "group", "setter", "validator",
    "template_filter", "template_global", "expression",
}  # fmt: skip
FUNCTIONS_THAT_REGISTER = {
    "endpoint", "expose", "action", "listens_for", "fixture", "hookimpl", "field_validator", "model_validator",
    "field_serializer", "model_serializer", "declared_attr",
}  # fmt: skip
# Tables of names are no use of what they name.
TABLES = {
    Name("lessonadmin.redis_queue.job_list", "JOBS"),
    Name("lessonadmin.redis_queue.job_list", "LONG_JOBS"),
}
IDENTIFIER = re.compile(r"[A-Za-z_]\w*")


class Reach:
    """What is alive, found from the entries outwards."""

    def __init__(self, modules: Mapping[str, Module], elsewhere: str) -> None:
        """`elsewhere` is the text of templates and start scripts, which name attributes and modules."""
        self._modules = modules
        self._resolver = Resolver(modules)
        self._definitions = {
            definition.name: definition
            for module in modules.values()
            for definition in module.definitions.values()
        }
        self._members: dict[Name, list[Definition]] = {}
        for definition in self._definitions.values():
            if definition.owner is not None:
                self._members.setdefault(definition.owner, []).append(definition)
        self._heirs: dict[Name, list[Name]] = {}
        for definition in self._definitions.values():
            if definition.kind == "class":
                for base, _ in self._bases(definition.name):
                    if base is not None:
                        self._heirs.setdefault(base, []).append(definition.name)
        self._alive: set[Name] = set()
        self._read = set(re.findall(r"[.'\"](\w+)", elsewhere))
        self._given: set[str] = set()
        self._queue: deque[Name] = deque()

    def orphans(self, is_wanted: Callable[[Definition], bool]) -> Iterator[Definition]:
        """Every definition that nothing reaches; of a class that nothing reaches, only the class.

        One that is wanted is told like the others, and what it needs is then no orphan."""
        self._start()
        self._spread()
        while wanted := [definition for definition in self._unreached() if is_wanted(definition)]:
            for definition in wanted:
                yield definition
                self._wake(definition.name)
            self._spread()
        yield from self._unreached()

    def _unreached(self) -> Iterator[Definition]:
        for name, definition in sorted(self._definitions.items()):
            is_of_orphan = definition.owner is not None and definition.owner not in self._alive
            if name not in self._alive and not is_of_orphan:
                yield definition

    def _spread(self) -> None:
        while self._queue:
            while self._queue:
                self._take_in(self._references(self._definitions[self._queue.popleft()]))
            for members in [self._members.get(name, []) for name in list(self._alive)]:
                for member in members:
                    if self._is_asked_for(member):
                        self._wake(member.name)

    def _start(self) -> None:
        for module in self._modules.values():
            self._take_in(collect(module, self._resolver, module.rest))
            for definition in module.definitions.values():
                if self._is_entry(module, definition):
                    self._wake(definition.name)

    def _is_entry(self, module: Module, definition: Definition) -> bool:
        if module.is_entry or definition.name.path.startswith("pytest_"):
            return True
        if definition.name.path == "main" and module.is_run_by_name:
            return True
        return any(
            _registers(decorator)
            for part in definition.parts
            if isinstance(part, Function)
            for decorator in part.decorator_list
        )

    def _references(self, definition: Definition) -> References:
        if definition.name in TABLES:
            return References()
        module = self._modules[definition.name.module]
        return collect(module, self._resolver, definition.parts)

    def _take_in(self, found: References) -> None:
        for name in found.names:
            self._wake(name)
        for module in found.modules:  # handed over whole: `for room in (people, events): room.init_app(app)`
            for attribute in found.attributes & self._modules[module].definitions.keys():
                self._wake(Name(module, attribute))
        self._read |= found.attributes
        self._given |= found.keywords
        for text in found.texts:
            self._read.update(IDENTIFIER.findall(text) if _is_statement(text) else [text])

    def _wake(self, name: Name) -> None:
        if name not in self._alive:
            self._alive.add(name)
            self._queue.append(name)

    def _is_asked_for(self, member: Definition) -> bool:
        if member.name in self._alive or member.owner is None:
            return False
        name = member.name.path.rpartition(".")[2]
        if name in self._read or (name.startswith("_") and name.endswith("_")):
            return True
        family = [member.owner, *self._heirs.get(member.owner, [])]
        libraries = {library for one in family for library in self._libraries(one)}
        # what a model of pydantic is given goes out as JSON
        goes_out = "pydantic.BaseModel" in libraries and name in self._given
        visits = "ast.NodeVisitor" in libraries and name.startswith("visit_")
        return goes_out or visits or any(name in names_of(library) for library in libraries)

    def _libraries(self, owner: Name, seen: frozenset[Name] = frozenset()) -> Iterator[str]:
        """The classes of libraries from which this one descends, as dotted texts."""
        for base, dotted in self._bases(owner):
            if base is None:
                yield dotted
            elif base not in seen:
                yield from self._libraries(base, seen | {owner})

    def _bases(self, owner: Name) -> Iterator[tuple[Name | None, str]]:
        module = self._modules[owner.module]
        for base in self._definitions[owner].bases:
            name, _, rest = ast.unparse(base).split("[")[0].partition(".")
            for target in self._resolver.of_name(module, name):
                dotted = f"{target}.{rest}" if rest else target
                ours = [found for found, _ in self._resolver.find(dotted) if isinstance(found, Name)]
                yield from ((found, dotted) for found in ours)
                if not ours:
                    yield None, dotted


def _registers(decorator: ast.expr) -> bool:
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    if isinstance(called, ast.Attribute):
        owner = ast.unparse(called.value)
        if owner in ("click", "pytest", "event"):
            return called.attr in FUNCTIONS_THAT_REGISTER
        return called.attr in METHODS_THAT_REGISTER
    return isinstance(called, ast.Name) and called.id in FUNCTIONS_THAT_REGISTER


def _is_statement(text: str) -> bool:
    """SQL names columns, and a list of columns for a form may be one text."""
    return bool(re.search(r"\b(SELECT|INSERT|UPDATE|DELETE|WHERE|FROM|SET)\b", text))


@cache
def names_of(dotted: str) -> frozenset[str]:
    """The names that a class of a library has; none if there is no such class."""
    module, _, name = dotted.rpartition(".")
    try:
        return frozenset(dir(getattr(importlib.import_module(module), name)))
    except (ImportError, AttributeError, ValueError):
        return frozenset()


def unreached_modules(modules: Mapping[str, Module], scripts: str) -> Iterator[Module]:
    """Modules that nothing imports and no script or text of the code names."""
    named = {scripts}
    for module in modules.values():
        named |= {target for targets in module.imports.values() for target in targets}
        named |= {
            node.value
            for node in ast.walk(module.tree)
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and "." in node.value
        }
    everything = "\n".join(sorted(named))
    for name, module in modules.items():
        started_by = name.replace("devstack.commands.", "devstack.setup ")
        asked = re.search(rf"(?<![\w.])({re.escape(name)}|{re.escape(started_by)})(?!\w)", everything)
        if not asked and not (module.is_entry or module.is_package or module.is_run_by_name):
            yield module


def jobs(modules: Mapping[str, Module]) -> set[str]:
    """The names that stand in the tables of jobs."""
    parts = [
        part
        for table in TABLES
        if table.module in modules and table.path in modules[table.module].definitions
        for part in modules[table.module].definitions[table.path].parts
    ]
    return {text for part in parts for text in _texts(part) if "." in text}


def texts_of(modules: Iterable[Module]) -> set[str]:
    """Every constant text of these modules, docstrings aside."""
    return {text for module in modules for text in _texts(module.tree)}


def _texts(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        for child in ast.iter_child_nodes(node):
            if (
                isinstance(child, ast.Constant)
                and isinstance(child.value, str)
                and not isinstance(node, ast.Expr)
            ):
                yield child.value
