"""The cookie by which a browser is known again at its next sign-in. It opens nothing and says nothing of who signed in.

It is given only by a sign-in, and lives on when the session ends: that is when it is needed.
"""

import re
import secrets

from flask import Flask, Response, g, request
from flask.sessions import SecureCookieSessionInterface, SessionMixin

from lessonadmin import config
from lessonadmin.domain.accounts import known_browsers

SANE = re.compile(r"[\w\-]{43}", re.ASCII)


def name() -> str:
    return "__Host-browser" if config.current().https else "browser"


def secret() -> str:
    """The one that this browser has, or a new one for it to keep."""
    if "browser_secret" not in g:
        given = request.cookies.get(name(), "")
        g.browser_secret = given if SANE.fullmatch(given) else secrets.token_urlsafe(32)
    return str(g.browser_secret)


def keep() -> None:
    """This browser signs in: the answer brings the cookie, for another 90 days."""
    g.keeps_browser = True


class Cookies(SecureCookieSessionInterface):
    """Both cookies of a sign-in, the session's first: there are programs that read one alone."""

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        super().save_session(app, session, response)
        if g.get("keeps_browser"):
            _set(response)


def init_app(app: Flask) -> None:
    app.session_interface = Cookies()


def _set(response: Response) -> None:
    response.set_cookie(
        name(),
        secret(),
        max_age=known_browsers.LIFE,
        secure=config.current().https,
        httponly=True,
        samesite="Lax",
    )
