"""The page of sign-in methods, the password once more, and new recovery codes."""

from flask import make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from lessonadmin import auth
from lessonadmin.db import transaction
from lessonadmin.domain.errors import Invalid, TooMany
from lessonadmin.domain.second_factor import factors, methods, passkeys
from lessonadmin.security import browser_cookie
from lessonadmin.views.sign_in_methods.blueprint import bp, codes_page, session_id
from lessonadmin.web.errors import STATUS


@bp.get("")
def show() -> Response:
    return page()


@bp.post("/confirm")
def confirm() -> Response:
    """Afterwards sign-in methods can be changed for ten minutes."""
    password = request.form.get("password", "")
    try:
        methods.prove_by_password(
            auth.current_user(),
            password=password,
            session_id=session_id(),
            address=auth.address(),
            browser=browser_cookie.secret(),
        )
    except (Invalid, TooMany) as problem:
        return page(problem)
    return redirect(url_for("sign_in_methods.show"))


@bp.post("/recovery-codes")
def new_recovery_codes() -> Response:
    with transaction(auth.current_actor()):
        codes = methods.new_recovery_codes(auth.current_user(), session_id())
    return codes_page(codes)


def page(problem: Invalid | TooMany | None = None) -> Response:
    user = auth.current_user()
    html = render_template(
        "account/security/show.html",
        user=user,
        factors=factors.of(user.id),
        passkeys=passkeys.of(user.id),
        site=passkeys.site(),
        most_passkeys=passkeys.MAX_PASSKEYS,
        required=factors.are_required_of(user),
        proved=methods.is_proved(session_id()),
        problem=problem,
    )
    response = make_response(html, 200)
    if problem is not None:
        response.status_code = 429 if isinstance(problem, TooMany) else STATUS[Invalid]
    if isinstance(problem, TooMany):
        response.headers["Retry-After"] = str(problem.retry_after)
    return response
