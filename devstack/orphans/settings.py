"""Settings and their rows in the README: each has the other."""

import re
from collections.abc import Iterator
from pathlib import Path

from devstack.orphans.modules import Module

SETTINGS = "lessonadmin.config"
CLASS = "Settings"
NO_SETTING = {"MODEL_CONFIG"}  # how pydantic reads the others
HEAD = re.compile(r"^\| setting \|.*\n\|[-| ]+\n((?:\|.*\n)+)", re.MULTILINE)


def orphans(root: Path, config: Module) -> Iterator[tuple[str, str]]:
    """Settings that the README does not explain, and rows of it that explain none."""
    fields = {
        path.partition(".")[2].upper()
        for path, definition in config.definitions.items()
        if definition.kind == "field" and path.startswith(f"{CLASS}.")
    }
    fields -= NO_SETTING
    explained = set(rows(root))
    yield from (("setting without a row in the README", name) for name in sorted(fields - explained))
    yield from (("row of the README without a setting", name) for name in sorted(explained - fields))


def rows(root: Path) -> Iterator[str]:
    """The settings that the table of the README names."""
    for table in HEAD.findall((root / "README.md").read_text()):
        for row in table.splitlines():
            yield from re.findall(r"`([A-Z][A-Z_0-9]*)`", row.split("|")[1])
