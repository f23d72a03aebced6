"""Sign-in methods of the user's own account: the authenticator app, recovery codes, and the proof that each change asks for."""

import uuid

import segno
from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from lessonadmin import auth, config
from lessonadmin.db import transaction
from lessonadmin.domain.errors import Invalid, Missing, TooMany
from lessonadmin.domain.second_factor import factors, methods, totp
from lessonadmin.web.errors import STATUS

bp = Blueprint("sign_in_methods", __name__, url_prefix="/account/security")


@bp.errorhandler(methods.ProofNeeded)
def proof_needed(_: methods.ProofNeeded) -> Response:
    flash("Confirm your password first, then choose again what to change.", "warning")
    return redirect(url_for("sign_in_methods.show"))


@bp.get("")
def show() -> Response:
    return _page()


@bp.post("/confirm")
def confirm() -> Response:
    """The password once more; afterwards sign-in methods can be changed for ten minutes."""
    password = request.form.get("password", "")
    try:
        methods.prove_by_password(
            auth.current_user(), password=password, session_id=_session_id(), address=auth.address()
        )
    except (Invalid, TooMany) as problem:
        return _page(problem)
    return redirect(url_for("sign_in_methods.show"))


@bp.post("/app")
def begin_app() -> Response:
    with transaction(auth.current_actor()):
        methods.begin_app(auth.current_user(), _session_id())
    return redirect(url_for("sign_in_methods.app"))


@bp.get("/app")
def app() -> Response | str:
    return _app_page()


@bp.post("/app/confirm")
def confirm_app() -> Response | str:
    try:
        with transaction(auth.current_actor()):
            codes = methods.confirm_app(auth.current_user(), _session_id(), request.form.get("code", ""))
    except Invalid as problem:
        return _app_page(problem)
    return after_adding(codes, "The authenticator app is set up. Every other browser is signed out.")


@bp.post("/app/remove")
def remove_app() -> Response:
    with transaction(auth.current_actor()):
        methods.remove_app(auth.current_user(), _session_id())
    flash("The authenticator app is removed. Every other browser is signed out.", "success")
    return redirect(url_for("sign_in_methods.show"))


@bp.post("/recovery-codes")
def new_recovery_codes() -> Response:
    with transaction(auth.current_actor()):
        codes = methods.new_recovery_codes(auth.current_user(), _session_id())
    return _codes_page(codes)


def after_adding(codes: list[str], said: str) -> Response:
    """The first factor of an account brings recovery codes, which are shown this once."""
    flash(said, "success")
    return _codes_page(codes) if codes else redirect(url_for("sign_in_methods.show"))


def _codes_page(codes: list[str]) -> Response:
    return make_response(render_template("account/security/recovery_codes.html", codes=codes))


def _session_id() -> uuid.UUID:
    found = auth.identity()
    if found is None or found.session_id is None:
        raise auth.NotSignedIn
    return found.session_id


def _page(problem: Invalid | TooMany | None = None) -> Response:
    user = auth.current_user()
    page = render_template(
        "account/security/show.html",
        user=user,
        factors=factors.of(user.id),
        required=factors.are_required_of(user),
        proved=methods.is_proved(_session_id()),
        problem=problem,
    )
    response = make_response(page, 200 if problem is None else STATUS[type(problem)])
    if isinstance(problem, TooMany):
        response.headers["Retry-After"] = str(problem.retry_after)
    return response


def _app_page(problem: Invalid | None = None) -> Response:
    user = auth.current_user()
    secret = methods.secret_to_show(user, _session_id())
    if secret is None:
        raise Missing
    picture = segno.make(totp.address(secret, account=user.email, issuer=issuer()), error="m")
    page = render_template(
        "account/security/app.html",
        picture=picture.svg_data_uri(scale=4, border=3, light="#fff"),
        key=totp.typed(secret),
        digits=totp.DIGITS,
        problem=problem,
    )
    return make_response(page, 200 if problem is None else 400)


def issuer() -> str:
    """The name under which an app lists the account."""
    host = config.current().public_url.partition("://")[2]
    return f"Lessonadmin ({host.partition(':')[0]})"
