"""How long `bin/run` takes to the first page, with everything installed: on empty data, and the second time.

Run: ``bin/bench start``
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from devstack.servers import ports
from devstack.stack import status_of

ROOT = Path(__file__).parent.parent
MAX_SECONDS = 120


def start_and_stop(instance: Path) -> tuple[float, float]:
    """Seconds to the first page, and seconds until nothing runs any more."""
    port = ports.any_free()
    environment = os.environ | {"LESSONADMIN_INSTANCE": str(instance), "PORT": str(port)}
    began = time.monotonic()
    with subprocess.Popen([ROOT / "bin" / "run"], env=environment, stdout=subprocess.DEVNULL) as manager:
        while status_of(f"http://127.0.0.1:{port}/login") != 200:
            if manager.poll() is not None or time.monotonic() - began > MAX_SECONDS:
                raise RuntimeError("bin/run did not come up")
            time.sleep(0.05)
        first_page = time.monotonic() - began
        asked = time.monotonic()
        manager.send_signal(signal.SIGTERM)
        manager.wait(MAX_SECONDS)
        return first_page, time.monotonic() - asked


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="lessonadmin-bench-") as folder:
        for name in ("first start, empty data", "second start"):
            first_page, stop = start_and_stop(Path(folder) / "instance")
            print(f"{name}, to the first page\t{first_page:.1f} s\tstopped in {stop:.1f} s", flush=True)


if __name__ == "__main__":
    sys.exit(main())
