"""The page of the account, which every form on it comes back to, and the choice of notices and mail."""

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from lessonadmin import auth
from lessonadmin.db import transaction
from lessonadmin.domain.account_life import deletion, new_address
from lessonadmin.domain.accounts import sessions, tokens, users
from lessonadmin.domain.errors import Problem, TooMany
from lessonadmin.domain.models.notifications import MAY_BE_MUTED
from lessonadmin.domain.notifications import delivery
from lessonadmin.web import redirects

bp = Blueprint("account", __name__, url_prefix="/account")


def page(
    *, problem: Problem | None = None, wrong_form: str = "", token: str = "", status: int = 200
) -> Response:
    user = auth.current_user()
    found = auth.identity()
    html = render_template(
        "account/choose_password.html" if found and found.duty else "account/show.html",
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
        may_be_muted=MAY_BE_MUTED if user.role == "student" else (),
        waiting=new_address.waiting(user),
        may_leave=user.role in deletion.THEIR_OWN,
        typed=request.form if wrong_form else {},
    )
    response = make_response(html, status)
    if isinstance(problem, TooMany):
        response.headers["Retry-After"] = str(problem.retry_after)
    return response


@bp.get("")
def show() -> Response:
    return page()


@bp.post("/notices")
def choose_notices() -> Response:
    """A form of switches says which are on; the others are turned off. Students are asked, and where mail is on also about that."""
    user, wanted = auth.current_user(), request.form.getlist("notices")
    by_mail = request.form.get("mail_notices") == "1" if delivery.is_on() else user.mail_notices
    with transaction(auth.current_actor()):
        users.choose_notices(user, wanted, by_mail=by_mail)
    flash("Your choice of notifications is saved.", "success")
    return redirect(url_for("account.show", _anchor="notices"))


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
