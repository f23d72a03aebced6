"""Installs what the peers need into a folder of their own below `instance/`, never into the product's environment.

What is installed is pinned by `requirements.txt`, `package.json` and `package-lock.json` beside this file; a stamp says that it is there.
"""

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from devstack import places
from devstack.install import npm_packages, python_packages, stamps, steps

HERE = Path(__file__).parent
FOLDER = places.SETUP / "bench-peers"
COMPLETE = FOLDER / ".complete"
PINNED = ("requirements.txt", "package.json", "package-lock.json")


@dataclass(frozen=True)
class Peers:
    """A Python with Django, a node, and where node finds `pg`."""

    python: Path
    node: Path
    node_modules: Path


def ensure() -> Peers:
    """Install what is missing; the programs to start the peers with."""
    node = npm_packages.find(Path(sys.executable))
    peers = Peers(FOLDER / "venv" / "bin" / "python", node.node, FOLDER / "node_modules")
    wanted = stamps.of((HERE / name for name in PINNED), str(FOLDER), sys.version)
    if not stamps.matches(COMPLETE, wanted):
        shutil.rmtree(FOLDER, ignore_errors=True)
        FOLDER.mkdir(parents=True)
        _install_django(peers.python)
        _install_pg(node)
        COMPLETE.write_text(wanted)
    return peers


def _install_django(python: Path) -> None:
    steps.run("Making an environment for the peers", [sys.executable, "-m", "venv", FOLDER / "venv"])
    pip: list[str | Path] = [python, "-m", "pip", "install", *python_packages.PIP_OPTIONS]
    steps.run("Installing Django for the peers", [*pip, "-r", HERE / "requirements.txt"])


def _install_pg(node: npm_packages.Node) -> None:
    for name in PINNED[1:]:
        shutil.copy(HERE / name, FOLDER)
    options: list[str | Path] = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    command = [*node.npm, "ci", "--prefix", FOLDER, *options]
    steps.run("Installing pg for the peers", command, environment=node.environment())
