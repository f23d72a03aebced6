"""The one list of orphans that are wanted: `exceptions.txt`, a line each: kind, name (with `*` for any text), reason.

A line that fits no orphan any more is as wrong as an orphan, so the list never outlives what it speaks of.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

LINE = re.compile(r"(?P<kind>[^|]+?) *\| *(?P<name>[^|]+?) *\| *(?P<reason>\S.*)")


@dataclass(frozen=True)
class Exemption:
    """An orphan, or a family of them, that is wanted."""

    kind: str
    name: str
    reason: str

    def fits(self, orphan: tuple[str, str]) -> bool:
        return orphan[0] == self.kind and fnmatchcase(orphan[1], self.name)


def read(file: Path) -> list[Exemption]:
    """The list; a line without a reason is refused."""
    found = []
    for number, line in enumerate(file.read_text().splitlines(), 1):
        if line.strip() and not line.startswith("#"):
            match = LINE.fullmatch(line.strip())
            if match is None:
                raise ValueError(f"{file.name}:{number}: write `kind | name | reason`")
            found.append(Exemption(**match.groupdict()))
    return found


def judge(orphans: Iterable[tuple[str, str]], allowed: Iterable[Exemption]) -> list[str]:
    """What is wrong: orphans that are not wanted, and exceptions that nothing needs."""
    exemptions = list(allowed)
    used = set()
    wrong = []
    for orphan in orphans:
        fitting = [one for one in exemptions if one.fits(orphan)]
        used.update(fitting)
        if not fitting:
            wrong.append(f"{orphan[0]} {orphan[1]} is used by nothing but tests, or by nothing at all")
    wrong += [f"exceptions: {one.kind} {one.name} is needed no more" for one in exemptions if one not in used]
    return wrong
