"""Name and address of the account: the name changes at once, the address when it is confirmed by mail."""

from flask import flash, redirect, request, url_for
from werkzeug.wrappers import Response

from lessonadmin import auth
from lessonadmin.db import transaction
from lessonadmin.domain.account_life import new_address
from lessonadmin.domain.accounts import users
from lessonadmin.domain.errors import Invalid, Problem
from lessonadmin.security import browser_cookie
from lessonadmin.views.account.page import bp, page
from lessonadmin.web.errors import STATUS


@bp.post("/name")
def change_name() -> Response:
    try:
        with transaction(auth.current_actor()):
            changed = users.rename(auth.current_user(), request.form.get("display_name", ""))
    except Invalid as problem:
        # the form for tokens on this page has a field called name, too
        problem = Invalid.field("display_name", problem.sentences)
        return page(problem=problem, wrong_form="name", status=400)
    flash("Your name is changed." if changed else "This is your name already.", "success")
    return redirect(url_for("account.show"))


@bp.post("/email")
def change_email() -> Response:
    form = request.form
    try:
        new_address.ask(
            auth.current_user(),
            password=form.get("current_password", ""),
            email=form.get("email", ""),
            address=auth.address(),
            browser=browser_cookie.secret(),
        )
    except Problem as problem:
        return page(problem=problem, wrong_form="email", status=STATUS[type(problem)])
    flash("A mail with a link is sent to the new address. Until you open it, nothing changes.", "success")
    return redirect(url_for("account.show", _anchor="email"))


@bp.post("/email/cancel")
def cancel_email() -> Response:
    with transaction(auth.current_actor()):
        new_address.cancel(auth.current_user())
    flash("Your address stays as it is.", "success")
    return redirect(url_for("account.show"))
