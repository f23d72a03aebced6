"""A Chromium for the browser tests: the one that is there, or Debian's.

The shell without windows is asked for first: it draws the same pages without a browser's own furniture around them,
which takes a quarter off each test.

What cannot be had is said in one line, and never passed over in silence.
"""

import os
import shutil
from pathlib import Path

from devstack.errors import SetupError
from devstack.install import steps

NAMES = (
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
)
PLACES = (
    "/usr/bin/chromium",
    "/usr/bin/google-chrome",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)


def find() -> str | None:
    """The program of a Chromium or Chrome on this machine."""
    for name in NAMES:
        if found := shutil.which(name):
            return found
    return next((place for place in PLACES if os.access(place, os.X_OK)), None)


def find_or_install() -> str | None:
    """The same, installing Debian's if that is allowed; what went wrong is printed."""
    found = find()
    apt = Path("/usr/bin/apt-get")
    if found or os.geteuid() != 0 or not apt.exists():
        return found
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    try:
        steps.run("Asking Debian for its packages", [apt, "update"], environment=environment)
        install: list[str | Path] = [
            apt,
            "install",
            "-y",
            "--no-install-recommends",
            "chromium-headless-shell",
            "fonts-dejavu-core",
            "fonts-liberation",
        ]
        steps.run("Installing Chromium for the browser tests", install, environment=environment)
    except SetupError as error:
        print(error)
    return find()
