"""`bin/pins`: writes the hashes of all pinned packages into the requirements files, after a version was changed there.

Asks the package index by uv, which lives in a folder of its own below `instance/`, so it works while the product's own packages
cannot be installed because a hash is missing. Changes no version, and takes no package in or out. Standard library only.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

from devstack import places
from devstack.errors import SetupError, told
from devstack.install import pinned, python_packages, steps

FOLDER = places.SETUP / "pins"
OLDEST_PYTHON = "3.11"
# Of every platform and Python, with no package but those of the file, and nothing written about the index.
COMPILE = (
    "pip",
    "compile",
    "--universal",
    "--python-version",
    OLDEST_PYTHON,
    "--no-deps",
    "--generate-hashes",
)
QUIET = ("--no-header", "--no-annotate", "--no-emit-index-url", "--no-config", "--quiet")
Hashes = dict[tuple[str, str], tuple[str, ...]]


def main() -> int:
    uv = _ensure_uv()
    for name in pinned.FILES:
        file = places.ROOT / name
        before = file.read_text()
        after = pinned.with_hashes(before, ask(uv, before))
        count = len(re.findall(r"--hash=", after))
        print(f"{name}: {count} hashes{'' if after != before else ', as before'}")
        file.write_text(after)
    return 0


def _ensure_uv() -> Path:
    """One that is there serves also when its own version was changed, since the hashes of the new one are still to be written."""
    python = FOLDER / "venv" / "bin" / "python"
    uv = python.with_name("uv")
    if not uv.exists():
        places.make_private(places.SETUP)
        steps.run("Making an environment for uv", [sys.executable, "-m", "venv", "--clear", FOLDER / "venv"])
        pip: list[str | Path] = [python, "-m", "pip", "install", *python_packages.PIP_OPTIONS]
        steps.run("Installing uv", [*pip, "-r", places.ROOT / "requirements-pins.txt"])
    return uv


def ask(uv: Path, text: str) -> Hashes:
    """The hashes that the index names for each pin of a requirements file."""
    pins = [one for one in pinned.read(text) if isinstance(one, pinned.Pin)]
    done = subprocess.run(
        [uv, *COMPILE, *QUIET, "-"],
        input="".join(f"{pin.text}\n" for pin in pins),
        env=os.environ | {"UV_SYSTEM_CERTS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise SetupError(f"The hashes cannot be had: {done.stderr.strip() or 'uv said nothing'}")
    found = {
        (one.name, one.version): one.hashes
        for one in pinned.read(done.stdout)
        if isinstance(one, pinned.Pin) and one.hashes
    }
    if missing := [pin.text for pin in pins if (pin.name, pin.version) not in found]:
        raise SetupError(f"The index names no file of {', '.join(missing)}.")
    return found


if __name__ == "__main__":
    sys.exit(told(main))
