"""For tests that play with small programs: the machine's own (sleep, touch) are there, whatever the PATH says."""

import os

import pytest


@pytest.fixture(autouse=True, scope="session")
def _ordinary_programs() -> None:
    os.environ["PATH"] = os.pathsep.join([os.environ.get("PATH", ""), "/usr/bin", "/bin"])
