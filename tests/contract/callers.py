"""Callers from outside: programs with a bearer token, people with a browser's cookies, and Mux with its signature."""

import hashlib
import hmac
import http.client
import json
import re
import time
import uuid
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

Doc = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> str:
        """The type of the contract's error."""
        return str(self.json["error"]["type"])

    @property
    def location(self) -> str:
        return urlsplit(self.headers.get("Location", "")).path

    def expect(self, status: int) -> "Answer":
        assert self.status == status, f"{self.status} instead of {status}: {self.body[:600]!r}"
        return self


def send(
    origin: str, method: str, path: str, *, body: bytes | None = None, headers: dict[str, str] | None = None
) -> Answer:
    connection = http.client.HTTPConnection(urlsplit(origin).netloc, timeout=30)
    try:
        connection.request(method, path, body=body, headers=headers or {})
        found = connection.getresponse()
        return Answer(found.status, found.headers, found.read())
    finally:
        connection.close()


@dataclass
class Caller:
    """A program with a token, or without one."""

    origin: str
    token: str | None = None
    id: str = ""
    email: str = ""
    role: str = ""

    def call(self, method: str, path: str, given: Any = None, **headers: str) -> Answer:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.token:
            sent["Authorization"] = f"Bearer {self.token}"
        body = None
        if given is not None:
            body, sent["Content-Type"] = json.dumps(given).encode(), "application/json"
        return send(self.origin, method, path, body=body, headers=sent)

    def get(self, path: str, **query: object) -> Answer:
        return self.call("GET", f"{path}?{urlencode(query)}" if query else path)

    def post(self, path: str, given: Any = None) -> Answer:
        return self.call("POST", path, given)

    def patch(self, path: str, given: Any) -> Answer:
        return self.call("PATCH", path, given)

    def delete(self, path: str) -> Answer:
        return self.call("DELETE", path)

    # what many checks begin with

    def lesson(self, **more: Any) -> Doc:
        found: Doc = self.post("/api/lessons", {"title": "A lesson", **more}).expect(201).json
        return found

    def course(self, **more: Any) -> Doc:
        found: Doc = self.post("/api/courses", {"title": "A course", **more}).expect(201).json
        return found

    def upload(self, **owner: str) -> Doc:
        asked = {"filename": "film.mp4", "size": 1000, "content_type": "video/mp4", **owner}
        found: Doc = self.post("/api/mux/upload-url", asked).expect(201).json
        return found

    def seen(self, lesson_id: str) -> Doc:
        found: Doc = self.get(f"/api/lessons/{lesson_id}").expect(200).json
        return found


@dataclass
class Browser:
    """A person with cookies, who follows no redirect by itself."""

    origin: str
    cookies: dict[str, str] = field(default_factory=dict)

    def send(
        self, method: str, path: str, *, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> Answer:
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        found = send(self.origin, method, path, body=body, headers={**(headers or {}), "Cookie": cookie})
        for line in found.headers.get_all("Set-Cookie") or []:
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name] = value
        return found

    def get(self, path: str) -> Answer:
        return self.send("GET", path)

    def csrf(self, path: str = "/account") -> str:
        found = re.search(r'<meta name="csrf-token" content="([^"]+)"', self.get(path).text)
        assert found is not None, f"no csrf-token in {path}"
        return found[1]

    def post(self, path: str, form: list[tuple[str, str]], *, csrf: str | None = None) -> Answer:
        sent = [*form, ("csrf_token", self.csrf() if csrf is None else csrf)]
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.send("POST", path, body=urlencode(sent).encode(), headers=headers)

    def sign_in(self, email: str, password: str) -> Answer:
        form = [("email", email), ("password", password)]
        return self.post("/login", form, csrf=self.csrf("/login"))


def sign(secret: str, body: bytes, *, at: int | None = None) -> str:
    """`Mux-Signature`, by hand."""
    moment = int(time.time()) if at is None else at
    digest = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={moment},v1={digest}"


@dataclass
class Hook:
    """Mux calling the webhook."""

    origin: str
    secret: str

    def raw(self, body: bytes, signature: str | None, path: str = "/api/webhooks/mux") -> Answer:
        headers = {"Content-Type": "application/json"}
        if signature is not None:
            headers["Mux-Signature"] = signature
        return send(self.origin, "POST", path, body=body, headers=headers)

    def event(self, type_: str, data: Doc, **more: Any) -> Answer:
        """One event in Mux's envelope; keys of the envelope can be given."""
        kind = type_.split(".")[1]
        envelope = {
            "type": type_,
            "id": str(uuid.uuid4()),
            "created_at": "2026-11-20T10:00:00.000000Z",
            "object": {"type": kind, "id": data.get("id")},
            "environment": {"name": "Production", "id": "env1"},
            "data": data,
            "request_id": None,
            "accessor": None,
            "accessor_source": None,
            "attempts": [],
            **more,
        }
        body = json.dumps(envelope).encode()
        return self.raw(body, sign(self.secret, body))

    def asset(self, kind: str, asset: Doc, **more: Any) -> Answer:
        """An asset event: over webhooks an asset's `created_at` is a number."""
        data = {**asset, "created_at": int(asset.get("created_at", time.time())), "mp4_support": "none"}
        return self.event(f"video.asset.{kind}", data, **more)

    def upload(self, kind: str, upload: Doc, **more: Any) -> Answer:
        data = {key: value for key, value in upload.items() if key != "url"}
        return self.event(f"video.upload.{kind}", data, **more)
