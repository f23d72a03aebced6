"""Every request gets an id, a time and one log line. Paths are logged, query strings and bodies never."""

import logging
import re
import time
import uuid

from flask import Flask, Response, g, request

from lessonadmin import logs, metrics

log = logging.getLogger("lessonadmin.request")

SANE_ID = re.compile(r"^[\w\-]{8,64}$")
QUIET = frozenset({"static", "health.healthz", "health.readyz", "metrics.show"})


def init_app(app: Flask) -> None:
    app.before_request(_begin)
    app.after_request(_finish)


def _begin() -> None:
    g.began = time.perf_counter()
    given = request.headers.get("X-Request-Id", "")
    logs.request_id.set(given if SANE_ID.match(given) else uuid.uuid4().hex)
    logs.who.set("-")


def _finish(response: Response) -> Response:
    seconds = time.perf_counter() - g.get("began", time.perf_counter())
    route = request.url_rule.rule if request.url_rule else "none"
    metrics.http_requests.labels(route, request.method, str(response.status_code)).observe(seconds)
    response.headers["X-Request-Id"] = logs.request_id.get()
    if request.endpoint not in QUIET or response.status_code >= 500:
        log.info(
            "%s %s %s",
            request.method,
            request.path,
            response.status_code,
            extra={"milliseconds": round(seconds * 1000, 1)},
        )
    return response
