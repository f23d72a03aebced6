"""Every request gets an id, a time and one log line. Paths are logged, query strings and bodies never."""

import logging
import re
import time
import uuid

from flask import Flask, Response, abort, g, request
from werkzeug.datastructures import MultiDict

from lessonadmin import auth, metrics
from lessonadmin.database import connections, row_access
from lessonadmin.metrics import labels
from lessonadmin.mux import web_concurrency
from lessonadmin.observability import logs
from lessonadmin.security import security_events
from lessonadmin.text.texts import storable
from lessonadmin.web import visitors

log = logging.getLogger("lessonadmin.request")

SANE_ID = re.compile(r"^[\w\-]{8,64}\Z", re.ASCII)
NOT_STORABLE = "The request holds a character that cannot be stored."
FORMS = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})
QUIET = frozenset({"static", "health.healthz", "health.readyz", "metrics.show"})


def init_app(app: Flask) -> None:
    app.before_request(_begin)
    app.before_request(_refuse_unstorable)
    app.after_request(_finish)
    app.teardown_request(_end)


def begin(given_id: str, address: str) -> None:
    """From now on in this context: everything that is logged belongs to this request."""
    # An id that a proxy or a stranger gave helps to follow a request, but is never taken for an id of the app.
    logs.request_id.set(f"given-{given_id}" if SANE_ID.match(given_id) else uuid.uuid4().hex)
    logs.who.set("-")
    logs.address.set(address)


def observe(route: str, method: str, status: int, seconds: float) -> None:
    """Count an answer, by its route."""
    metrics.http_requests.labels(route, labels.method(method), str(status)).observe(seconds)


def log_answer(method: str, path: str, status: int, seconds: float, address: str) -> None:
    """The one line of a request."""
    milliseconds = round(seconds * 1000, 1)
    log.info("%s %s %s", method, path, status, extra={"milliseconds": milliseconds, "address": address})


def _begin() -> None:
    g.began = time.perf_counter()
    begin(request.headers.get("X-Request-Id", ""), auth.address())
    web_concurrency.begin()
    connections.reading(request.method in ("GET", "HEAD"))
    row_access.use(row_access.NOTHING)
    if request.method not in labels.METHODS:
        abort(501)


def _end(_error: BaseException | None) -> None:
    web_concurrency.end()
    connections.reading(False)
    row_access.use(row_access.EVERYTHING)


def _refuse_unstorable() -> None:
    """No person types a NUL, and PostgreSQL stores none: refused here, it causes no unexpected error later.

    JSON bodies are looked at by their schemas, which name the field.
    """
    if not storable(request.path):
        abort(404)
    given = [request.headers.get("User-Agent", ""), *_values(request.args)]
    if request.mimetype in FORMS:
        given += _values(request.form)
    if not all(map(storable, given)):
        abort(400, NOT_STORABLE)


def _values(given: MultiDict[str, str]) -> list[str]:
    """All of them, also those of a name that is given twice."""
    return [value for _, value in given.items(multi=True)]


def _finish(response: Response) -> Response:
    seconds = time.perf_counter() - g.get("began", time.perf_counter())
    route = request.url_rule.rule if request.url_rule else "none"
    observe(route, request.method, response.status_code, seconds)
    response.headers["X-Request-Id"] = logs.request_id.get()
    if request.endpoint not in QUIET or response.status_code >= 500:
        log_answer(request.method, request.path, response.status_code, seconds, visitors.address())
        security_events.write_due()
    return response
