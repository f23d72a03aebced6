"""One's own account: password, open sessions, bearer tokens."""

import uuid

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from lessonadmin import auth
from lessonadmin.db import transaction
from lessonadmin.domain import people
from lessonadmin.domain.errors import Invalid, Problem

bp = Blueprint("account", __name__, url_prefix="/account")


def _page(*, problem: Problem | None = None, token: str | None = None, status: int = 200) -> tuple[str, int]:
    user = auth.current_user()
    found = auth.identity()
    page = render_template(
        "account/show.html",
        user=user,
        sessions=people.open_sessions(user),
        this_session=found.session_id if found else None,
        tokens=people.open_tokens(user),
        problem=problem,
        new_token=token,
    )
    return page, status


@bp.get("")
def show() -> tuple[str, int]:
    return _page()


@bp.post("/password")
def change_password() -> Response | tuple[str, int]:
    found = auth.identity()
    form = request.form
    try:
        if form.get("new_password") != form.get("repeat_password"):
            raise Invalid.field("repeat_password", "This is not the same as the new password.")
        with transaction(auth.current_actor()):
            people.change_password(
                auth.current_user(),
                old=form.get("old_password", ""),
                new=form.get("new_password", ""),
                keep=found.session_id if found else None,
            )
    except Problem as problem:
        return _page(problem=problem, status=400)
    flash("Your password is changed. Every other browser is signed out.", "success")
    return redirect(url_for("account.show"))


@bp.post("/sessions/end")
def end_sessions() -> Response:
    found = auth.identity()
    only = request.form.get("session_id")
    with transaction(auth.current_actor()):
        ended = people.end_sessions(
            auth.current_user(),
            but=None if only or found is None else found.session_id,
            only=_uuid(only) if only else None,
        )
    flash(f"{ended} other session{'' if ended == 1 else 's'} ended.", "success")
    return redirect(url_for("account.show"))


@bp.post("/tokens")
def create_token() -> tuple[str, int]:
    with transaction(auth.current_actor()):
        token = people.create_token(auth.current_user(), name=request.form.get("name", ""))
    return _page(token=token)


@bp.post("/tokens/<uuid:token_id>/revoke")
def revoke_token(token_id: uuid.UUID) -> Response:
    with transaction(auth.current_actor()):
        if not people.revoke_token(auth.current_user(), token_id):
            abort(404)
    flash("The token no longer opens anything.", "success")
    return redirect(url_for("account.show"))


def _uuid(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        abort(404)
