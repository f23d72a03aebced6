"""A stand-in for an S3-compatible store, over real HTTP: keeps objects in memory, checks each signature, and fails on demand."""

import hashlib
import hmac
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.settings import overridden

BUCKET, KEY_ID, SECRET = "school-files", "key-of-the-bucket", "secret-of-the-bucket"


class Store:
    """What it holds, what it was asked, and how it fails: `fails` is a status for every answer."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.fails: int | None = None
        self.url = ""


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")


def _signature_of(handler: BaseHTTPRequestHandler) -> str:
    """The signature that a client with the right secret sends for this request (AWS Signature Version 4)."""
    given = handler.headers["Authorization"]
    scope = given.partition(f"Credential={KEY_ID}/")[2].partition(",")[0]
    names = given.partition("SignedHeaders=")[2].partition(",")[0]
    path, _, query = handler.path.partition("?")
    headers = "".join(f"{name}:{handler.headers[name].strip()}\n" for name in names.split(";"))
    whole = "\n".join((handler.command, path, query, headers, names, handler.headers["X-Amz-Content-SHA256"]))
    hashed = hashlib.sha256(whole.encode()).hexdigest()
    text = "\n".join(("AWS4-HMAC-SHA256", handler.headers["X-Amz-Date"], scope, hashed))
    key = f"AWS4{SECRET}".encode()
    for part in scope.split("/"):
        key = _hmac(key, part)
    return _hmac(key, text).hex()


def _handler(store: Store) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _handle(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            store.asked.append(f"{self.command} {self.path}")
            if store.fails is not None:
                return self._answer(store.fails, b"<Error><Code>SlowDown</Code></Error>")
            if not self.headers.get("Authorization", "").endswith(_signature_of(self)):
                return self._answer(403, b"<Error><Code>SignatureDoesNotMatch</Code></Error>")
            bucket, _, key = self.path.lstrip("/").partition("/")
            if bucket != BUCKET:
                return self._answer(404, b"<Error><Code>NoSuchBucket</Code></Error>")
            return self._of_key(key, body)

        def _of_key(self, key: str, body: bytes) -> None:
            if self.command == "PUT":
                store.objects[key] = body
                return self._answer(200)
            if self.command == "DELETE":
                store.objects.pop(key, None)
                return self._answer(204)
            if self.command == "HEAD":
                return self._answer(200)
            if key not in store.objects:
                return self._answer(404, b"<Error><Code>NoSuchKey</Code></Error>")
            wanted = self.headers.get("Range", "bytes=0-")
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
            return self._answer(206 if start else 200, store.objects[key][start:])

        do_GET = do_PUT = do_DELETE = do_HEAD = _handle  # noqa: N815 - the names that http.server looks for

        def _answer(self, status: int, body: bytes = b"") -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            return None

    return Handler


@contextmanager
def serving() -> Iterator[Store]:
    """The stand-in on a port of its own."""
    store = Store()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(store))
    server.daemon_threads = True
    store.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield store
    finally:
        server.shutdown()
        server.server_close()


def settings_of(store: Store) -> dict[str, str]:
    """The environment of an installation that uses it."""
    return {
        "FILES_BUCKET": BUCKET,
        "FILES_ENDPOINT": store.url,
        "FILES_ACCESS_KEY_ID": KEY_ID,
        "FILES_SECRET_ACCESS_KEY": SECRET,
    }


@contextmanager
def file_store(**changes: object) -> Iterator[Store]:
    """The stand-in, and the settings of this process lead to it."""
    with serving() as store:
        told = {name.lower(): value for name, value in settings_of(store).items()}
        with overridden(**(told | changes)):
            yield store
