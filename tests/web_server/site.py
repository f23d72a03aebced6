"""An application for trying the web server: each path does one thing that an application may do to it.

Imported by gunicorn in a process of its own, with short limits, so that what takes half a minute in production takes a second.
"""

import contextvars
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from lessonadmin.web_server import limits, thread_pools

limits.HEAD_SECONDS = limits.BODY_SECONDS = limits.UNREAD_SECONDS = 1.5
limits.LARGE_BODIES_BYTES = 2 * limits.MAX_BODY_BYTES
limits.TURN_SECONDS = 0.01
thread_pools.WEBHOOK_THREADS = 1

PIECE = b"x" * 64 * 1024
closed = 0
begun = 0
occupied = threading.Event()
who: contextvars.ContextVar[str] = contextvars.ContextVar("who", default="-")


class Endless:
    """More than any client reads; counts when it is closed."""

    def __iter__(self) -> Iterator[bytes]:
        while True:
            yield PIECE

    def close(self) -> None:
        global closed
        closed += 1


class Together:
    """An answer that waits for the next /release, and says how many like it had begun when it was taken."""

    def __init__(self, environ: dict[str, Any]) -> None:
        global begun
        self.ends_its_thread = environ["QUERY_STRING"] == "ends"
        begun += 1

    def __iter__(self) -> Iterator[bytes]:
        seen = begun
        occupied.wait(20)
        if self.ends_its_thread:
            raise SystemExit
        return iter([str(seen).encode()])


def _echo(environ: dict[str, Any]) -> Iterable[bytes]:
    return [environ["wsgi.input"].read()]


def _turns(_environ: dict[str, Any]) -> Iterator[bytes]:
    """Pieces that each take a turn, with the thread and the context of each."""
    who.set("me")
    for _ in range(8):
        until = time.perf_counter() + 2 * limits.TURN_SECONDS
        while time.perf_counter() < until:
            pass
        yield f"{threading.current_thread().name} {who.get()}\n".encode()


def _crash(_environ: dict[str, Any]) -> Iterable[bytes]:
    raise RuntimeError("the application failed")


def _cut(_environ: dict[str, Any]) -> Iterator[bytes]:
    yield b"first"
    raise RuntimeError("the application failed later")


def _occupy(_environ: dict[str, Any]) -> Iterable[bytes]:
    """A thread that is taken until the next /release."""
    occupied.wait(20)
    return [b"released"]


def _release(_environ: dict[str, Any]) -> Iterable[bytes]:
    occupied.set()
    return [b""]


def _address(environ: dict[str, Any]) -> Iterable[bytes]:
    return [f"{environ['REMOTE_ADDR']}|{environ['SCRIPT_NAME']}|{environ['PATH_INFO']}".encode()]


PATHS: dict[str, Callable[[dict[str, Any]], Iterable[bytes]]] = {
    "/echo": _echo,
    "/turns": _turns,
    "/crash": _crash,
    "/cut": _cut,
    "/occupy": _occupy,
    "/healthz": lambda _: [b"alive"],
    "/api/webhooks/mux": _release,
    "/api/mux/webhook": Together,
    "/release": _release,
    "/begun": lambda _: [str(begun).encode()],
    "/endless": lambda _: Endless(),
    "/closed": lambda _: [str(closed).encode()],
    "/address": _address,
}


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    answer = PATHS.get(environ["PATH_INFO"], lambda _: [b"hello"])(environ)
    length = [("Content-Length", str(len(answer[0])))] if isinstance(answer, list) else []
    start_response("200 OK", [("Content-Type", "text/plain"), *length])
    return answer
