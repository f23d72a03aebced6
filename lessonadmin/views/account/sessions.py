"""The browsers that are signed in to the account, and their end."""

from flask import abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from lessonadmin import auth
from lessonadmin.db import transaction
from lessonadmin.domain.accounts import own_account, sessions, tokens
from lessonadmin.text.ids import as_id
from lessonadmin.views.account.page import bp


@bp.get("/sessions")
def list_sessions() -> str:
    user, found = auth.current_user(), auth.identity()
    open_ones = sessions.open_ones(user)
    return render_template(
        "account/sessions.html",
        user=user,
        sessions=open_ones,
        open_ids={one.id for one in open_ones},
        this_session=found.session_id if found else None,
        history=sessions.history(user),
        most=sessions.HISTORY_SHOWN,
        tokens=tokens.live(user),
    )


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
    return redirect(url_for("account.list_sessions"))


def _end_everywhere() -> Response:
    with transaction(auth.current_actor()):
        own_account.sign_out_everywhere(auth.current_user())
    auth.end_session()
    flash("You are signed out everywhere, and all API tokens are revoked.", "success")
    return redirect(url_for("sign_in.login"))
