"""Signing in and out. A failed try is remembered in a transaction of its own, so that it counts whatever follows."""

from urllib.parse import urlsplit

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from lessonadmin import auth
from lessonadmin.db import CLI, Actor, transaction
from lessonadmin.domain import people
from lessonadmin.domain.errors import Problem

bp = Blueprint("sign_in", __name__)


@bp.get("/login")
def login() -> Response | str:
    if auth.identity() is not None:
        return redirect(_next())
    return render_template("sign_in/login.html", email="", problem=None)


@bp.post("/login")
def login_post() -> Response | tuple[str, int]:
    email, password = request.form.get("email", ""), request.form.get("password", "")
    email = email.replace("\x00", "")
    try:
        with transaction(CLI):
            _user, secret = people.sign_in(
                email=email,
                password=password,
                address=auth.address(),
                user_agent=request.headers.get("User-Agent", ""),
            )
    except Problem as problem:
        if isinstance(problem, people.WrongCredentials):
            with transaction(CLI):
                people.remember_failure(email=email, address=auth.address())
        status = 429 if problem.type == "rate_limited" else 400
        return render_template("sign_in/login.html", email=email, problem=problem), status
    auth.begin_session(secret)
    return redirect(_next())


@bp.post("/logout")
def logout() -> Response:
    found = auth.identity()
    if found is not None and found.session_id is not None:
        with transaction(Actor.user(found.user.id)):
            people.end_sessions(found.user, only=found.session_id)
    auth.end_session()
    flash("You are signed out.", "success")
    return redirect(url_for("sign_in.login"))


@bp.get("/logout")
def logout_page() -> Response | str:
    """An address typed by hand changes nothing: it shows the button."""
    if "secret" not in session:
        return redirect(url_for("sign_in.login"))
    return render_template("sign_in/logout.html")


def _next() -> str:
    """Where the person wanted to go, if that is one of our own pages."""
    target = request.values.get("next", "")
    parts = urlsplit(target.replace("\\", "/"))
    own = target.startswith("/") and not target.startswith("//") and not parts.netloc and not parts.scheme
    return target if own and not any(ord(c) < 32 for c in target) else url_for("home.index")
