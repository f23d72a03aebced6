"""Web as it is deployed: gunicorn by the Procfile's own command."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from devstack.places import ROOT
from devstack.processes import procfile
from devstack.stack import status_of


@contextmanager
def web(settings: dict[str, str]) -> Iterator[str]:
    """Serves as long as the block lasts; the address."""
    given = {**os.environ, **settings, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    command = procfile.shell(procfile.read(ROOT / "Procfile")["web"])
    address = f"http://127.0.0.1:{settings['PORT']}"
    process = subprocess.Popen(
        command, cwd=ROOT, env=given, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        until = time.monotonic() + 30
        while status_of(f"{address}/healthz") != 200:
            assert time.monotonic() < until, "web did not start"
            time.sleep(0.1)
        yield address
    finally:
        process.terminate()
        process.wait(20)
