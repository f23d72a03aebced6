"""Pages that a link by mail opens, and the one that asks for a new password: for people who are not signed in.

A GET changes nothing, since programs that check mails open links as well. No address of these pages leaves the browser in a
referrer, and `hiding` keeps their secrets out of logs and reports.
"""

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as Answer

from lessonadmin import auth, config
from lessonadmin.domain.account_life import forgotten_password, invitations, new_address
from lessonadmin.domain.accounts.links import LinkEnded
from lessonadmin.domain.errors import Invalid, Problem, TooMany
from lessonadmin.domain.models import User
from lessonadmin.domain.models.accounts import LinkKind
from lessonadmin.domain.notifications import delivery

bp = Blueprint("account_links", __name__)

# What a person does whose link has ended, by the page that it was for.
KINDS: dict[str, LinkKind] = {
    "invitation": "invitation",
    "accept_invitation": "invitation",
    "ask_about_address": "new_address",
    "confirm_address": "new_address",
}


@bp.after_request
def _without_referrer(response: Response) -> Response:
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def _page(template: str, status: int = 200, **values: object) -> Response:
    return make_response(render_template(template, **values), status)


def _twice() -> str:
    """The new password, typed twice the same."""
    new = request.form.get("new_password", "")
    if new != request.form.get("repeat_password", ""):
        raise Invalid.field("repeat_password", "This is not the same as the new password.")
    return new


@bp.get("/forgot-password")
def forgot_password() -> Response:
    return _forgot()


@bp.post("/forgot-password")
def ask_for_link() -> Response:
    email = request.form.get("email", "")
    if not delivery.is_on():
        return _forgot()
    try:
        forgotten_password.ask(email=email, address=auth.address())
    except TooMany as problem:
        response = _forgot(email=email, problem=problem, status=429)
        response.headers["Retry-After"] = str(problem.retry_after)
        return response
    except Invalid as problem:
        return _forgot(email=email, problem=problem, status=400)
    return _forgot(asked=True)


def _forgot(
    *, email: str = "", problem: Problem | None = None, asked: bool = False, status: int = 200
) -> Response:
    return _page(
        "account_links/forgot_password.html",
        status,
        email=email[:250],
        problem=problem,
        asked=asked,
        mail_on=delivery.is_on(),
        contact=config.current().security_contact,
    )


@bp.get("/reset-password/<secret>")
def new_password(secret: str) -> Response:
    return _new_password(forgotten_password.look(secret))


@bp.post("/reset-password/<secret>")
def set_new_password(secret: str) -> Answer:
    user = forgotten_password.look(secret)
    try:
        forgotten_password.set_new(secret, _twice())
    except LinkEnded:
        raise
    except Invalid as problem:
        return _new_password(user, problem)
    flash("Your new password is set. Sign in with it.", "success")
    return redirect(url_for("sign_in.login"))


def _new_password(user: User, problem: Problem | None = None) -> Response:
    return _page("account_links/new_password.html", 400 if problem else 200, user=user, problem=problem)


@bp.get("/invitation/<secret>")
def invitation(secret: str) -> Response:
    user = invitations.look(secret)
    return _invitation(user, user.name)


@bp.post("/invitation/<secret>")
def accept_invitation(secret: str) -> Answer:
    user, name = invitations.look(secret), request.form.get("name", "")
    try:
        invitations.accept(secret, name=name, new=_twice())
    except LinkEnded:
        raise
    except Invalid as problem:
        return _invitation(user, name, problem)
    flash("Your account is ready. Sign in with your new password.", "success")
    return redirect(url_for("sign_in.login"))


def _invitation(user: User, name: str, problem: Problem | None = None) -> Response:
    status = 400 if problem else 200
    return _page("account_links/invitation.html", status, user=user, name=name, problem=problem)


@bp.get("/new-address/<secret>")
def ask_about_address(secret: str) -> Response:
    user, email = new_address.look(secret)
    return _page("account_links/new_address.html", user=user, email=email)


@bp.post("/new-address/<secret>")
def confirm_address(secret: str) -> Answer:
    email = new_address.confirm(secret)
    flash(f"{email} is the address of your account now.", "success")
    return redirect(url_for("account.show" if auth.identity() is not None else "sign_in.login"))


@bp.errorhandler(LinkEnded)
def _ended(_: LinkEnded) -> Response:
    kind = (request.endpoint or "").rpartition(".")[2]
    return _page("account_links/ended.html", 410, kind=KINDS.get(kind, ""), mail_on=delivery.is_on())
