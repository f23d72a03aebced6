"""What is made once and kept in `instance/`, for its owner's eyes only: secrets, and the environment of the running stack."""

import json
import os
import secrets
import shlex
from collections.abc import Mapping
from pathlib import Path


def write_private(file: Path, text: str) -> None:
    """Write a file that only its owner may read; whole or not at all."""
    unfinished = file.with_name(file.name + ".unfinished")
    unfinished.unlink(missing_ok=True)
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as output:
        output.write(text)
        output.flush()
        os.fsync(output.fileno())
    unfinished.replace(file)


class Secrets:
    """Random texts by name, each made when it is first asked for."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._kept: dict[str, str] = {}
        try:
            kept = json.loads(file.read_text())
            self._kept = {name: value for name, value in kept.items() if isinstance(value, str)}
        except FileNotFoundError:
            pass
        except (ValueError, AttributeError):  # damaged: people must sign in again, nothing else is lost
            file.replace(file.with_name(file.name + ".damaged"))

    def get(self, name: str) -> str:
        if name not in self._kept:
            self._kept[name] = secrets.token_hex(32)
            write_private(self._file, json.dumps(self._kept, indent=1) + "\n")
        return self._kept[name]


def write_environment(file: Path, settings: Mapping[str, str]) -> None:
    """The settings as a file for `. instance/env`, so that a command by hand meets the same stack."""
    lines = [f"export {name}={shlex.quote(value)}" for name, value in sorted(settings.items())]
    write_private(file, "\n".join(lines) + "\n")
