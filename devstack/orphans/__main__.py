"""Finds the orphans of this repository and compares them with the list of those that are wanted."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from devstack import places
from devstack.orphans import exceptions, modules, pages, settings, statics
from devstack.orphans.exceptions import Exemption
from devstack.orphans.modules import Definition, Module
from devstack.orphans.reach import Reach, jobs, texts_of, unreached_modules

# What is delivered must use itself: a benchmark or the development stack that calls it is no more of a use than a test.
DELIVERED = ("lessonadmin", "app", "gunicorn", "migrations")
PROGRAMS = (
    ("lessonadmin", "templates", "lessonadmin/static"),
    ("muxsim", "muxsim/templates", "muxsim/static"),
)
SCRIPTS = ("bin/*", "Procfile", ".ci/*")
EXCEPTIONS = Path(__file__).with_name("exceptions.txt")


def orphans(root: Path, allowed: Sequence[Exemption]) -> Iterator[tuple[str, str]]:
    """Kind and name of everything in this tree that nothing uses."""
    everything = modules.load(root)
    delivered = {name: one for name, one in everything.items() if _program(name) in DELIVERED}
    beside = everything.keys() - delivered.keys()
    yield from _python(root, delivered, set(delivered), allowed)
    yield from _python(root, everything, beside, allowed)
    for program, templates, static in PROGRAMS:
        texts = texts_of(one for name, one in everything.items() if _program(name) == program)
        yield from pages.Templates(root / templates, texts).orphans(lambda one: _fits(one, allowed))
        yield from statics.Statics(root / static, root / templates, texts).orphans()
    if settings.SETTINGS in everything:
        yield from settings.orphans(root, everything[settings.SETTINGS])


def _program(module: str) -> str:
    return module.partition(".")[0]


def _python(
    root: Path, known: Mapping[str, Module], judged: set[str], allowed: Sequence[Exemption]
) -> Iterator[tuple[str, str]]:
    """The orphans among the `judged` modules, when only the `known` ones count as users."""
    scripts = "\n".join(
        file.read_text() for pattern in SCRIPTS for file in sorted(root.glob(pattern)) if file.is_file()
    )
    pages_text = "\n".join(
        pages.without_comments(file.read_text())
        for _, folder, _ in PROGRAMS
        for file in sorted((root / folder).rglob("*"))
        if file.is_file()
    )
    listed = jobs(known)

    def told(definition: Definition) -> tuple[str, str]:
        return _kind(definition, listed), str(definition.name)

    for definition in Reach(known, pages_text).orphans(lambda one: _fits(told(one), allowed)):
        if definition.name.module in judged:
            yield told(definition)
    for module in unreached_modules(known, scripts):
        if module.name in judged:
            yield "module", module.name


def _fits(orphan: tuple[str, str], allowed: Sequence[Exemption]) -> bool:
    return any(one.fits(orphan) for one in allowed)


def _kind(definition: Definition, listed: set[str]) -> str:
    if str(definition.name) in listed:
        return "job"
    is_setting = str(definition.name).startswith(f"{settings.SETTINGS}.{settings.CLASS}.")
    return "setting" if is_setting and definition.kind == "field" else definition.kind


def main() -> int:
    allowed = exceptions.read(EXCEPTIONS)
    found = list(orphans(places.ROOT, allowed))
    wrong = exceptions.judge(found, allowed)
    for line in wrong:
        print(line)
    print(f"{len(found)} orphans are known and wanted, {len(wrong)} lines are wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
