"""The Procfile: what a deployment runs, and so what `bin/run` runs."""

import re
from pathlib import Path

from devstack.errors import SetupError

LINE = re.compile(r"^([A-Za-z0-9_-]+):\s*(\S.*)$")


def read(file: Path) -> dict[str, str]:
    """Name -> command, as written."""
    found = {}
    for line in file.read_text().splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        match = LINE.match(line)
        if match is None:
            raise SetupError(f"{file.name} has a line that is not 'name: command': {line.strip()}")
        found[match[1]] = match[2]
    return found


def shell(command: str) -> tuple[str, ...]:
    """The command as a program to start: the shell fills in the settings and then makes way for it."""
    return ("/bin/sh", "-c", f"exec {command}")
