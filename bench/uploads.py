"""A thousand uploads of one megabyte by four clients at once, against a simulator in a process of its own.

Prints how long it took and how much memory the simulator used at most. ``--big-mb 2048`` sends one file of that
size as well, in one request. Run: ``.venv/bin/python -m bench.uploads``
"""

import argparse
import base64
import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from muxsim.client import Control

MEGABYTE = 1 << 20
TOKEN = "bench:secret"
HEADERS = {
    "Authorization": "Basic " + base64.b64encode(TOKEN.encode()).decode(),
    "Content-Type": "application/json",
}


@contextmanager
def simulator(*options: str) -> Iterator[tuple[str, int]]:
    """A simulator's address and process id."""
    with tempfile.TemporaryDirectory(prefix="muxsim-bench-") as state:
        command = [
            sys.executable,
            "-m",
            "muxsim",
            "--port",
            "0",
            "--state",
            state,
            "--fast",
            "--token",
            TOKEN,
            *options,
        ]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            try:
                yield process.stdout.readline().split()[-1], process.pid
            finally:
                process.terminate()
                process.wait(timeout=10)


class Peak:
    """Watches the resident memory of a process while something happens."""

    def __init__(self, pid: int) -> None:
        self._status = Path(f"/proc/{pid}/status")
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self.highest = 0

    def __enter__(self) -> "Peak":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(0.05):
            line = next(one for one in self._status.read_text().splitlines() if one.startswith("VmRSS"))
            self.highest = max(self.highest, int(line.split()[1]) * 1024)


def create(url: str) -> str:
    """Asks for an upload and answers its URL."""
    place = urlsplit(url)
    line = http.client.HTTPConnection(place.hostname or "", place.port or 0, timeout=60)
    body = {
        "cors_origin": "*",
        "new_asset_settings": {"playback_policies": ["public"], "passthrough": "bench"},
    }
    line.request("POST", "/video/v1/uploads", json.dumps(body), HEADERS)
    answer = json.load(line.getresponse())
    line.close()
    return str(answer["data"]["url"])


def send(url: str, data: bytes, times: int = 1) -> int:
    """One PUT of ``data`` repeated ``times``, piece by piece."""
    place = urlsplit(url)
    line = http.client.HTTPConnection(place.hostname or "", place.port or 0, timeout=600)
    line.putrequest("PUT", f"{place.path}?{place.query}")
    line.putheader("Content-Length", str(len(data) * times))
    line.endheaders()
    for _ in range(times):
        line.send(data)
    status = line.getresponse().status
    line.close()
    return status


def many(url: str, count: int, clients: int) -> list[float]:
    """The seconds of each upload, from asking for it to the last byte's answer."""
    data = b"\x00\x01" + os.urandom(MEGABYTE - 2)

    def one(_: int) -> float:
        began = time.perf_counter()
        assert send(create(url), data) == 200
        return time.perf_counter() - began

    with ThreadPoolExecutor(clients) as pool:
        return list(pool.map(one, range(count)))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--uploads", type=int, default=1000)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--big-mb", type=int, default=0, help="also one file of this size")
    given = parser.parse_args()
    rows: list[tuple[str, str]] = []
    with simulator() as (url, pid):
        control = Control(url)
        with Peak(pid) as peak:
            began = time.perf_counter()
            spent = many(url, given.uploads, given.clients)
            uploaded = time.perf_counter() - began
            assert control.flush_events(120)
            settled = time.perf_counter() - began
        assert [one["status"] for one in control.assets()].count("ready") == given.uploads
        rows += [
            (f"{given.uploads} uploads of 1 MB, {given.clients} clients", f"{uploaded:.1f} s"),
            ("uploads a second", f"{given.uploads / uploaded:.0f}"),
            ("one upload, median", f"{statistics.median(spent) * 1000:.1f} ms"),
            ("one upload, slowest of a hundred", f"{statistics.quantiles(spent, n=100)[-1] * 1000:.1f} ms"),
            ("until every asset was ready", f"{settled:.1f} s"),
            ("peak memory of the simulator", f"{peak.highest / MEGABYTE:.0f} MB"),
        ]
        if given.big_mb:
            with Peak(pid) as peak:
                began = time.perf_counter()
                assert send(create(url), os.urandom(MEGABYTE), given.big_mb) == 200
                spent_big = time.perf_counter() - began
            rows += [
                (f"one upload of {given.big_mb} MB", f"{spent_big:.1f} s"),
                ("peak memory of the simulator during it", f"{peak.highest / MEGABYTE:.0f} MB"),
            ]
    print_table(rows)


def print_table(rows: list[tuple[str, str]]) -> None:
    width = max(len(name) for name, _ in rows)
    print(f"\n{'simulator uploads'.ljust(width)}  figure")
    for name, figure in rows:
        print(f"{name.ljust(width)}  {figure}")


if __name__ == "__main__":
    main()
