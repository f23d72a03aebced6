"""The `.venv` with the pinned Python packages: what running needs, and for tests and checks their tools too.

What is there for one is not fetched again for the other. Standard library only.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from devstack import places
from devstack.errors import SetupError
from devstack.install import stamps, steps

PYTHON = places.VENV / "bin" / "python"
COMPLETE = places.VENV / ".complete"
UNFINISHED = places.VENV / ".unfinished"
VERSION = f"{sys.version_info[0]}.{sys.version_info[1]}"
FOR_RUNNING = ("requirements.txt", "requirements-run.txt")
FOR_ALL = (*FOR_RUNNING, "requirements-node.txt", "requirements-dev.txt")
# A file that has none of the hashes that the requirements name is not installed, and neither is a package that they do not name.
PIP_OPTIONS = (
    "--require-hashes",
    "--disable-pip-version-check",
    "--no-input",
    "--retries",
    "2",
    "--progress-bar",
    "off",
)


def ensure(*, tools: bool) -> Path:
    """Make or complete the `.venv`, with the tools of tests and checks or without; the answer is its Python."""
    # What is complete with its tools serves running as well.
    enough = [_stamp(FOR_ALL)] if tools else [_stamp(FOR_ALL), _stamp(FOR_RUNNING)]
    if any(stamps.matches(COMPLETE, stamp) for stamp in enough) and _works():
        return PYTHON
    if UNFINISHED.exists() or (places.VENV.exists() and not _works()):
        shutil.rmtree(places.VENV)
    with_pip: list[str | Path] = [PYTHON, "-m", "pip"]
    if not PYTHON.exists():
        with_pip = _create()
    UNFINISHED.touch()
    COMPLETE.unlink(missing_ok=True)
    files = FOR_ALL if tools else FOR_RUNNING
    more = " and the tools of tests and checks" if tools else ""
    _install(with_pip, f"Installing the Python packages{more} (once, a minute or two)", files[-1])
    COMPLETE.write_text(_stamp(files))
    UNFINISHED.unlink()
    return PYTHON


def add_node() -> None:
    """The node and npm that a Python package carries, for a machine without."""
    _install([PYTHON, "-m", "pip"], "Installing node and npm (once)", "requirements-node.txt")


def _stamp(files: tuple[str, ...]) -> str:
    # The folder is part of it: a .venv that was moved along with its clone points back to where it was made.
    return stamps.of((places.ROOT / name for name in files), str(places.ROOT), VERSION)


def _install(pip: list[str | Path], title: str, requirements: str) -> None:
    command = [*pip, "install", *PIP_OPTIONS, "-r", places.ROOT / requirements]
    steps.run(title, command, environment=_environment())


def _works() -> bool:
    """Whether the .venv's Python starts, and is in this folder and of the right version."""
    ask = "import sys; print(sys.prefix, f'{sys.version_info[0]}.{sys.version_info[1]}')"
    try:
        done = subprocess.run([PYTHON, "-c", ask], capture_output=True, text=True, check=False)
    except OSError:
        return False
    return done.stdout.strip() == f"{places.VENV} {VERSION}"


def _create() -> list[str | Path]:
    """Make an empty .venv; the answer is the command that is pip for it."""
    places.VENV.mkdir(exist_ok=True)
    UNFINISHED.touch()
    if _has("ensurepip") or _installed_ensurepip():
        steps.run("Making the .venv", [sys.executable, "-m", "venv", places.VENV], environment=_environment())
        return [PYTHON, "-m", "pip"]
    if _has(
        "pip"
    ):  # Debian keeps ensurepip in a package of its own; a pip that is there can serve the .venv too
        steps.run("Making the .venv", [sys.executable, "-m", "venv", "--without-pip", places.VENV])
        return [sys.executable, "-m", "pip", "--python", PYTHON]
    shutil.rmtree(places.VENV)
    raise SetupError(
        f"This Python ({sys.executable}) can make no virtual environment: install its venv module "
        f"(on Debian: apt-get install python3-venv) and start again."
    )


def _has(module: str) -> bool:
    done = subprocess.run([sys.executable, "-c", f"import {module}"], capture_output=True, check=False)
    return done.returncode == 0


def _installed_ensurepip() -> bool:
    """As root on Debian, have the missing part installed unless a pip is there already."""
    apt = shutil.which("apt-get") or ("/usr/bin/apt-get" if Path("/usr/bin/apt-get").exists() else None)
    if os.geteuid() != 0 or apt is None or _has("pip"):
        return False
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    try:
        steps.run("Asking Debian for its packages", [apt, "update"], environment=environment)
        steps.run("Installing python3-venv", [apt, "install", "-y", "python3-venv"], environment=environment)
    except SetupError:
        return False
    return _has("ensurepip")


def _environment() -> dict[str, str]:
    """This process's, less what would make pip put the packages somewhere else."""
    unwanted = (
        "PIP_USER",
        "PIP_TARGET",
        "PIP_PREFIX",
        "PIP_REQUIRE_VIRTUALENV",
        "VIRTUAL_ENV",
        "__PYVENV_LAUNCHER__",
    )
    return {name: value for name, value in os.environ.items() if name not in unwanted}
