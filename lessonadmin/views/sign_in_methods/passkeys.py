"""Passkeys of the own account: made by the browser, kept, named, removed."""

import uuid

from flask import flash, redirect, request, url_for
from werkzeug.wrappers import Response

from lessonadmin import auth
from lessonadmin.db import transaction
from lessonadmin.domain.errors import Invalid
from lessonadmin.domain.second_factor import methods
from lessonadmin.views.passkey_answers import answer, challenge_secret, options
from lessonadmin.views.sign_in_methods.blueprint import after_adding, bp, session_id
from lessonadmin.views.sign_in_methods.overview import page


@bp.post("/passkeys/options")
def passkey_options() -> Response:
    def ask() -> tuple[str, str]:
        with transaction(auth.current_actor()):
            return methods.begin_passkey(auth.current_user(), session_id(), address=auth.address())

    return options(ask)


@bp.post("/passkeys")
def add_passkey() -> Response:
    try:
        made, secret, name = answer(), challenge_secret(), request.form.get("name", "")
        with transaction(auth.current_actor()):
            codes = methods.add_passkey(auth.current_user(), session_id(), secret, made, name=name)
    except Invalid as problem:
        return page(problem)
    return after_adding(codes, "The passkey is added. Every other browser is signed out.")


@bp.post("/passkeys/<uuid:passkey_id>/name")
def rename_passkey(passkey_id: uuid.UUID) -> Response:
    name = request.form.get("name", "")
    try:
        with transaction(auth.current_actor()):
            methods.rename_passkey(auth.current_user(), session_id(), passkey_id, name)
    except Invalid as problem:
        return page(problem)
    return redirect(url_for("sign_in_methods.show"))


@bp.post("/passkeys/<uuid:passkey_id>/remove")
def remove_passkey(passkey_id: uuid.UUID) -> Response:
    with transaction(auth.current_actor()):
        methods.remove_passkey(auth.current_user(), session_id(), passkey_id)
    flash("The passkey is removed. Every other browser is signed out.", "success")
    return redirect(url_for("sign_in_methods.show"))
