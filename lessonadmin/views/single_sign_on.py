"""Single sign-on: to the provider, and back with its answer."""

import hmac

from flask import Blueprint, make_response, render_template, request, session
from werkzeug.wrappers import Response

from lessonadmin import auth, config
from lessonadmin.domain.errors import Missing, Problem, TooMany
from lessonadmin.domain.single_sign_on import sign_in
from lessonadmin.domain.single_sign_on.people import NotAdmitted
from lessonadmin.domain.single_sign_on.sign_in import Refused
from lessonadmin.domain.support import error_references
from lessonadmin.observability import logs
from lessonadmin.security import security_events
from lessonadmin.views.sign_in import arrived
from lessonadmin.web import redirects

bp = Blueprint("single_sign_on", __name__, url_prefix="/login/single-sign-on")
STATE = "single_sign_on"


@bp.get("")
def begin() -> Response:
    """A browser that comes back has the state in its cookie."""
    try:
        address, state = sign_in.begin(address=auth.address())
    except (Refused, TooMany) as problem:
        return _refused(problem)
    session[STATE] = {"state": state, "next": redirects.asked("next")}
    return redirects.to_provider(address)


@bp.get("/answer")
def answer() -> Response:
    if not sign_in.is_on():
        raise Missing
    kept = session.pop(STATE, None) or {}
    given = {name: request.args.get(name, "") for name in ("state", "code", "error", "iss")}
    state = str(kept.get("state", ""))
    try:
        if not state or not hmac.compare_digest(state.encode(), given["state"].encode()):
            raise Refused("the state is of another browser")
        arrival = sign_in.finish(
            state=state,
            code=given["code"],
            error=given["error"],
            issuer=given["iss"],
            browser=auth.browser(),
        )
    except (Refused, NotAdmitted) as problem:
        return _refused(problem)
    wanted = kept.get("next")
    return arrived(arrival, next_=redirects.own(wanted) if isinstance(wanted, str) else None)


def _refused(problem: Problem) -> Response:
    """A page that says why, as far as it concerns the person, with a reference for support."""
    why = problem.why if isinstance(problem, Refused) else problem.type
    security_events.record("single_sign_on_refused", reason=why)
    error_references.keep(logs.request_id.get(), route=f"GET {request.path}", kind=problem.type, user_id=None)
    html = render_template(
        "sign_in/single_sign_on.html",
        problem=problem,
        name=config.current().oidc_name,
        reference=logs.request_id.get(),
    )
    response = make_response(html, 400)
    if isinstance(problem, NotAdmitted):
        response.status_code = 403
    if isinstance(problem, TooMany):
        response.status_code = 429
        response.headers["Retry-After"] = str(problem.retry_after)
    return response
