"""A new password by the present one."""

from flask import flash, redirect, request, url_for
from werkzeug.wrappers import Response

from lessonadmin import auth
from lessonadmin.domain.accounts import own_account, users
from lessonadmin.domain.errors import Invalid, TooMany
from lessonadmin.domain.models import User
from lessonadmin.security import browser_cookie
from lessonadmin.views.account.page import bp, page
from lessonadmin.web import redirects


@bp.post("/password")
def change_password() -> Response:
    user = auth.current_user()
    after = (redirects.asked("next") or url_for("home.index")) if user.must_change_password else None
    old, new = request.form.get("old_password", ""), request.form.get("new_password", "")
    try:
        _compare(new, request.form.get("repeat_password", ""))
        _change(user, old, new)
    except TooMany as problem:
        return page(problem=problem, wrong_form="password", status=429)
    except Invalid as problem:
        return page(problem=problem, wrong_form="password", status=400)
    flash(
        "Your password is changed. Every other browser is signed out, and all API tokens are revoked.",
        "success",
    )
    return redirect(after or url_for("account.show"))


def _compare(new: str, again: str) -> None:
    """Checked before the present password, so that a slip here is no wrong try of it."""
    users.check_new_password(auth.current_user(), new, field="new_password")
    if new != again:
        raise Invalid.field("repeat_password", "This is not the same as the new password.")


def _change(user: User, old: str, new: str) -> None:
    found = auth.identity()
    keep = found.session_id if found else None
    own_account.change_password(
        user, old=old, new=new, keep=keep, address=auth.address(), browser=browser_cookie.secret()
    )
