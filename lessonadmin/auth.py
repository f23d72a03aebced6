"""Who sends a request, and may they send it: the table blueprint -> guard, sessions, bearer tokens, CSRF.

A route whose blueprint is not in the table is refused, so a new blueprint is closed until it has a guard. What a
person may do with one lesson is decided in `domain.permissions`, not here.
"""

import uuid
from dataclasses import dataclass

from flask import Flask, abort, g, redirect, request, session, url_for
from flask_wtf import CSRFProtect
from flask_wtf.csrf import generate_csrf
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.wrappers import Response

from lessonadmin.database import row_access
from lessonadmin.database.row_access import EVERYTHING, RowAccess
from lessonadmin.db import Actor, db
from lessonadmin.domain.accounts import sessions, tokens
from lessonadmin.domain.errors import Forbidden, Missing
from lessonadmin.domain.models import User, UserSession, accounts
from lessonadmin.domain.models.accounts import Role, SignInWay
from lessonadmin.domain.second_factor import factors
from lessonadmin.domain.second_factor.entrance import Browser
from lessonadmin.observability import logs
from lessonadmin.security import browser_cookie, csrf_mask, security_events
from lessonadmin.web import fragments, visitors


class MaskedCSRF(CSRFProtect):  # type: ignore[misc]  # the package has no types
    """The token comes back under the mask under which it went out."""

    def _get_csrf_token(self) -> str | None:
        text = super()._get_csrf_token()
        return csrf_mask.unmasked(text) if text else text


csrf = MaskedCSRF()
READING = frozenset({"GET", "HEAD", "OPTIONS"})
ITS_DATE_IS_OVER = "This token has reached its date. Make a new one on your account page."


class NotSignedIn(Exception):
    """The page needs a signed-in user and there is none."""


@dataclass(frozen=True)
class Guard:
    """Who comes in (`roles`), who may write, and how the others are sent away."""

    roles: frozenset[str]
    says: str
    public: bool = False
    signed_by_mux: bool = False
    hidden: bool = False  # answers 404 to everyone but staff, who then do not learn that the page exists
    students_to_catalog: bool = False


EVERYONE: frozenset[str] = frozenset(accounts.ROLES)
PUBLIC = Guard(EVERYONE, "anyone", public=True)
MUX = Guard(frozenset(), "Mux, by signature", signed_by_mux=True)
SIGNED_IN = Guard(EVERYONE, "anyone signed in")
TEACHING = Guard(frozenset(accounts.TEACHING), "instructors and staff", students_to_catalog=True)
STAFF = Guard(frozenset(accounts.STAFF), "support and admin", hidden=True)
ADMIN = Guard(frozenset({"admin"}), "admin", hidden=True)

# Where a bearer token is taken at all; everywhere else a request that has nothing else is not signed in.
TAKES_TOKENS = frozenset({"api", "metrics"})

GUARDS: dict[str, Guard] = {
    "health": PUBLIC,
    "metrics": PUBLIC,  # the view itself asks for its own token or for staff
    "sign_in": PUBLIC,
    "second_step": PUBLIC,
    "single_sign_on": PUBLIC,
    "security_contact": PUBLIC,
    "home": SIGNED_IN,
    "account": SIGNED_IN,
    "sign_in_methods": SIGNED_IN,
    "account_links": PUBLIC,  # their secrets prove who asks
    "caption_text": PUBLIC,  # its address is signed, for Mux
    "shared_preview": PUBLIC,  # so does the one in its address
    "notices": SIGNED_IN,
    "catalog": SIGNED_IN,
    "lessons": TEACHING,
    "courses": TEACHING,
    "trash": TEACHING,
    "figures": TEACHING,
    "api": SIGNED_IN,
    "webhooks": MUX,
    "admin": STAFF,
    "admin_user": ADMIN,
}


# What opens whatever an account still has to do: signing in as another user, and out.
IN_AND_OUT = frozenset({"sign_in", "second_step", "single_sign_on"})


@dataclass(frozen=True)
class Duty:
    """What an account has to do before anything else opens: where that is done, what it opens, and what calls are answered."""

    page: str
    opens: frozenset[str]  # endpoints, or whole blueprints
    type: str
    says: str

    def allows(self, endpoint: str | None, blueprint: str | None) -> bool:
        return endpoint in self.opens or blueprint in self.opens or blueprint in IN_AND_OUT


OWN_PASSWORD = Duty(
    page="account.show",
    opens=frozenset({"account.show", "account.change_password"}),
    type="password_change_required",
    says="The password of this account is temporary. Sign in to the website and choose your own first.",
)
SECOND_FACTOR = Duty(
    page="sign_in_methods.show",
    opens=frozenset({"sign_in_methods"}),
    type="second_factor_required",
    says="This account needs a second step to sign in. Sign in to the website and set it up first.",
)


def guard_for(endpoint: str | None, blueprint: str | None) -> Guard | None:
    """The guard of a route; None if its blueprint has none."""
    if endpoint == "static":
        return PUBLIC
    name = (blueprint or "").split(".")[0]
    if name in GUARDS:
        return GUARDS[name]
    return STAFF if name.startswith("admin_") else None


@dataclass(frozen=True)
class Identity:
    """Who asks. The plain values stay readable when the database has gone away in the middle of a request."""

    user: User
    session_id: uuid.UUID | None
    user_id: uuid.UUID
    role: Role
    name: str
    email: str
    duty: Duty | None = None
    reads_only: bool = False
    way: SignInWay | None = None  # of its session

    @classmethod
    def of_session(cls, user: User, session: UserSession) -> "Identity":
        # Only who typed a temporary password has to choose another: it opens nothing for those who came another way.
        typed = user.must_change_password and session.way == "password"
        duty = _duty_of(typed, not session.second_factor and factors.are_required_of(user))
        return cls(user, session.id, *_plain(user), duty, way=session.typed_way)

    @classmethod
    def of_token(cls, user: User, *, reads_only: bool) -> "Identity":
        duty = _duty_of(user.must_change_password, factors.hold_back_tokens_of(user))
        return cls(user, None, *_plain(user), duty, reads_only)

    @property
    def initial(self) -> str:
        return self.name[:1].upper()

    @property
    def is_staff(self) -> bool:
        return self.role in accounts.STAFF


def _plain(user: User) -> tuple[uuid.UUID, Role, str, str]:
    return user.id, user.typed_role, str(user), user.email


def _duty_of(has_temporary_password: bool, lacks_second_factor: bool) -> Duty | None:
    if has_temporary_password:
        return OWN_PASSWORD
    return SECOND_FACTOR if lacks_second_factor else None


def identity() -> Identity | None:
    found: Identity | None = g.get("identity")
    return found


def current_user() -> User:
    """The signed-in user; behind a guard there always is one."""
    found = identity()
    if found is None:
        raise NotSignedIn
    return found.user


def current_actor(*, reason: str | None = None) -> Actor:
    return Actor.user(current_user().id, reason=reason)


def address() -> str:
    """The client's address, as sessions, failed sign-ins and the audit trail store it."""
    return visitors.address()


def begin_session(secret: str) -> None:
    """A new session for a new sign-in: nothing of the one before survives."""
    session.clear()
    session["secret"] = secret
    session.permanent = True
    browser_cookie.keep()


def begin_second_step(secret: str) -> None:
    """A sign-in that waits for its second step: it is known in this browser alone, and the user who was signed in here is not any more."""
    session.clear()
    session["pending"] = secret
    g.identity = None


def pending_secret() -> str | None:
    """Of the sign-in that waits in this browser."""
    found = session.get("pending")
    return found if isinstance(found, str) else None


def browser() -> Browser:
    """The browser that signs in, with the session that it has."""
    found = identity()
    return Browser(
        address=address(),
        user_agent=request.headers.get("User-Agent", ""),
        session_id=found.session_id if found else None,
        secret=browser_cookie.secret(),
    )


def end_session() -> None:
    session.clear()
    g.identity = None


def _find_out() -> Identity | None:
    header = request.headers.get("Authorization", "")
    if request.blueprint in TAKES_TOKENS and header[:7].lower() == "bearer ":
        return _by_token(header[7:].strip())
    secret = session.get("secret")
    if not isinstance(secret, str):
        return None
    known = sessions.by_session(secret, seen=not _asks_by_itself())
    return Identity.of_session(*known) if known else None


def _by_token(secret: str) -> Identity | None:
    try:
        found = tokens.whose(secret, address=address())
    except tokens.Expired:
        g.token_expired = True
        return None
    return Identity.of_token(found[0], reads_only=found[1].scope == "read") if found else None


def _token_has_expired() -> bool:
    """Did the request bring a right token, too late?"""
    return bool(g.get("token_expired"))


def note_wrong_token() -> None:
    """Record a token that is unknown or has expired; for every place that refuses a request without a user."""
    if request.blueprint in TAKES_TOKENS and "Authorization" in request.headers and identity() is None:
        security_events.record("expired_token" if _token_has_expired() else "bad_token")


def need_write() -> None:
    """What changes something, here or at Mux, is closed to a token that may only read."""
    found = identity()
    if found is not None and found.reads_only:
        raise Forbidden(
            "insufficient_scope", "This token may only read. Make one that may also change things."
        )


def _asks_by_itself() -> bool:
    """Does an open page repeat this request by itself, rather than a user?"""
    if request.endpoint == "lessons.unsaved_changes":
        return "attempt" in request.form
    counted = request.method in READING and "attempt" in request.args
    return counted and (fragments.wanted() or request.path == "/api/mux/check-asset-status")


def _check() -> Response | None:
    if request.endpoint is None:
        _recognise()
        return None  # no such route: the 404 follows, with the navigation of this user
    guard = guard_for(request.endpoint, request.blueprint)
    if guard is None:
        abort(404)
    if guard.signed_by_mux:
        return None
    if request.endpoint == "static" or request.endpoint.endswith(".static") or request.blueprint == "health":
        return None
    g.identity = _find_out()
    if g.identity is not None:
        logs.who.set(f"user:{g.identity.user_id}")
        _open_rows(g.identity)
    refusal = _duty_first() or (None if guard.public else _refuse(guard))
    if refusal is not None:
        return refusal
    if request.method not in READING:
        need_write()
    if identity() is None or identity().session_id is not None:  # type: ignore[union-attr]  # checked on its left
        csrf.protect()
    return None


def _recognise() -> None:
    """Find out who asks where nothing depends on it."""
    try:
        g.identity = _find_out()
        if g.identity is not None:
            _open_rows(g.identity)
    except SQLAlchemyError:
        db.session.rollback()


def _open_rows(found: Identity) -> None:
    """From here on the request sees what its user may see; before it sees nothing of lessons, courses and what is theirs."""
    sees_all = found.is_staff and found.duty is None
    row_access.use(EVERYTHING if sees_all else RowAccess(found.user_id))


def _duty_first() -> Response | None:
    """An account that has something to do opens nothing but that until it is done."""
    found = identity()
    if found is None or found.duty is None:
        return None
    if found.session_id is None or request.path.startswith("/api/"):
        raise Forbidden(found.duty.type, found.duty.says)
    if found.duty.allows(request.endpoint, request.blueprint):
        return None
    return redirect(url_for(found.duty.page, next=_wanted()))


def _wanted() -> str | None:
    """The page that was asked for, to lead there later."""
    return request.full_path.rstrip("?") if request.method == "GET" and request.path != "/" else None


def _reads_api_docs() -> bool:
    """Does a browser ask for the one page among the answers for programs?"""
    return request.endpoint == "api.docs" and request.accept_mimetypes.best == "text/html"


def _refuse(guard: Guard) -> Response | None:
    found = identity()
    if found is None:
        note_wrong_token()
        if request.path.startswith("/api/") and not _reads_api_docs():
            abort(401, ITS_DATE_IS_OVER if _token_has_expired() else None)
        return redirect(url_for("sign_in.login", next=_wanted()))
    if found.role in guard.roles:
        return None
    if guard.students_to_catalog and request.method in READING:
        return redirect(url_for("catalog.index"))
    if guard.hidden and not found.is_staff:
        security_events.record("refused", user_id=found.user_id, role=found.role, path=request.path)
        raise Missing
    raise Forbidden("forbidden", "You may not do this.")


def _not_signed_in(_: NotSignedIn) -> Response:
    return redirect(url_for("sign_in.login"))


def init_app(app: Flask) -> None:
    csrf.init_app(app)
    app.before_request(_check)
    app.register_error_handler(NotSignedIn, _not_signed_in)
    app.jinja_env.globals["guard_allows"] = allows
    # in the place of the unmasked one, for templates and for the macros that they import
    app.jinja_env.globals["csrf_token"] = csrf_token
    app.context_processor(lambda: {"csrf_token": csrf_token})


def csrf_token() -> str:
    """The token for the forms of this answer: the same in all of them, and in each answer another text."""
    if "csrf_token_masked" not in g:
        g.csrf_token_masked = csrf_mask.masked(generate_csrf())
    return str(g.csrf_token_masked)


def allows(blueprint: str) -> bool:
    """For navigation: may the signed-in user open pages of this blueprint?"""
    found = identity()
    guard = guard_for(None, blueprint)
    if guard is None or (found is not None and found.duty is not None):
        return False
    return guard.public or (found is not None and found.role in guard.roles)
