"""The HTTP server around a simulator: threads, one loopback port, quick to start and to stop.

``Simulator`` is what tests use in their own process; ``python -m muxsim`` is a thin shell around it.
"""

import socket
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from muxsim.core import Core
from muxsim.options import DEFAULT_TOKENS, Endpoint, Options, Token
from muxsim.web import create_app

LOOPBACK = "127.0.0.1"


class Handler(WSGIRequestHandler):
    """Says nothing on the terminal (calls are in the state, and on the page), and remembers connections to break."""

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - werkzeug's name
        """Calls are recorded elsewhere."""

    def connection_dropped(self, error: BaseException, environ: Any = None) -> None:
        if isinstance(error, ConnectionResetError) and str(error).startswith("simulated"):
            # Lingering for zero seconds makes the kernel send a reset instead of an orderly end.
            self.connection.setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00"
            )
            server = self.server
            assert isinstance(server, Server)  # noqa: S101 - this handler serves no other # nosec B101
            server.broken.add(id(self.connection))


class Server(ThreadedWSGIServer):
    """Werkzeug's threaded server that can end a connection with a reset, and keeps the backlog long."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def __init__(self, *args: Any, **more: Any) -> None:
        self.broken: set[int] = set()
        super().__init__(*args, **more)

    def shutdown_request(self, request: Any) -> None:
        if id(request) in self.broken:
            self.broken.discard(id(request))
            request.close()
        else:
            super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no error."""


class Simulator:
    """A running Mux: ``with Simulator() as sim: ... sim.url``."""

    def __init__(
        self,
        *,
        state_dir: str | Path | None = None,
        webhooks: Sequence[tuple[str, str] | Endpoint] = (),
        tokens: Sequence[tuple[str, ...] | Token] = (),
        processing_seconds: float | None = None,
        ffmpeg: bool = False,
        seed: int | str | None = 1,
        rate_limits: bool | None = None,
        retry_seconds: float | None = None,
        port: int = 0,
        public_url: str | None = None,
        speed: float = 1.0,
        switches: dict[str, Any] | None = None,
    ) -> None:
        self._own_dir = tempfile.TemporaryDirectory(prefix="muxsim-") if state_dir is None else None
        directory = Path(self._own_dir.name) if self._own_dir else Path(str(state_dir))
        names = ("processing_seconds", "rate_limits", "retry_seconds")
        given = dict(zip(names, (processing_seconds, rate_limits, retry_seconds), strict=True))
        self.options = Options(
            state_dir=directory,
            tokens=[one if isinstance(one, Token) else Token(*one) for one in tokens] or list(DEFAULT_TOKENS),
            webhooks=[one if isinstance(one, Endpoint) else Endpoint(*one) for one in webhooks],
            port=port,
            public_url=public_url.rstrip("/") if public_url else None,
            seed=None if seed is None else str(seed),
            speed=speed,
            ffmpeg=ffmpeg,
            switches=(switches or {}) | {name: value for name, value in given.items() if value is not None},
        )
        self.core: Core
        self.url = ""
        self._server: Server | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> "Simulator":
        self.core = Core(self.options)
        self._server = Server(LOOPBACK, self.options.port, create_app(self.core), Handler)
        self.url = f"http://{LOOPBACK}:{self._server.server_port}"
        self.core.start(self.url)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, name="muxsim-http", daemon=True
        )
        self._thread.start()
        return self

    def stop(self) -> None:
        """Ends within a second or so, hanging requests and receivers included."""
        if self._server is None:
            return
        self.core.stopping.set()
        self._server.shutdown()
        self._server.server_close()
        if self._thread is not None:
            self._thread.join(timeout=5)
        self.core.stop()
        self._server = None
        if self._own_dir is not None:
            self._own_dir.cleanup()

    def reset(self) -> None:
        self.core.reset()

    def __enter__(self) -> "Simulator":
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
