"""The authenticator app of the own account: its key, as a picture and in letters, and the code that confirms it."""

import segno
from flask import flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from lessonadmin import auth, config
from lessonadmin.db import transaction
from lessonadmin.domain.errors import Invalid, Missing
from lessonadmin.domain.second_factor import methods, totp
from lessonadmin.views.sign_in_methods.blueprint import after_adding, bp, session_id


@bp.post("/app")
def begin_app() -> Response:
    with transaction(auth.current_actor()):
        methods.begin_app(auth.current_user(), session_id())
    return redirect(url_for("sign_in_methods.app"))


@bp.get("/app")
def app() -> Response:
    return _page()


@bp.post("/app/confirm")
def confirm_app() -> Response:
    try:
        with transaction(auth.current_actor()):
            codes = methods.confirm_app(auth.current_user(), session_id(), request.form.get("code", ""))
    except Invalid as problem:
        return _page(problem)
    return after_adding(codes, "The authenticator app is set up. Every other browser is signed out.")


@bp.post("/app/remove")
def remove_app() -> Response:
    with transaction(auth.current_actor()):
        methods.remove_app(auth.current_user(), session_id())
    flash("The authenticator app is removed. Every other browser is signed out.", "success")
    return redirect(url_for("sign_in_methods.show"))


def _page(problem: Invalid | None = None) -> Response:
    user = auth.current_user()
    secret = methods.secret_to_show(user, session_id())
    if secret is None:
        raise Missing
    picture = segno.make(totp.address(secret, account=user.email, issuer=_issuer()), error="m")
    html = render_template(
        "account/security/app.html",
        picture=picture.svg_data_uri(scale=4, border=3, light="#fff"),
        key=totp.typed(secret),
        problem=problem,
    )
    return make_response(html, 200 if problem is None else 400)


def _issuer() -> str:
    """The name under which an app lists the account."""
    host = config.current().public_url.partition("://")[2]
    return f"Lessonadmin ({host.partition(':')[0]})"
