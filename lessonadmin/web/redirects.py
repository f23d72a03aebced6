"""Redirects: a response sends a browser to a page of the app, and nowhere else but to the provider of single sign-on.

`own` is the one rule for every address that a request asks to be led to. A last look at every answer holds to the same
rule, so that no view and no library can lead elsewhere by mistake. No foreign address is ever followed.
"""

import logging

from flask import Flask, Response, g, redirect, request
from werkzeug.wrappers import Response as AnyResponse

log = logging.getLogger(__name__)

MAX_LENGTH = 2000
HOME = "/"


def own(text: str) -> str | None:
    """The address, if it is a path of the app: one slash, and nothing that a browser reads as the way to another host.

    Stricter than browsers have to be: a backslash counts as a slash there, and tabs and line ends count as nothing.
    """
    path = text.partition("?")[0].partition("#")[0]
    leads_away = not path.startswith("/") or "//" in path or "\\" in text
    plain = all(31 < ord(character) < 127 or ord(character) > 159 for character in text)
    return text if plain and not leads_away else None


def asked(name: str) -> str | None:
    """Where the request wants to be led afterwards, if that is a page of the app."""
    text = request.values.get(name, "")
    return own(text) if len(text) <= MAX_LENGTH else None


def to_provider(address: str) -> AnyResponse:
    """To the provider of single sign-on, whose address is of its own settings and never of the request."""
    g.provider_address = address
    return redirect(address)


def init_app(app: Flask) -> None:
    app.after_request(_hold)


def _hold(response: Response) -> Response:
    """Every `Location` becomes a path of the app; what leads elsewhere leads to the first page instead."""
    given = response.headers.get("Location")
    if given is None or given == g.get("provider_address"):
        return response
    # Routing itself answers with whole addresses (`/admin/lesson` to `http://HOST/admin/lesson/`).
    path = given.removeprefix(request.host_url.rstrip("/"))
    if own(path) is None:
        log.warning("an answer of %s led elsewhere and was held back", request.endpoint)
        path = HOME
    if path != given:
        response.headers["Location"] = path
        response.set_data(b"")  # the words of a redirect repeat where it leads
    return response
