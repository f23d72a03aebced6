"""Security headers. The strict policy is the rule; a page that needs Mux's widgets says so with `needs_widgets()`."""

import secrets

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


def reports_views() -> None:
    """The player of this page is what students watch: it may report to Mux Data, if the school has a key for that."""
    g.reports_views = True


def policy() -> str:
    settings = config.current()
    origins = " ".join(sorted({settings.mux_api_url, settings.mux_stream_url, settings.mux_image_url}))
    mux = f"{origins} {MUX_HOSTS}"
    widgets = bool(g.get("needs_widgets"))
    beacons = f" {MUX_DATA_HOSTS}" if settings.mux_env_key and g.get("reports_views") else ""
    styles = "'self' 'unsafe-inline'" if widgets else "'self'"
    rules = {
        "default-src": "'none'",
        "script-src": f"'self' 'nonce-{nonce()}'",
        "style-src": styles,
        "img-src": f"'self' data: blob: {mux}",
        "font-src": "'self' data:" if widgets else "'self'",
        "connect-src": f"'self' {mux}{beacons}",
        "media-src": f"'self' blob: {mux}",
        "worker-src": "'self' blob:" if widgets else "'self'",
        "form-action": "'self'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())


def init_app(app: Flask) -> None:
    app.jinja_env.globals["csp_nonce"] = nonce
    app.after_request(_set)


def _set(response: Response) -> Response:
    headers = response.headers
    headers.setdefault("Content-Security-Policy", policy())
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Referrer-Policy", "strict-origin-when-cross-origin")
    headers.setdefault("X-Frame-Options", "DENY")
    headers.setdefault("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    if config.current().https:
        headers.setdefault("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
    if request.endpoint != "static":
        headers.setdefault("Cache-Control", "no-store")
    return response
