"""The second step of a sign-in: a passkey, a code of the app, or a recovery code. Without a right first step it shows the sign-in page."""

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from lessonadmin import auth
from lessonadmin.db import UNKNOWN_USER, transaction
from lessonadmin.domain.errors import Invalid, TooMany
from lessonadmin.domain.second_factor import entrance, factors, pending
from lessonadmin.views.passkey_answers import answer, challenge_secret, options
from lessonadmin.web import redirects

bp = Blueprint("second_step", __name__, url_prefix="/login/second-step")


@bp.errorhandler(pending.Ended)
def ended(problem: pending.Ended) -> Response:
    if auth.identity() is not None:
        return redirect(url_for("home.index"))
    auth.end_session()
    flash(problem.message, "warning")
    return redirect(url_for("sign_in.login", next=redirects.asked("next")))


@bp.get("")
def show() -> Response:
    return _page()


@bp.post("")
def check() -> Response:
    """A recovery code if one was typed, else a code of the app."""
    secret = _secret()
    code, recovery_code = (request.form.get(name, "").strip() for name in ("code", "recovery_code"))
    try:
        _require(code or recovery_code)
        if recovery_code:
            opened = entrance.by_recovery_code(secret, recovery_code, browser=auth.browser())
        else:
            opened = entrance.by_code(secret, code, browser=auth.browser())
    except (Invalid, TooMany) as problem:
        return _page(problem)
    auth.begin_session(opened)
    return redirect(redirects.asked("next") or url_for("home.index"))


@bp.post("/passkey/options")
def passkey_options() -> Response:
    def ask() -> tuple[str, str]:
        with transaction(UNKNOWN_USER):
            return entrance.options_for_second_step(_secret(), address=auth.address())

    return options(ask)


@bp.post("/passkey")
def check_passkey() -> Response:
    secret = _secret()
    try:
        signed, of_challenge = answer(), challenge_secret()
        opened = entrance.by_passkey_after_password(secret, of_challenge, signed, browser=auth.browser())
    except (Invalid, TooMany) as problem:
        return _page(problem)
    auth.begin_session(opened)
    return redirect(redirects.asked("next") or url_for("home.index"))


@bp.post("/cancel")
def cancel() -> Response:
    secret = auth.pending_secret()
    if secret is not None:
        with transaction(UNKNOWN_USER):
            pending.give_up(secret)
    auth.end_session()
    return redirect(url_for("sign_in.login"))


def _require(typed: str) -> None:
    if not typed:
        raise Invalid.field("code", "Enter the code that your app shows, or a recovery code.")


def _secret() -> str:
    secret = auth.pending_secret()
    if secret is None:
        raise pending.Ended
    return secret


def _page(problem: Invalid | TooMany | None = None) -> Response:
    user = pending.whose(_secret())
    page = render_template(
        "sign_in/second_step.html",
        email=user.email,
        factors=factors.of(user.id),
        problem=problem,
        with_recovery_code=bool(request.form.get("recovery_code")),
        next=redirects.asked("next"),
    )
    response = make_response(page, 200 if problem is None else 400)
    if isinstance(problem, TooMany):
        response.status_code = 429
        response.headers["Retry-After"] = str(problem.retry_after)
    return response
