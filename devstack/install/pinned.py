"""The requirements files: which packages are installed, in which version, and which files of it may be taken.

A line names one version (`name==version`); below it stand the hashes of all files of that version, for every platform. pip
installs no other file, whatever an index hands out. `bin/pins` writes the hashes. Standard library only.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from devstack import places

# The last is what bin/pins itself installs, apart from everything else.
FILES = (
    "requirements.txt",
    "requirements-run.txt",
    "requirements-node.txt",
    "requirements-dev.txt",
    "bench/peers/requirements.txt",
    "requirements-pins.txt",
)
PIN = re.compile(
    r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)(?P<extras>\[[^\]]+\])?==(?P<version>[A-Za-z0-9.!+_-]+)"
    r"(?:\s*;\s*(?P<marker>[^\\#]+?))?"
)
HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


@dataclass(frozen=True)
class Pin:
    """One line, with the line numbers that a complaint names."""

    name: str
    version: str
    hashes: tuple[str, ...]
    line: int
    # the line without its hashes
    text: str


@dataclass(frozen=True)
class Unclear:
    """A line that is no pin."""

    line: int
    text: str


def normalized(name: str) -> str:
    """One spelling of a name for all: `Flask_WTF` and `flask-wtf` are one package."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read(text: str) -> list[Pin | Unclear]:
    """Every requirement of a file; comments, blank lines and `-r` lines are none."""
    found: list[Pin | Unclear] = []
    number, lines = 0, text.splitlines()
    while number < len(lines):
        began, whole = number, lines[number]
        while whole.endswith("\\") and number + 1 < len(lines):
            number += 1
            whole = whole[:-1] + lines[number]
        number += 1
        if whole.strip() and not whole.startswith(("#", "-r ")):
            found.append(_read_one(whole, began + 1))
    return found


def _read_one(whole: str, line: int) -> Pin | Unclear:
    wanted, *options = re.split(r"\s+(?=--)", whole.strip())
    hashes = [match[1] for option in options if (match := HASH.fullmatch(option.strip()))]
    found = PIN.fullmatch(wanted.strip())
    if found is None or len(hashes) != len(options):
        return Unclear(line, whole.strip())
    return Pin(normalized(found["name"]), found["version"], tuple(hashes), line, wanted.strip())


def in_files(*names: str) -> list[Pin]:
    """What these files of the repository pin; a line that is no pin is the business of `bin/check pins`."""
    return [one for name in names for one in read((places.ROOT / name).read_text()) if isinstance(one, Pin)]


def with_hashes(text: str, hashes: Mapping[tuple[str, str], tuple[str, ...]]) -> str:
    """The same file with these hashes for each name and version, in place of those that stood there."""
    pins = {one.line: one for one in read(text) if isinstance(one, Pin)}
    written: list[str] = []
    in_pin = False
    for number, line in enumerate(text.splitlines(), start=1):
        if number in pins:
            pin = pins[number]
            below = [f"    --hash=sha256:{one}" for one in sorted(hashes[pin.name, pin.version])]
            written.append(" \\\n".join([pin.text, *below]))
        elif not in_pin:
            written.append(line)
        in_pin = line.endswith("\\") and (in_pin or number in pins)
    return "\n".join(written) + "\n"


def repository_files(root: Path) -> list[str]:
    """Every requirements file that lies in the tree, whether it is in `FILES` or not."""
    there = [*root.glob("requirements*.txt"), *root.glob("bench/*/requirements*.txt")]
    return sorted(file.relative_to(root).as_posix() for file in there)
