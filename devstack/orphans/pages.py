"""Templates and their macros: which ones a page of the product can reach."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from jinja2 import Environment, nodes

# The whole of a template; a macro of it is another place.
BODY = ""
Place = tuple[str, str]


@dataclass
class Template:
    """One file: its macros and where the names that it imports come from."""

    name: str
    macros: dict[str, nodes.Macro] = field(default_factory=dict)
    imported: dict[str, Place] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    body: list[nodes.Node] = field(default_factory=list)


class Templates:
    """All templates of one folder. `texts` are the constants of the code: it names templates and macros by text."""

    def __init__(self, folder: Path, texts: Iterable[str]) -> None:
        names = sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file())
        self._texts = set(texts)
        self._all = {name: _read(name, (folder / name).read_text()) for name in names}
        self._alive: set[Place] = set()

    def orphans(self, is_wanted: Callable[[tuple[str, str]], bool]) -> Iterator[tuple[str, str]]:
        """Kind and name of each template and macro that no page reaches; one that is wanted reaches others."""
        for name in self._all:
            if name in self._texts:
                self._wake((name, BODY))
        wanted = [orphan for orphan in self._unreached() if is_wanted(orphan)]
        for _, name in wanted:
            file, _, macro = name.partition(":")
            self._wake((file, macro))
        yield from wanted
        yield from self._unreached()

    def _unreached(self) -> Iterator[tuple[str, str]]:
        for name, template in self._all.items():
            if (name, BODY) not in self._alive:
                yield "template", name
                continue
            for macro in template.macros:
                if (name, macro) not in self._alive:
                    yield "macro", f"{name}:{macro}"

    def _wake(self, place: Place) -> None:
        name, macro = place
        if place in self._alive or name not in self._all:
            return
        if macro != BODY and macro not in self._all[name].macros:
            return
        self._alive.add(place)
        template = self._all[name]
        roots = template.body if macro == BODY else [template.macros[macro]]
        for root in roots:
            for node in _with_itself(root):
                for target in self._targets(template, node):
                    self._wake(target)
        if macro == BODY:
            for one in template.macros:
                if one in self._texts:  # the code calls it: cell("lesson_state", ...)
                    self._wake((name, one))

    def _targets(self, template: Template, node: nodes.Node) -> Iterator[Place]:
        if isinstance(node, nodes.Const) and isinstance(node.value, str):
            yield (node.value, BODY)
        elif isinstance(node, nodes.Name) and node.ctx == "load":
            yield template.imported.get(node.name, (template.name, node.name))
        elif isinstance(node, nodes.Getattr) and isinstance(node.node, nodes.Name):
            yield (template.files.get(node.node.name, ""), node.attr)


def _with_itself(node: nodes.Node) -> Iterator[nodes.Node]:
    """A node and what is in it; the bodies of macros are places of their own."""
    yield node
    for child in node.iter_child_nodes():
        if not isinstance(child, nodes.Macro):
            yield from _with_itself(child)


def _read(name: str, text: str) -> Template:
    tree = Environment(autoescape=True, extensions=["jinja2.ext.do"]).parse(text)
    template = Template(name, body=[tree])
    template.macros = {node.name: node for node in tree.find_all(nodes.Macro)}
    for taken in tree.find_all(nodes.FromImport):
        if isinstance(taken.template, nodes.Const):
            pairs = [(one, one) if isinstance(one, str) else one for one in taken.names]
            template.imported |= {alias: (taken.template.value, origin) for origin, alias in pairs}
    for whole in tree.find_all(nodes.Import):
        if isinstance(whole.template, nodes.Const):
            template.files[whole.target] = whole.template.value
    return template


def without_comments(text: str) -> str:
    """A template as it is sent."""
    return re.sub(r"\{#.*?#\}", "", text, flags=re.DOTALL)
