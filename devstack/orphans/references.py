"""What a piece of code refers to: names of other modules, resolved through the imports; attributes; texts."""

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from devstack.orphans.modules import Function, Module, Name


@dataclass
class References:
    """`names` are resolved, `attributes` are read from something whose class is not known, `keywords` are given in calls,
    `texts` are constants, `modules` are handed over as they are."""

    names: set[Name] = field(default_factory=set)
    modules: set[str] = field(default_factory=set)
    keywords: set[str] = field(default_factory=set)
    attributes: set[str] = field(default_factory=set)
    texts: set[str] = field(default_factory=set)


class Resolver:
    """Dotted texts to definitions, through packages that only pass a name on."""

    def __init__(self, modules: Mapping[str, Module]) -> None:
        self._modules = modules

    def find(self, dotted: str, seen: frozenset[str] = frozenset()) -> Iterator[tuple[Name | str, list[str]]]:
        """The definitions and modules that this text may stand for, each with what is left: attributes of it."""
        if dotted in seen:
            return
        parts = dotted.split(".")
        for cut in range(len(parts), 0, -1):
            module = self._modules.get(".".join(parts[:cut]))
            if module is None:
                continue
            left = parts[cut:]
            if not left:
                yield module.name, []
            elif left[0] in module.definitions:
                yield Name(module.name, left[0]), left[1:]
            else:
                for target in module.imports.get(left[0], ()):
                    yield from self.find(".".join([target, *left[1:]]), seen | {dotted})
            return

    def of_name(self, module: Module, name: str) -> Iterator[str]:
        """The dotted texts that a bare name of this module stands for."""
        if name in module.definitions:
            yield f"{module.name}.{name}"
        yield from module.imports.get(name, ())


class Collector(ast.NodeVisitor):
    """Walks a piece of code of one module; a name that is a local variable there refers to nothing outside."""

    def __init__(self, module: Module, resolver: Resolver) -> None:
        self._module = module
        self._resolver = resolver
        self._locals: list[set[str]] = []
        self.found = References()

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            self._refer(node.id, [])

    def visit_Attribute(self, node: ast.Attribute) -> None:
        chain: list[str] = [node.attr]
        value = node.value
        while isinstance(value, ast.Attribute):
            chain.insert(0, value.attr)
            value = value.value
        if isinstance(value, ast.Name):
            if not isinstance(node.ctx, ast.Load):
                chain = chain[:-1]
            self._refer(value.id, chain)
            return
        if isinstance(node.ctx, ast.Load):
            self.found.attributes.add(node.attr)
        self.visit(node.value)

    def _refer(self, name: str, chain: list[str]) -> None:
        texts = [] if self._is_local(name) else list(self._resolver.of_name(self._module, name))
        resolved = [found for text in texts for found in self._resolver.find(".".join([text, *chain]))]
        for found, left in resolved:
            if isinstance(found, Name):
                self.found.names.add(found)
            else:
                self.found.modules.add(found)
            self.found.attributes.update(left)
        if not resolved:
            self.found.attributes.update(chain)

    def _is_local(self, name: str) -> bool:
        return any(name in names for names in self._locals)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str):
            self.found.texts.add(node.value)
            self.found.names |= {
                found for found, _ in self._resolver.find(node.value) if isinstance(found, Name)
            }

    def visit_keyword(self, node: ast.keyword) -> None:
        self.found.keywords.add(node.arg or "")
        self.visit(node.value)

    def visit_FunctionDef(self, node: Function) -> None:
        for part in (*node.decorator_list, *node.args.defaults, *node.args.kw_defaults):
            if part is not None:
                self.visit(part)
        for argument in _arguments(node.args):
            self._annotation(argument.annotation)
        self._annotation(node.returns)
        self._inside(node.args, node.body)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self.visit_FunctionDef(node)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        for part in (*node.args.defaults, *node.args.kw_defaults):
            if part is not None:
                self.visit(part)
        self._inside(node.args, [node.body])

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self._annotation(node.annotation)
        if node.value is not None:
            self.visit(node.value)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self.visit(node.target)
        self.visit(node.value)

    def generic_visit(self, node: ast.AST) -> None:
        # what a comprehension names is its own, in all its parts
        names = {
            child.id
            for generator in getattr(node, "generators", [])
            for child in ast.walk(generator.target)
            if isinstance(child, ast.Name)
        }
        self._locals.append(names)
        super().generic_visit(node)
        self._locals.pop()

    def _annotation(self, node: ast.expr | None) -> None:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            self.visit(ast.parse(node.value, mode="eval").body)
        elif node is not None:
            self.visit(node)

    def _inside(self, arguments: ast.arguments, body: Iterable[ast.AST]) -> None:
        names = {argument.arg for argument in _arguments(arguments)}
        shared: set[str] = set()
        for part in body:
            for child in _own_nodes(part):
                if isinstance(child, ast.Name) and isinstance(child.ctx, ast.Store):
                    names.add(child.id)
                elif isinstance(child, Function | ast.ClassDef):
                    names.add(child.name)
                elif isinstance(child, ast.Global | ast.Nonlocal):
                    shared.update(child.names)
        self._locals.append(names - shared)
        for part in body:
            if not _is_docstring(part):
                self.visit(part)
        self._locals.pop()


def _own_nodes(part: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a function's own scope: not those of functions, lambdas and comprehensions inside it."""
    yield part
    inner = (
        Function | ast.Lambda | ast.ClassDef | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
    )
    if isinstance(part, inner):
        return
    for child in ast.iter_child_nodes(part):
        yield from _own_nodes(child)


def _arguments(arguments: ast.arguments) -> list[ast.arg]:
    given = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    return given + [one for one in (arguments.vararg, arguments.kwarg) if one is not None]


def _is_docstring(part: ast.AST) -> bool:
    return isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant)


def collect(module: Module, resolver: Resolver, parts: Iterable[ast.AST]) -> References:
    """Everything that these pieces of one module refer to."""
    collector = Collector(module, resolver)
    for part in parts:
        if not _is_docstring(part):
            collector.visit(part)
    return collector.found
