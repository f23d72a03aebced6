"""What the product holds of a person, as a file, and the deletion of the own account."""

import json

from flask import flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from lessonadmin import auth
from lessonadmin.db import transaction
from lessonadmin.domain.account_life import deletion, own_data
from lessonadmin.domain.errors import Problem, TooMany
from lessonadmin.security import browser_cookie
from lessonadmin.views.account.page import bp
from lessonadmin.web.errors import STATUS


@bp.post("/data")
def download() -> Response:
    with transaction(auth.current_actor()):
        document = own_data.document(auth.current_user())
    response = Response(json.dumps(document, ensure_ascii=False, indent=1), mimetype="application/json")
    response.headers["Content-Disposition"] = "attachment; filename=my-data.json"
    return response


@bp.get("/deletion")
def ask_to_delete() -> Response:
    return _page()


@bp.post("/delete")
def delete() -> Response:
    form = request.form
    try:
        deletion.delete_own(
            auth.current_user(),
            password=form.get("password", ""),
            typed=form.get("typed", ""),
            address=auth.address(),
            browser=browser_cookie.secret(),
        )
    except Problem as problem:
        return _page(problem, STATUS.get(type(problem), 400))
    auth.end_session()
    flash("Your account is deleted.", "success")
    return redirect(url_for("sign_in.login"))


def _page(problem: Problem | None = None, status: int = 200) -> Response:
    user = auth.current_user()
    html = render_template(
        "account/delete.html",
        problem=problem,
        obstacle=deletion.obstacle(user),
        may=user.role in deletion.THEIR_OWN,
        word=deletion.WORD,
    )
    response = make_response(html, status)
    if isinstance(problem, TooMany):
        response.headers["Retry-After"] = str(problem.retry_after)
    return response
