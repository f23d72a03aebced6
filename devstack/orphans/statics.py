"""Style sheets, scripts and icons: the classes, properties, functions, behaviours and pictures that no page names.

Names that are put together (`button--{{ kind }}`) count as used where the second half stands as a word of its own.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from devstack.orphans.pages import without_comments

WORD = re.compile(r"-{0,2}[A-Za-z][\w-]*|\d+")
LITERAL = re.compile(r""""((?:[^"\\\n]|\\.)*)"|'((?:[^'\\\n]|\\.)*)'|`((?:[^`\\]|\\.)*)`""")
EXPRESSION = re.compile(r"\{\{(.*?)\}\}|\{%(.*?)%\}", re.DOTALL)
EXPORT = re.compile(
    r"^export\s+(default\b)?\s*(?:async\s+)?(?:function\*?|const|let|class)\s+(\w+)", re.MULTILINE
)
IMPORT = re.compile(r"""import\s+(?:(\w+)\s*,?\s*)?(?:\{([^}]*)\})?\s*from\s+["']([^"']+)["']""")
# Attributes that are there for tests of a page, not for its scripts.
FOR_OTHERS = {"data-testid"}


@dataclass
class Words:
    """What templates, scripts and code say that may be a class, an icon, or the half of one."""

    whole: set[str] = field(default_factory=set)
    beginnings: set[str] = field(default_factory=set)

    def add(self, text: str) -> None:
        self.beginnings.update(re.findall(r"([A-Za-z][\w-]*--?)(?=\{\{|\$\{|$)", text))
        self.whole.update(WORD.findall(text))

    def say(self, name: str) -> bool:
        """Is this name said whole, or in two halves?"""
        if name in self.whole:
            return True
        return any(
            name.startswith(beginning)
            and (name[len(beginning) :] in self.whole or name[len(beginning) :].isdigit())
            for beginning in self.beginnings
        )


class Statics:
    """The static files of one program, with the templates and the code that name them."""

    def __init__(self, folder: Path, templates: Path, texts: Iterable[str]) -> None:
        files = sorted(file for file in folder.rglob("*") if file.is_file() and "vendor" not in file.parts)
        self._folder = folder
        self._texts = set(texts)
        self._css = {self._name(file): _css(file.read_text()) for file in files if file.suffix == ".css"}
        self._js = {self._name(file): _js(file.read_text()) for file in files if file.suffix == ".js"}
        self._svg = {self._name(file): file.read_text() for file in files if file.suffix == ".svg"}
        self._files = [self._name(file) for file in files]
        self._pages = [
            without_comments(file.read_text()) for file in sorted(templates.rglob("*")) if file.is_file()
        ]
        self._words = self._gather()

    def _name(self, file: Path) -> str:
        return str(file.relative_to(self._folder))

    def _gather(self) -> Words:
        words = Words()
        for page in self._pages:
            for attribute in re.findall(r'(?:class|data-js|id)="([^"]*)"', page):
                words.add(attribute)
            for expression in EXPRESSION.findall(page):
                for text in _literals("".join(expression)):
                    words.add(text)
        for script in self._js.values():
            for text in _literals(script):
                words.add(text)
        for text in self._texts:
            if len(text.split()) <= 5 or "class=" in text:
                words.add(text)
        return words

    def orphans(self) -> Iterator[tuple[str, str]]:
        """Kind and name of each part that nothing names."""
        yield from self._unused_files()
        for file, text in self._css.items():
            yield from (
                ("CSS class", f"{file}:{name}") for name in _classes(text) if not self._words.say(name)
            )
            yield from (("CSS property", f"{file}:{name}") for name in self._unread_properties(text))
        yield from self._unused_exports()
        for file, text in self._svg.items():
            for icon in re.findall(r'<symbol id="([\w-]+)"', text):
                if not self._words.say(icon):
                    yield "icon", f"{file}:{icon}"
        yield from (("data attribute", name) for name in self._unread_attributes())

    def _unread_properties(self, text: str) -> Iterator[str]:
        everything = "\n".join([*self._css.values(), *self._js.values(), *self._pages])
        for name in sorted(set(re.findall(r"(?<![\w-])(--[\w-]+)\s*:", text))):
            if not re.search(rf"var\(\s*{name}\b(?!-)", everything):
                yield name

    def _unused_files(self) -> Iterator[tuple[str, str]]:
        named = "\n".join([*self._pages, *self._css.values(), *self._texts])
        imported = {found for file, text in self._js.items() for found in self._imports(file, text)}
        behaviours = set(self._behaviours())
        for name in self._files:
            if Path(name).parent.name == "behaviours":
                if Path(name).stem not in behaviours:
                    yield "behaviour", name
            elif name not in imported and not self._is_named(name, named):
                yield "static file", name

    def _is_named(self, name: str, texts: str) -> bool:
        """Whole, or put together: `asset('css/' ~ sheet ~ '.css')`."""
        file = Path(name)
        if re.search(rf"(?<![\w-]){re.escape(file.name)}(?!\w)", texts):
            return True
        halves = f"'{file.parent}/' ~" in texts and f"~ '{file.suffix}'" in texts
        return halves and file.stem in self._words.whole

    def _behaviours(self) -> Iterator[str]:
        asked = re.compile(r"""(?:data-js|dataset\.js)["']?\s*[:=]\s*["'`]([^"'`]*)""")
        for text in (*self._pages, *self._js.values(), *self._texts):
            for names in asked.findall(text):
                yield from WORD.findall(names)

    def _imports(self, file: str, text: str) -> dict[str, set[str]]:
        """The files that this script imports, each with the names that it takes from there."""
        found: dict[str, set[str]] = {}
        for default, names, source in IMPORT.findall(text):
            base = (self._folder / file).parent / source
            target = (
                str(base.resolve().relative_to(self._folder.resolve())) if source.startswith(".") else source
            )
            taken = {name.strip().split(" as ")[0].strip() for name in names.split(",") if name.strip()}
            found.setdefault(target, set()).update(taken | ({"default"} if default else set()))
        for source in re.findall(r"""import\s*\(?\s*["'](\.[^"']+)["']""", text):
            target = str(
                ((self._folder / file).parent / source).resolve().relative_to(self._folder.resolve())
            )
            found.setdefault(target, set())
        return found

    def _unused_exports(self) -> Iterator[tuple[str, str]]:
        taken: dict[str, set[str]] = {}
        for file, text in self._js.items():
            for target, names in self._imports(file, text).items():
                taken.setdefault(target, set()).update(names)
        for file, text in self._js.items():
            for default, name in EXPORT.findall(text):
                loaded = Path(file).parent.name == "behaviours" and default  # app.js takes it by its file
                if not loaded and ("default" if default else name) not in taken.get(file, set()):
                    yield "export", f"{file}:{name}"

    def _unread_attributes(self) -> Iterator[str]:
        readers = "\n".join([*self._js.values(), *self._css.values()])
        written = {
            name for page in self._pages for name in re.findall(r"(?<![\w-])(data-[a-z][a-z-]*)", page)
        }
        for name in sorted(written - FOR_OTHERS):
            first, *rest = name.removeprefix("data-").split("-")
            camel = first + "".join(part.capitalize() for part in rest)
            handed_on = rf"\b(?:data|detail)\.{camel}\b|\{{[^{{}}]*\b{camel}\b[^{{}}]*\}}\s*[=)]"
            if not re.search(
                rf"\[{name}\b(?!-)|dataset\.{camel}\b|[\"']{name}[\"']|{handed_on}", readers
            ) and not re.search(rf"\"{camel}\" in [^;]*dataset", readers):
                yield name


def _literals(text: str) -> Iterator[str]:
    for found in LITERAL.findall(text):
        yield next((one for one in found if one), "")


def _classes(text: str) -> list[str]:
    """The classes that selectors of a style sheet name."""
    selectors = " ".join(re.findall(r"([^{};]*)\{", text))
    return sorted(set(re.findall(r"\.(-?[A-Za-z_][\w-]*)", selectors)))


def _css(text: str) -> str:
    return re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)


def _js(text: str) -> str:
    whole_lines = re.sub(r"^\s*//.*$", "", _css(text), flags=re.MULTILINE)
    return re.sub(r"(?<=[;{},)])\s+//.*$", "", whole_lines, flags=re.MULTILINE)
