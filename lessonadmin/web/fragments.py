"""A piece of a page, for a page that is open already: asked for by the header X-Fragment, answered under its name.

Its status travels in a header of its own, since a form that was filled in wrongly is no failure of the connection, and
browsers write such failures to their console.
"""

from flask import Response, make_response, request


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
    return response
