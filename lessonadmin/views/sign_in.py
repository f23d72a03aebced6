"""Signing in and out."""

from flask import Blueprint, flash, make_response, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from lessonadmin import auth, config
from lessonadmin.db import UNKNOWN_USER, Actor, transaction
from lessonadmin.domain.accounts import sessions
from lessonadmin.domain.errors import Invalid, TooMany
from lessonadmin.domain.second_factor import entrance, passkeys
from lessonadmin.views.passkey_answers import answer, challenge_secret, options
from lessonadmin.web import redirects

bp = Blueprint("sign_in", __name__)


@bp.get("/login")
def login() -> Response | str:
    if auth.identity() is not None:
        return redirect(redirects.asked("next") or url_for("home.index"))
    return _form()


@bp.post("/login")
def login_post() -> Response:
    email, password = request.form.get("email", "").strip(), request.form.get("password", "")
    try:
        _require(email, password)
        arrival = entrance.by_password(email=email, password=password, browser=auth.browser())
    except TooMany as problem:
        response = make_response(_form(email=email, problem=problem), 429)
        response.headers["Retry-After"] = str(problem.retry_after)
        return response
    except Invalid as problem:
        return make_response(_form(email=email, problem=problem), 400)
    return arrived(arrival, next_=redirects.asked("next"))


@bp.post("/login/passkey/options")
def passkey_options() -> Response:
    """The same for all: nothing in it depends on an account."""

    def ask() -> tuple[str, str]:
        with transaction(UNKNOWN_USER):
            return entrance.options_for_passkey(address=auth.address())

    return options(ask)


@bp.post("/login/passkey")
def login_by_passkey() -> Response:
    try:
        secret = entrance.by_passkey(challenge_secret(), answer(), browser=auth.browser())
    except Invalid as problem:
        return make_response(_form(problem=problem), 400)
    return arrived(entrance.Arrival(secret, pending=False), next_=redirects.asked("next"))


def arrived(arrival: entrance.Arrival, *, next_: str | None) -> Response:
    """After a right first step: to the page that was wanted, or to the second step before it."""
    if arrival.pending:
        auth.begin_second_step(arrival.secret)
        return redirect(url_for("second_step.show", next=next_))
    auth.begin_session(arrival.secret)
    return redirect(next_ or url_for("home.index"))


def _form(*, email: str = "", problem: Invalid | TooMany | None = None) -> str:
    return render_template(
        "sign_in/login.html",
        email=email[:250],
        problem=problem,
        next=redirects.asked("next"),
        passkeys=passkeys.site() is not None,
        single_sign_on=config.current().oidc_name if config.current().oidc_issuer else None,
    )


def _require(email: str, password: str) -> None:
    missing = {}
    if not email:
        missing["email"] = "Enter your e-mail address."
    if not password:
        missing["password"] = "Enter your password."  # noqa: S105 - a sentence # nosec B105
    if missing:
        raise Invalid("invalid_input", "Enter your e-mail address and password.", fields=missing)


@bp.post("/logout")
def logout() -> Response:
    found = auth.identity()
    if found is not None and found.session_id is not None:
        with transaction(Actor.user(found.user_id)):
            sessions.sign_out(found.user, found.session_id)
    auth.end_session()
    flash("You are signed out.", "success")
    if found is not None and found.way == "single_sign_on":
        flash(f"You may still be signed in at {config.current().oidc_name}: sign out there as well.", "info")
    return redirect(url_for("sign_in.login"))


@bp.get("/logout")
def logout_page() -> Response | str:
    """An address typed by hand changes nothing: it shows the button."""
    if "secret" not in session:
        return redirect(url_for("sign_in.login"))
    return render_template("sign_in/logout.html")
