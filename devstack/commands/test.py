"""`bin/test`: every test, or those that are named; arguments go to pytest.

Several workers share the tests unless they are few: naming one file, or `-n 0`, runs them in one process, which
starts faster and shows output as it comes.
"""

import os
import subprocess
import sys
from pathlib import Path

from devstack import places
from devstack.install import chromium

# Twice as many as there are cores in CI: tests wait for processes and browsers, and another worker computes meanwhile.
WORKERS = "4"
# In the order of `devstack.pytest_plugin`: xdist's own puts files with few tests last, and these need the most time.
BY_FILE = ("--dist", "loadfile", "--no-loadscope-reorder")


def main() -> int:
    arguments = sys.argv[1:]
    without = "--without-browser" in arguments
    found = None if without else chromium.find_or_install()
    if found is None and not without:
        arguments.append("--without-browser")
    # The tests start some hundreds of processes; without compiled modules each would compile the product anew.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-m", "pytest", *_spread(arguments), *arguments]
    done = subprocess.run(command, cwd=places.ROOT, env=environment, check=False)
    if found is None and not without and _might_need_browser(arguments):
        print(
            "The browser tests were NOT run: there is no Chromium here and none could be installed. "
            "Install one (on Debian: apt-get install chromium), or say --without-browser to do without them.",
            file=sys.stderr,
        )
        return done.returncode or 1
    return done.returncode


def _spread(arguments: list[str]) -> list[str]:
    """How many work at once, unless the caller says so or has named one file."""
    if any(
        a in ("-n", "--numprocesses", "--pdb", "-s", "--collect-only", "--co") or a.startswith("-n")
        for a in arguments
    ):
        return []
    named = [a for a in arguments if Path(a.partition("::")[0]).exists() and not a.startswith("-")]
    if len(named) == 1 and Path(named[0].partition("::")[0]).is_file():
        return []
    return ["-n", os.environ.get("TEST_WORKERS", WORKERS), *BY_FILE]


def _might_need_browser(arguments: list[str]) -> bool:
    named = [Path(a.partition("::")[0]) for a in arguments if not a.startswith("-")]
    paths = [path for path in named if path.exists()]
    return not paths or any("browser" in path.parts or path == Path("tests") for path in paths)


if __name__ == "__main__":
    sys.exit(main())
