"""The user's own account: password, open sessions, bearer tokens."""

import uuid

from flask import Blueprint, abort, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from lessonadmin import auth
from lessonadmin.db import transaction
from lessonadmin.domain.accounts import own_account, passwords, sessions, tokens, users
from lessonadmin.domain.errors import Invalid, Problem, TooMany
from lessonadmin.domain.models import User
from lessonadmin.domain.notifications import delivery
from lessonadmin.text.ids import as_id
from lessonadmin.web import redirects
from lessonadmin.web.errors import STATUS
from lessonadmin.web.formats import plural

bp = Blueprint("account", __name__, url_prefix="/account")


def _page(
    *, problem: Problem | None = None, wrong_form: str = "", token: str = "", status: int = 200
) -> Response:
    user = auth.current_user()
    found = auth.identity()
    page = render_template(
        "account/choose_password.html" if user.must_change_password else "account/show.html",
        user=user,
        sessions=sessions.open_ones(user),
        this_session=found.session_id if found else None,
        tokens=tokens.live(user),
        ending=tokens.ending_soon(user),
        most_tokens=tokens.MAX_LIVE,
        problem=problem,
        wrong_form=wrong_form,
        new_token=token,
        next=redirects.asked("next"),
        mail_on=delivery.is_on(),
        typed=request.form if wrong_form == "token" else {},
    )
    response = make_response(page, status)
    if isinstance(problem, TooMany):
        response.headers["Retry-After"] = str(problem.retry_after)
    return response


@bp.get("")
def show() -> Response:
    return _page()


@bp.post("/password")
def change_password() -> Response:
    user = auth.current_user()
    after = (redirects.asked("next") or url_for("home.index")) if user.must_change_password else None
    old, new = request.form.get("old_password", ""), request.form.get("new_password", "")
    try:
        _compare(new, request.form.get("repeat_password", ""))
        _change(user, old, new)
    except TooMany as problem:
        return _page(problem=problem, wrong_form="password", status=429)
    except Invalid as problem:
        return _page(problem=problem, wrong_form="password", status=400)
    flash(
        "Your password is changed. Every other browser is signed out, and all API tokens are revoked.",
        "success",
    )
    return redirect(after or url_for("account.show"))


def _compare(new: str, again: str) -> None:
    """Checked before the present password, so that a slip here is no wrong try of it."""
    passwords.check_strength(new, field="new_password")
    if new != again:
        raise Invalid.field("repeat_password", "This is not the same as the new password.")


def _change(user: User, old: str, new: str) -> None:
    found = auth.identity()
    keep = found.session_id if found else None
    own_account.change_password(user, old=old, new=new, keep=keep, address=auth.address())


@bp.post("/mail")
def choose_mail() -> Response:
    wanted = request.form.get("mail_notices") == "1"
    with transaction(auth.current_actor()):
        users.set_mail_notices(auth.current_user(), wanted)
    flash(
        "Notifications come by mail, too." if wanted else "You get no more mails about notifications.",
        "success",
    )
    return redirect(url_for("account.show"))


@bp.post("/sessions/end")
def end_sessions() -> Response:
    """End the session of one other browser, of all others, or with `here_too` of this one as well."""
    found = auth.identity()
    named = request.form.get("session_id", "")
    only = as_id(named)
    if request.form.get("here_too"):
        return _end_everywhere()
    if named and only is None:
        abort(404)
    with transaction(auth.current_actor()):
        ended = sessions.end_all(
            auth.current_user(),
            but=None if only is not None or found is None else found.session_id,
            only=only,
        )
    flash(f"{ended} other session{'' if ended == 1 else 's'} ended.", "success")
    return redirect(url_for("account.show"))


def _end_everywhere() -> Response:
    with transaction(auth.current_actor()):
        own_account.sign_out_everywhere(auth.current_user())
    auth.end_session()
    flash("You are signed out everywhere, and all API tokens are revoked.", "success")
    return redirect(url_for("sign_in.login"))


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
        )
    except Problem as problem:
        return _page(problem=problem, wrong_form="token", status=STATUS[type(problem)])
    return _page(token=token)


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
