"""A piece of a page, for a page that is open already: asked for by the header X-Fragment, answered under its name.

Its status travels in a header of its own, since a form that was filled in wrongly is no failure of the connection, and
browsers write such failures to their console. A page that names what it has (If-None-Match) and has it still gets an
empty answer, 304. The token against forged requests counts as unchanged as long as it belongs to the same session.
"""

import hashlib

from flask import Response, g, make_response, request, session


def wanted() -> bool:
    """Does an open page ask for a part, rather than a user for the page?"""
    return "X-Fragment" in request.headers


def answer(html: str, *, name: str, status: int = 200, address: str | None = None) -> Response:
    """`address`: where the thing that was made has its page."""
    response = make_response(html)
    response.headers["X-Fragment"] = name
    response.headers["X-Status"] = str(status)
    if address is not None:
        response.headers["Location"] = address
    if request.method == "GET":
        response.set_etag(_version(html), weak=True)
        response.make_conditional(request)
    return response


def _version(html: str) -> str:
    """What the reader would see as a change. The token is another in each answer, and what it proves is the same."""
    proof = str(session.get("csrf_token", ""))
    token = g.get("csrf_token_masked")
    seen = html.replace(token, "") if token else html
    return hashlib.sha256((seen + proof).encode()).hexdigest()[:24]
