"""What the pages with passkeys share: the options that `static/js/behaviours/passkey.js` asks for, and the answer that it sends.

The secret of the challenge stands in the session's cookie: an answer counts in the browser that asked.
"""

from collections.abc import Callable

from flask import Response, jsonify, request, session

from lessonadmin.domain.errors import Invalid, Problem, TooMany
from lessonadmin.web.errors import STATUS

NO_SCRIPT = "Passkeys need a browser that knows them and runs scripts. Sign in another way, or allow scripts for this site."


def options(ask: Callable[[], tuple[str, str]]) -> Response:
    """What the browser is asked, as JSON; a refusal is JSON too."""
    try:
        found, secret = ask()
    except Problem as problem:
        refusal = jsonify(error={"type": problem.type, "message": problem.message})
        refusal.status_code = next(
            (status for kind, status in STATUS.items() if isinstance(problem, kind)), 400
        )
        if isinstance(problem, TooMany):
            refusal.headers["Retry-After"] = str(problem.retry_after)
        return refusal
    session["challenge"] = secret
    return Response(found, mimetype="application/json")


def challenge_secret() -> str:
    found = session.pop("challenge", "")
    return found if isinstance(found, str) else ""


def answer() -> str:
    """What the browser has made or signed. Without a script a form sends none."""
    found = request.form.get("credential", "")
    if not found:
        raise Invalid("no_script", NO_SCRIPT)
    return found
