"""A provider of OpenID Connect on a real socket, which can lie, rotate its keys, and be slow in every way.

An honest one checks the client, the code, the redirect address and PKCE itself, as `oidc-provider-mock` does not; what
`tests/browser/test_single_sign_on.py` signs in at is that program in a process of its own.
"""

import base64
import hashlib
import hmac
import json
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET = "lessonadmin", "a secret of the client"


class _Talk(BaseHTTPRequestHandler):
    server: "_Server"

    def log_message(self, *_: object) -> None:
        """What it was asked is counted."""

    def do_GET(self) -> None:
        self._answer({})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        self._answer({name: values[0] for name, values in parse_qs(body).items()})

    def _answer(self, form: dict[str, str]) -> None:
        provider = self.server.provider
        path = urlsplit(self.path).path
        provider.asked[path] += 1
        with suppress(BrokenPipeError, ConnectionResetError):
            provider.behave(self, path, form)

    def send(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
            **headers,
        }.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    provider: "Provider"

    def handle_error(self, request: object, client_address: object) -> None:
        """A connection that breaks belongs to what is tested."""


def new_key(kid: str) -> RSAKey:
    return RSAKey.generate_key(2048, parameters={"kid": kid})


FIRST_KEY = new_key("first")


@dataclass
class Provider:
    """`person` is who signs in there; what is in `lies` takes the place of a true claim (None: it is left out)."""

    url: str
    person: dict[str, Any] = field(default_factory=lambda: {"sub": "b7c1", "email_verified": True})
    lies: dict[str, Any] = field(default_factory=dict)
    document: dict[str, Any] = field(default_factory=dict)
    keys: list[Any] = field(default_factory=lambda: [FIRST_KEY])
    sign: Callable[["Provider", dict[str, Any]], str] | None = None
    trouble: dict[str, str] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def signs_in(self, location: str) -> dict[str, str]:
        """The browser was sent here and its user says yes: the answer that it brings back."""
        assert location.startswith(f"{self.url}/authorize?"), location
        asked = {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
        assert asked["response_type"] == "code"
        assert asked["client_id"] == CLIENT
        assert asked["code_challenge_method"] == "S256"
        assert {"openid", "email"} <= set(asked["scope"].split())
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        return {"state": asked["state"], "code": code}

    def behave(self, talk: _Talk, path: str, form: dict[str, str]) -> None:
        trouble = self.trouble.get(path, "")
        if trouble == "slow":
            time.sleep(3)
        if trouble == "drip":
            self._drip(talk)
        elif trouble == "huge":
            talk.send(200, b'{"x": "' + b"x" * 400_000 + b'"}')
        elif trouble == "redirect":
            talk.send(302, b"", Location=f"{self.url}/elsewhere{path}")
        elif trouble == "noise":
            talk.send(200, b"<html>")
        elif trouble == "list":
            talk.send(200, b"[]")
        elif trouble.isdigit():
            talk.send(int(trouble), b"{}")
        else:
            self._honest(talk, path.removeprefix("/elsewhere"), form)

    def _drip(self, talk: _Talk) -> None:
        talk.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Slow: ")
        for _ in range(200):
            talk.wfile.write(b"x")
            talk.wfile.flush()
            time.sleep(0.05)

    def _honest(self, talk: _Talk, path: str, form: dict[str, str]) -> None:
        if path == "/.well-known/openid-configuration":
            talk.send(200, json.dumps(self._document()).encode())
        elif path == "/keys":
            talk.send(200, json.dumps({"keys": [key.as_dict(private=False) for key in self.keys]}).encode())
        elif path == "/token":
            self._token(talk, form)
        else:
            talk.send(404, b"{}")

    def _document(self) -> dict[str, Any]:
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
            **self.document,
        }

    def _token(self, talk: _Talk, form: dict[str, str]) -> None:
        asked = self.codes.pop(form.get("code", ""), None)
        client = base64.b64encode(f"{CLIENT}:{SECRET.replace(' ', '%20')}".encode()).decode()
        in_form = (form.get("client_id"), form.get("client_secret")) == (CLIENT, SECRET)
        proved = in_form or talk.headers.get("Authorization") == f"Basic {client}"
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        if (
            not proved
            or asked is None
            or asked["redirect_uri"] != form.get("redirect_uri")
            or asked["code_challenge"] != challenge
        ):
            talk.send(400, b'{"error": "invalid_grant"}')
        else:
            token = (self.sign or Provider.signed)(self, self._claims(asked))
            talk.send(
                200, json.dumps({"access_token": "x", "token_type": "Bearer", "id_token": token}).encode()
            )

    def _claims(self, asked: dict[str, str]) -> dict[str, Any]:
        now = int(time.time())
        true = {
            "iss": self.url,
            "aud": CLIENT,
            "iat": now,
            "exp": now + 300,
            "nonce": asked["nonce"],
            **self.person,
        }
        return {name: value for name, value in {**true, **self.lies}.items() if value is not None}

    def signed(self, claims: dict[str, Any]) -> str:
        key = self.keys[0]
        return jwt.encode({"alg": "RS256", "kid": key.kid}, claims, key)

    def signed_by_public_key(self, claims: dict[str, Any]) -> str:
        """HS256, and the secret is what all know: the public key."""
        text = _texts({"alg": "HS256", "kid": self.keys[0].kid}, claims)
        public = self.keys[0].as_pem(private=False)
        return f"{text}.{_text(hmac.new(public, text.encode(), hashlib.sha256).digest())}"

    def signed_by_stranger(self, claims: dict[str, Any]) -> str:
        stranger = new_key(self.keys[0].kid)
        return jwt.encode({"alg": "RS256", "kid": stranger.kid}, claims, stranger)

    def unsigned(self, claims: dict[str, Any]) -> str:
        return _texts({"alg": "none", "kid": self.keys[0].kid}, claims) + "."


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _texts(*parts: dict[str, Any]) -> str:
    return ".".join(_text(json.dumps(part).encode()) for part in parts)


@contextmanager
def running() -> Iterator[Provider]:
    with _Server(("127.0.0.1", 0), _Talk) as server:
        server.provider = Provider(f"http://127.0.0.1:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield server.provider
        finally:
            server.shutdown()
            thread.join()


def settings_for(provider: Provider) -> dict[str, Any]:
    """The settings of a school that uses this provider."""
    return {"oidc_issuer": provider.url, "oidc_client_id": CLIENT, "oidc_client_secret": SECRET}
