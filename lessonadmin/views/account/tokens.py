"""Bearer tokens of the account: making one, which is shown once, and their end."""

import uuid

from flask import abort, flash, redirect, request, url_for
from werkzeug.wrappers import Response

from lessonadmin import auth
from lessonadmin.db import transaction
from lessonadmin.domain.accounts import own_account, tokens
from lessonadmin.domain.errors import Problem
from lessonadmin.security import browser_cookie
from lessonadmin.text.plurals import plural
from lessonadmin.views.account.page import bp, page
from lessonadmin.web.errors import STATUS


@bp.post("/tokens")
def create_token() -> Response:
    form = request.form
    try:
        token = own_account.create_token(
            auth.current_user(),
            password=form.get("password", ""),
            name=form.get("name", ""),
            scope=form.get("scope", "write"),
            address=auth.address(),
            browser=browser_cookie.secret(),
        )
    except Problem as problem:
        return page(problem=problem, wrong_form="token", status=STATUS[type(problem)])
    return page(token=token)


@bp.post("/tokens/<uuid:token_id>/revoke")
def revoke_token(token_id: uuid.UUID) -> Response:
    with transaction(auth.current_actor()):
        if not tokens.revoke(auth.current_user(), token_id):
            abort(404)
    flash("The token no longer opens anything.", "success")
    return redirect(url_for("account.show"))


@bp.post("/tokens/revoke")
def revoke_tokens() -> Response:
    with transaction(auth.current_actor()):
        ended = tokens.end_all(auth.current_user(), because="all revoked")
    flash(f"{plural(ended, 'token')} revoked. None opens anything any more.", "success")
    return redirect(url_for("account.show"))
