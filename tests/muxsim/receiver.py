"""A webhook receiver that remembers what came and answers as it is told."""

import hashlib
import hmac
import json
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Delivery:
    """One request that arrived."""

    at: float
    headers: dict[str, str]
    raw: bytes

    @property
    def body(self) -> dict[str, Any]:
        return json.loads(self.raw)

    def signed_with(self, secret: str, *, tolerance: float = 300) -> bool:
        """As a careful verifier does it: by the raw bytes, and not too old or too new."""
        parts = dict(
            part.split("=", 1) for part in self.headers.get("mux-signature", "").split(",") if "=" in part
        )
        if not parts.get("t", "").isdigit() or abs(time.time() - int(parts["t"])) > tolerance:
            return False
        wanted = hmac.new(secret.encode(), parts["t"].encode() + b"." + self.raw, hashlib.sha256).hexdigest()
        return hmac.compare_digest(wanted, parts.get("v1", ""))


@dataclass
class Receiver:
    """Collects deliveries. ``ask_mux`` are used up one by one, then ``usual`` is given."""

    usual: int = 204
    answers: list[int | float] = field(default_factory=list)
    got: list[Delivery] = field(default_factory=list)
    url: str = ""

    def start(self) -> None:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                receiver.got.append(Delivery(time.time(), headers, raw))
                answer = receiver.answers.pop(0) if receiver.answers else receiver.usual
                if isinstance(answer, float):
                    receiver.over.wait(answer)
                    answer = 204
                self.send_response(answer)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is http.server's
                """Quiet."""

        self.over = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self.over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def types(self) -> list[str]:
        return [one.body["type"] for one in self.got]

    def of(self, kind: str) -> list[Delivery]:
        return [one for one in self.got if one.body["type"] == kind]

    def wait(self, count: int, timeout: float = 8) -> None:
        until = time.monotonic() + timeout
        while len(self.got) < count:
            if time.monotonic() > until:
                raise AssertionError(f"only {len(self.got)} of {count} deliveries came: {len(self.got)}")
            time.sleep(0.005)
