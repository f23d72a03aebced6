"""A small Mux of the checks' own, written from the published API and knowing nothing of the product or of `muxsim`.

It does what it is told: checks put uploads and assets in, choose failures, and read what was asked of it.
"""

import base64
import itertools
import json
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

Doc = dict[str, Any]
NOT_FOUND = (
    404,
    {"error": {"type": "not_found", "messages": ["The requested resource either doesn't exist or you don't have access to it."]}},
)  # fmt: skip
PLAN_FULL = "Free plan is limited to 10 assets, you cannot create direct uploads while exceeding this limit"


class FakeMux:
    """State, and a server on a free port of loopback."""

    def __init__(self) -> None:
        self.uploads: dict[str, Doc] = {}
        self.assets: dict[str, Doc] = {}
        self.calls: list[tuple[str, str, str]] = []  # method, path, token id
        self.bodies: list[Doc] = []  # of POST /video/v1/uploads
        self.down = False
        self.plan_full = False
        self.token_refused = False
        self.hanging = False  # answers come when this is over, ten seconds later at the latest
        self.keeps: set[str] = set()  # assets that cannot be deleted at this moment
        self.answers_lost = False  # what is asked is done, and the answer is a gateway's
        self._number = itertools.count(1)
        handler = type("Handler", (_Handler,), {"mux": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def calm(self) -> None:
        self.down = self.plan_full = self.token_refused = self.hanging = self.answers_lost = False
        self.keeps.clear()

    def asset(self, status: str = "preparing", **more: Any) -> Doc:
        """An asset that exists at Mux from now on; its playback id is there from the start, as at Mux."""
        made: Doc = {
            "id": f"A{uuid.uuid4().hex}",
            "status": status,
            "created_at": str(int(time.time())),
            "playback_ids": [{"id": f"P{uuid.uuid4().hex}", "policy": "public"}],
            **more,
        }
        if status == "ready":
            made.setdefault("duration", 12.5)
        self.assets[made["id"]] = made
        return made

    def upload(self, passthrough: Doc, **more: Any) -> Doc:
        """An upload that another program asked for."""
        made: Doc = {
            "id": f"U{uuid.uuid4().hex}",
            "status": "waiting",
            "timeout": 3600,
            "cors_origin": "*",
            "new_asset_settings": {"playback_policies": ["public"], "passthrough": json.dumps(passthrough)},
            **more,
        }
        self.uploads[made["id"]] = made
        return made

    def asset_of(self, upload_id: str, status: str = "preparing", **more: Any) -> Doc:
        """The file of this upload came in: it has an asset now."""
        upload = self.uploads[upload_id]
        settings = upload["new_asset_settings"]
        made = self.asset(
            status,
            upload_id=upload_id,
            passthrough=settings.get("passthrough"),
            **{"meta": settings.get("meta", {}), **more},
        )
        upload |= {"status": "asset_created", "asset_id": made["id"]}
        return made

    def asked(self, method: str, path: str) -> int:
        return sum(1 for one in list(self.calls) if one[0] == method and one[1] == path)

    def create_upload(self, body: Doc) -> tuple[int, Doc]:
        self.bodies.append(body)
        if self.plan_full:
            return 400, {"error": {"type": "invalid_parameters", "messages": [PLAN_FULL]}}
        made: Doc = {
            "id": f"U{uuid.uuid4().hex}",
            "url": f"{self.url}/put/{next(self._number)}?token=secret",
            "status": "waiting",
            "timeout": body.get("timeout", 3600),
            "cors_origin": body.get("cors_origin"),
            "new_asset_settings": body.get("new_asset_settings", {}),
        }
        self.uploads[made["id"]] = made
        return 201, {"data": made}

    def answer(
        self, method: str, path: str, query: dict[str, list[str]], body: Doc
    ) -> tuple[int, Doc | None]:
        parts = path.strip("/").split("/")[2:]
        if parts == ["uploads"]:
            if method == "POST":
                return self.create_upload(body)
            return 200, {"data": _page(list(self.uploads.values()), query)}
        if parts == ["assets"]:
            wanted = query.get("upload_id")
            found = [one for one in self.assets.values() if not wanted or one.get("upload_id") in wanted]
            return 200, {"data": _page(found, query), "next_cursor": None}
        if len(parts) >= 2 and parts[0] == "uploads":
            return self._one_upload(method, parts)
        if len(parts) == 2 and parts[0] == "assets" and parts[1] in self.assets:
            if method == "DELETE" and parts[1] in self.keeps:
                return 503, {"error": {"type": "unavailable", "messages": ["not now"]}}
            if method == "DELETE":
                del self.assets[parts[1]]
                return 204, None
            return 200, {"data": self.assets[parts[1]]}
        return NOT_FOUND

    def _one_upload(self, method: str, parts: list[str]) -> tuple[int, Doc | None]:
        found = self.uploads.get(parts[1])
        if found is None:
            return NOT_FOUND
        if method == "PUT" and parts[2:] == ["cancel"]:
            if found["status"] != "waiting":
                return 403, {"error": {"type": "forbidden", "messages": ["cannot be cancelled"]}}
            found["status"] = "cancelled"
        return 200, {"data": {key: value for key, value in found.items() if key != "url"}}


def _page(things: list[Doc], query: dict[str, list[str]]) -> list[Doc]:
    limit, page = int(query.get("limit", ["25"])[0]), int(query.get("page", ["1"])[0])
    newest_first = things[::-1]
    return newest_first[(page - 1) * limit : page * limit] if "cursor" not in query else []


class _Handler(BaseHTTPRequestHandler):
    mux: FakeMux
    protocol_version = "HTTP/1.1"

    def _any(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        raw = self.rfile.read(length)
        parts = urlsplit(self.path)
        credentials = self.headers.get("Authorization", "").removeprefix("Basic ")
        token = base64.b64decode(credentials).decode().partition(":")[0]
        self.mux.calls.append((self.command, parts.path, token))
        waits_until = time.monotonic() + 10
        while self.mux.hanging and time.monotonic() < waits_until:
            time.sleep(0.02)
        if self.mux.down:
            status, answer = 503, {"error": {"type": "unavailable", "messages": ["down"]}}
        elif not token or self.mux.token_refused:
            status, answer = 401, {"error": {"type": "unauthorized", "messages": ["Unauthorized"]}}
        else:
            body = json.loads(raw) if raw else {}
            status, answer = self.mux.answer(self.command, parts.path, parse_qs(parts.query), body)
            if self.mux.answers_lost:
                status, answer = 502, {"error": "Bad Gateway"}
        payload = b"" if answer is None else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _any  # noqa: N815 - the library's names

    def log_message(self, *_: object) -> None:
        """Silent."""
