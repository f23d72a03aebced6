"""The Procfile's web server beside others: requests a second, and the slowest answer beside forty slow clients.

All serve the application with the same processes and threads, in turn, three rounds, and only ratios to gunicorn's gthread are
printed. Granian is measured too where a `granian` is found on the path.

Run: ``bin/bench web_server``; red if the Procfile's server lets a health check wait for more than two seconds.
"""

import os
import shutil
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.workload import load
from bench.workload.servers import ROOT, servers
from devstack.processes import procfile
from devstack.servers import ports
from devstack.stack import status_of

ROUNDS = 3
REQUESTS = 4000
CONNECTIONS = 32
SLOW_CLIENTS = 40
MAX_SECONDS = 2.0
BESIDE_SECONDS = 3.0
UNANSWERED_SECONDS = 10.0
ASKED = {
    "/healthz": b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    "refused webhook": b"POST /api/webhooks/mux HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 2\r\n\r\n{}",
}
SLOW = {
    "nothing": b"",
    "half a head": b"GET / HTTP/1.1\r\nHos",
    "half a body": b"POST /api/webhooks/mux HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100000\r\n\r\n{",
}
Rates = dict[str, list[float]]


def commands() -> dict[str, str]:
    """The Procfile's command first; the others with as many processes and threads."""
    ours = procfile.read(ROOT / "Procfile")["web"]
    worker = "lessonadmin.web_server.worker.Worker"
    found = {"Procfile": ours, "gthread": ours.replace(worker, "gthread")}
    if shutil.which("granian"):
        found["granian"] = (
            "granian --interface wsgi --http 1 --workers 2 --blocking-threads 4 --workers-kill-timeout 8 --log-level warning app:app"
        )
    return found


@contextmanager
def running(command: str, environment: dict[str, str]) -> Iterator[int]:
    """The port at which it serves."""
    port = ports.any_free()
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    given = {**os.environ, **environment, "PATH": path, "HOST": "127.0.0.1", "PORT": str(port)}
    given |= {"GRANIAN_PORT": str(port), "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        procfile.shell(command), cwd=ROOT, env=given, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as web:
        try:
            until = time.monotonic() + 30
            while status_of(f"http://127.0.0.1:{port}/healthz") != 200:
                if time.monotonic() > until:
                    raise RuntimeError(f"the web server did not come up: {command}")
                time.sleep(0.1)
            yield port
        finally:
            web.terminate()
            web.wait(30)


def measure_rates(port: int, rates: Rates) -> None:
    for name, request in ASKED.items():
        result = load.send_all(port, [request] * REQUESTS, connections=CONNECTIONS)
        rates.setdefault(name, []).append(result.rate)


def seconds_beside(port: int, sent: bytes) -> float:
    """The slowest of the health checks of some seconds beside the slow clients; the limit stands for no answer."""
    found = 0.0
    with ExitStack() as clients:
        for _ in range(SLOW_CLIENTS):
            clients.enter_context(socket.create_connection(("127.0.0.1", port))).sendall(sent)
        until = time.monotonic() + BESIDE_SECONDS
        while time.monotonic() < until:
            found = max(found, seconds_to_answer(port))
    return found


def seconds_to_answer(port: int) -> float:
    began = time.monotonic()
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=UNANSWERED_SECONDS) as client:
            client.sendall(ASKED["/healthz"])
            client.recv(1000)
    except TimeoutError:
        return UNANSWERED_SECONDS
    return time.monotonic() - began


def print_rates(rates: dict[str, Rates]) -> None:
    for kind in ASKED:
        usual = statistics.median(rates["gthread"][kind])
        for name, found in rates.items():
            share = statistics.median(found[kind]) / usual
            print(f"{name}: {kind}, requests a second\t{share:.2f} of gthread\t{ROUNDS} rounds, median")


def main() -> int:
    rates: dict[str, Rates] = {name: {} for name in commands()}
    with servers() as (_, environment):
        for _ in range(ROUNDS):
            for name, command in commands().items():
                with running(command, environment) as port:
                    measure_rates(port, rates[name])
        print_rates(rates)
        kept_waiting = 0.0
        for name, command in commands().items():
            for kind, sent in SLOW.items():
                with running(command, environment) as port:
                    seconds = seconds_beside(port, sent)
                figure = "no answer" if seconds >= UNANSWERED_SECONDS else f"{seconds:.3f} s"
                print(
                    f"{name}: /healthz beside {SLOW_CLIENTS} clients that sent {kind}\t{figure}", flush=True
                )
                kept_waiting = max(kept_waiting, seconds if name == "Procfile" else 0.0)
    return int(kept_waiting > MAX_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
