"""Errors as people and programs see them: a page for pages, the contract's JSON for `/api`.

One table says which kind of no has which status; nothing that went wrong inside is shown.
"""

import logging

from flask import Flask, Response, jsonify, render_template, request
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import BadRequest, HTTPException, Unauthorized

from lessonadmin import auth
from lessonadmin.database.database_errors import is_conflict, is_outage, took_too_long
from lessonadmin.db import roll_back
from lessonadmin.domain import errors
from lessonadmin.domain.support import error_references
from lessonadmin.observability import logs, traces
from lessonadmin.security import security_events

log = logging.getLogger(__name__)

STATUS: dict[type[errors.Problem], int] = {
    errors.Invalid: 400,
    errors.Forbidden: 403,
    errors.Missing: 404,
    errors.Conflict: 409,
    errors.TooLarge: 413,
    errors.WrongType: 415,
    errors.TooMany: 429,
    errors.Unavailable: 503,
}
HTTP_TYPES = {
    400: ("bad_request", "The request could not be understood."),
    401: ("not_signed_in", "Please sign in first."),
    403: ("forbidden", "You don't have access to this page."),
    404: ("not_found", "There is nothing here."),
    405: ("method_not_allowed", "This address does not take that method."),
    413: ("too_large", "The request is too large."),
    415: ("unsupported_media_type", "Send JSON with Content-Type: application/json."),
    429: ("rate_limited", "Too many requests. Please wait a little."),
    500: ("internal_error", "Something went wrong on the server. Nothing you entered was lost."),
    501: ("not_implemented", "Nothing here knows that method."),
    503: ("unavailable", "The database does not answer right now. Please try again in a moment."),
}


TOO_SLOW = "This took too long, so it was stopped. Please ask for less (fewer or longer words, a filter), or try again."

# status -> (heading, picture); any other is "Something went wrong"
PAGES = {
    400: ("This did not work", "warning"),
    401: ("Please sign in", "lock"),
    403: ("No access", "lock"),
    404: ("Page not found", "search"),
    405: ("This did not work", "warning"),
    409: ("Not possible right now", "warning"),
    413: ("Too large", "upload"),
    415: ("Not this kind of file", "upload"),
    429: ("A little slower, please", "clock"),
    501: ("This did not work", "warning"),
    503: ("Back in a moment", "retry"),
}
WENT_WRONG = ("Something went wrong", "error")


def wants_json() -> bool:
    return request.path.startswith("/api/") or request.path in ("/healthz", "/readyz")


def answer(status: int, type_: str, message: str, fields: dict[str, str] | None = None) -> Response:
    """The one shape of every error."""
    if wants_json():
        body: dict[str, object] = {"type": type_, "message": message}
        if fields:
            body["fields"] = fields
        response = jsonify(error=body)
    else:
        response = Response(_page(status, message), mimetype="text/html")
    response.status_code = status
    return response


def _page(status: int, message: str) -> str:
    """The error in the shell. For a 5xx the shell sends no query."""
    heading, picture = PAGES.get(status, WENT_WRONG)
    again = status >= 500 and request.method == "GET"
    return render_template(
        "errors/error.html",
        status=status,
        heading=heading,
        picture=picture,
        message=message,
        calm=status >= 500,
        back=request.full_path.rstrip("?") if again else "/",
        back_label="Try again" if again else "Go home",
        request_id=logs.request_id.get(),
    )


def init_app(app: Flask) -> None:
    app.register_error_handler(errors.Problem, _problem)
    app.register_error_handler(CSRFError, _csrf)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(DBAPIError, _database_away)
    app.register_error_handler(PoolTimeout, _database_away)
    app.register_error_handler(Exception, _unexpected)


def _problem(problem: errors.Problem) -> Response:
    if isinstance(problem, errors.Forbidden):
        kind = "insufficient_scope" if problem.type == "insufficient_scope" else "refused"
        security_events.record(kind, path=request.path, reason=problem.type)
    message = problem.message
    if isinstance(problem, errors.Unavailable) and problem.for_support:
        _keep_reference(problem)
        if wants_json():  # the page of an error shows it in any case
            message += f" Reference for support: {logs.request_id.get()}"
    response = answer(STATUS[type(problem)], problem.type, message, problem.fields)
    if isinstance(problem, errors.TooMany | errors.Unavailable) and problem.retry_after is not None:
        response.headers["Retry-After"] = str(problem.retry_after)
    return response


def _csrf(_: CSRFError) -> Response:
    security_events.record("csrf_refused", path=request.path)
    return answer(
        400,
        "csrf",
        "This page was open for too long or came from elsewhere. Please go back, reload and try again.",
    )


def _http(error: HTTPException) -> Response:
    if error.code is None or error.code < 400:
        return Response(
            response=error.get_body(), status=error.code or 500, headers=dict(error.get_headers())
        )
    type_, message = HTTP_TYPES.get(error.code, ("error", error.description or error.name))
    own = isinstance(error, BadRequest | Unauthorized) and error.description != type(error).description
    if own and error.description:
        message = error.description  # written by a view
    response = answer(error.code, type_, message)
    for name, value in error.get_headers():
        if name in ("Allow", "Retry-After", "WWW-Authenticate"):
            response.headers[name] = value
    return response


def _database_away(error: Exception) -> Response:
    if not is_outage(error) and not is_conflict(error):
        return _unexpected(error)
    log.error("the database does not answer: %s", traces.with_words(error))
    roll_back()
    if is_conflict(error) or took_too_long(error):
        _keep_reference(error)
    if took_too_long(error):
        return answer(503, "too_slow", TOO_SLOW)
    return answer(503, *HTTP_TYPES[503])


def _unexpected(error: Exception) -> Response:
    log.error("unexpected error", exc_info=error)
    roll_back()
    _keep_reference(error)
    return answer(500, *HTTP_TYPES[500])


def _keep_reference(error: Exception) -> None:
    """For support, who are told the reference; the error page is shown whether or not it could be kept."""
    who = auth.identity()
    try:
        error_references.keep(
            logs.request_id.get(),
            route=f"{request.method} {request.url_rule or '(no route)'}",
            kind=error.type if isinstance(error, errors.Problem) else type(error).__name__,
            user_id=who.user_id if who is not None else None,
        )
    except Exception as failure:  # whatever it is, the first error is to be answered
        log.warning("the reference of an error was not kept: %s", type(failure).__name__)
        roll_back()
