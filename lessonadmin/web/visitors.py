"""The client of a request: its address, its scheme, and whether it asked for the host of PUBLIC_URL.

The one place that reads what proxies write into requests. `X-Forwarded-For` and `X-Forwarded-Proto` count when they come
from a peer that TRUSTED_PROXIES names; `Forwarded`, `X-Real-IP` and `X-Forwarded-Host` never do. A `Host` that is not
the one of PUBLIC_URL gets as far as the 400, and no page and no redirect is made of it.
"""

import ipaddress
import re
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, abort, request
from sqlalchemy.exc import SQLAlchemyError

from lessonadmin import config
from lessonadmin.db import db
from lessonadmin.domain import heartbeats
from lessonadmin.security import addresses, security_events

KEY = "lessonadmin.visitor"
NOT_OUR_HOST = "This address belongs to another site. Please use the one that your school gave you."
# Asked by programs that know the machine and not the site.
ANY_HOST = frozenset({"health", "metrics"})
WRITTEN_BY_PROXIES = (
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_FORWARDED",
    "HTTP_X_REAL_IP",
)
HOST = re.compile(r"(?P<name>[\w.\-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?", re.ASCII | re.IGNORECASE)
REMEMBERED_EVERY_SECONDS = 60.0


@dataclass(frozen=True)
class Visitor:
    """`unheard`: an untrusted proxy wrote where the request comes from."""

    address: str
    peer: str
    unheard: bool
    our_host: bool


def look(environ: dict[str, Any]) -> Visitor:
    settings = config.current()
    peer = environ.get("REMOTE_ADDR") or ""
    forwarded = environ.get("HTTP_X_FORWARDED_FOR", "")
    return Visitor(
        address=addresses.visitor(peer, forwarded, settings.trusted_proxies),
        peer=peer,
        unheard=bool(forwarded) and not settings.trusted_proxies.holds(peer),
        our_host=_is_ours(environ, peer),
    )


def address() -> str:
    """Where the request comes from; empty if it came through a unix socket without a trusted header."""
    return _seen().address


def _seen() -> Visitor:
    found: Visitor = request.environ.get(KEY) or look(request.environ)
    return found


def _is_ours(environ: dict[str, Any], peer: str) -> bool:
    given = HOST.fullmatch(environ.get("HTTP_HOST", ""))
    if given is None:
        return False
    name = given["name"].lower().strip("[]")
    ours = _name(config.current().public_url)
    if name == ours or (_of_this_machine(name) and _of_this_machine(ours)):
        return True
    nearby = addresses.is_loopback(peer) and not any(header in environ for header in WRITTEN_BY_PROXIES)
    return nearby and _of_this_machine(name)


@cache
def _name(public_url: str) -> str:
    """Its host as browsers send it."""
    host = urlsplit(public_url).hostname or ""
    try:
        return host.encode("idna").decode()
    except UnicodeError:
        return host


def _of_this_machine(name: str) -> bool:
    try:
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


class ProxyMiddleware:
    """Around the application, so that routing sees a scheme and a host that are true."""

    def __init__(self, inside: Any) -> None:
        self.inside = inside

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        seen = environ[KEY] = look(environ)
        settings = config.current()
        if settings.trusted_proxies.holds(seen.peer):
            scheme = environ.get("HTTP_X_FORWARDED_PROTO", "").rpartition(",")[2].strip().lower()
            if scheme in ("http", "https"):
                environ["wsgi.url_scheme"] = scheme
        if not seen.our_host:
            environ["HTTP_HOST"] = urlsplit(settings.public_url).netloc
        answer: Iterable[bytes] = self.inside(environ, start_response)
        return answer


def init_app(app: Flask) -> None:
    app.wsgi_app = ProxyMiddleware(app.wsgi_app)  # type: ignore[method-assign]  # Flask's documented way
    app.before_request(_refuse_other_hosts)
    app.before_request(_remember_the_unheard)


def _refuse_other_hosts() -> None:
    if request.blueprint not in ANY_HOST and not _seen().our_host:
        security_events.record("host_refused", path=request.path)
        abort(400, NOT_OUR_HOST)


_lock = threading.Lock()
_remembered_at = -REMEMBERED_EVERY_SECONDS


def _remember_the_unheard() -> None:
    """For the doctor: a proxy that TRUSTED_PROXIES does not name. A flood of such requests costs one write a minute."""
    global _remembered_at
    seen = _seen()
    if not seen.unheard or request.blueprint in ANY_HOST or request.endpoint == "static":
        return
    with _lock:
        if time.monotonic() - _remembered_at < REMEMBERED_EVERY_SECONDS:
            return
        _remembered_at = time.monotonic()
    try:
        heartbeats.record(heartbeats.UNHEARD, peer=seen.peer)
    except SQLAlchemyError:
        db.session.rollback()
