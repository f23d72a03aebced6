"""Security headers. The strict policy is the rule, and it allows no address but the app's.

A page with Mux's uploader or player says so with `needs_widgets()`, one that sends files by itself with `sends_files()`, one with
pictures of videos with `shows_pictures()`.
"""

import secrets
from urllib.parse import urlsplit

from flask import Flask, Response, g, request

from lessonadmin import config

MUX_HOSTS = "https://*.mux.com https://storage.googleapis.com"
# Where a player sends what it measures: a host of the environment's own, or the common one.
MUX_DATA_HOSTS = "https://*.litix.io"


def nonce() -> str:
    """The nonce that scripts of this response carry."""
    if "nonce" not in g:
        g.nonce = secrets.token_urlsafe(16)
    return str(g.nonce)


def needs_widgets() -> None:
    """This page carries the uploader or the player: their shadow styles, blobs and connections are let through."""
    g.needs_widgets = True


def sends_files() -> None:
    """This page sends files to Mux by its own script: connections to Mux are let through, and nothing else."""
    g.sends_files = True


def shows_pictures() -> None:
    """This page may show still pictures of videos, which Mux serves; now, or in a part that it fetches later."""
    g.shows_pictures = True


def reports_views() -> None:
    """The player of this page is what students watch: it may report to Mux Data, if the school has a key for that."""
    g.reports_views = True


def _origin(address: str) -> str:
    """An address as a policy names it: a path there would let through that one path alone."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _strict(script_source: str) -> dict[str, str]:
    return {
        "default-src": "'none'",
        "script-src": script_source,
        "style-src": "'self'",
        "img-src": "'self' data:",
        "font-src": "'self'",
        "connect-src": "'self'",
        "worker-src": "'self'",
        "form-action": "'self'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }


def _in_words(rules: dict[str, str]) -> str:
    return "; ".join(f"{name} {value}" for name, value in rules.items())


def policy() -> str:
    settings = config.current()
    # The nonce alone: modules hand it on to what they import, and no other file of this server runs.
    rules = _strict(f"'nonce-{nonce()}'")
    if g.get("shows_pictures"):
        rules["img-src"] += f" {_origin(settings.mux_image_url)}"
    if g.get("sends_files"):
        rules["connect-src"] += f" {_origin(settings.mux_api_url)} {MUX_HOSTS}"
    if g.get("needs_widgets"):
        addresses = (settings.mux_api_url, settings.mux_stream_url, settings.mux_image_url)
        mux = " ".join([*sorted(set(map(_origin, addresses))), MUX_HOSTS])
        beacons = f" {MUX_DATA_HOSTS}" if settings.mux_env_key and g.get("reports_views") else ""
        rules |= {
            "style-src": "'self' 'unsafe-inline'",
            "img-src": f"'self' data: blob: {mux}",
            "font-src": "'self' data:",
            "connect-src": f"'self' {mux}{beacons}",
            "media-src": f"'self' blob: {mux}",
            "worker-src": "'self' blob:",
        }
    else:  # Mux's components write HTML of their own
        rules |= {"require-trusted-types-for": "'script'", "trusted-types": "lessonadmin"}
    return _in_words(rules)


def always(content_security_policy: str) -> dict[str, str]:
    """What every answer carries."""
    found = {
        "Content-Security-Policy": content_security_policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "strict-origin-when-cross-origin",
        "X-Frame-Options": "DENY",
        "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
    }
    if config.current().https:
        found["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
    return found


def of_an_empty_answer() -> dict[str, str]:
    """The same and never stored, for an answer without a page: nothing in it could run a script."""
    return always(_in_words(_strict("'none'"))) | {"Cache-Control": "no-store"}


def init_app(app: Flask) -> None:
    app.jinja_env.globals["csp_nonce"] = nonce
    app.after_request(_set)


def _set(response: Response) -> Response:
    for name, value in always(policy()).items():
        response.headers.setdefault(name, value)
    if request.endpoint != "static":
        response.headers.setdefault("Cache-Control", "no-store")
    return response
