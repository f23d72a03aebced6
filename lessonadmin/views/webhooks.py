"""The one address that Mux calls: verify the raw bytes, store them, answer with nothing.

It stands before Flask, since Mux sends many at once: a webhook needs no session, no template and no pooled connection. What
is stored and when it is applied is the business of `intake`. No call to Mux, no mail, no wait for Redis happens here; Mux gives
up after five seconds and sends again.
"""

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

import psycopg
from flask import Flask
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge
from werkzeug.routing import Rule
from werkzeug.wsgi import get_input_stream

from lessonadmin import config, metrics, mux
from lessonadmin.database.group_commit import NotWrittenInTime
from lessonadmin.domain.webhooks import rejections
from lessonadmin.domain.webhooks.intake import Arrival, Intake
from lessonadmin.domain.webhooks.waiting_events import Incoming
from lessonadmin.observability import logs
from lessonadmin.web import headers, requests, visitors

log = logging.getLogger(__name__)

ADDRESSES = ("/api/webhooks/mux", "/api/mux/webhook")
MAX_BODY_BYTES = 1024 * 1024


def init_app(app: Flask) -> None:
    # Flask knows the addresses, so that other methods are refused as everywhere; the method itself never gets there.
    for address in ADDRESSES:
        app.url_map.add(Rule(address, endpoint="webhooks.receive", methods=["POST"]))
    app.wsgi_app = WebhookMiddleware(app, app.wsgi_app)  # type: ignore[method-assign]  # Flask's documented way


class WebhookMiddleware:
    """Around the application; everything but a webhook is passed on."""

    def __init__(self, app: Flask, inside: Any) -> None:
        self._app, self._inside = app, inside
        self._intake = Intake(app.app_context)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if environ.get("REQUEST_METHOD") != "POST" or path not in ADDRESSES:
            answer: Iterable[bytes] = self._inside(environ, start_response)
            return answer
        return _Answer(self._begun, self._intake, environ, start_response)

    def _begun(self, environ: dict[str, Any]) -> Arrival | int:
        """What is being stored, or the status of a refusal."""
        secrets = config.current().mux_webhook_secrets
        try:
            body = _body(environ)
            hint = mux.verify(environ.get("HTTP_MUX_SIGNATURE"), body, secrets, now=time.time())
            event_id, kind = mux.read_id_and_type(body)
        except RequestEntityTooLarge:
            return self._refused(413, "too_large")
        except mux.BadSignature as refusal:
            return self._refused(401, refusal.reason)
        except mux.BadPayload:
            return self._refused(400, "malformed")
        return self._intake.begin(Incoming(event_id, hint, body), kind)

    def _refused(self, status: int, reason: str) -> int:
        metrics.webhook_rejected.labels(reason).inc()
        if status == 401:
            with self._app.app_context():
                rejections.count(reason)
        return status


class _Answer:
    """An empty answer, whose status is known when the web server takes it.

    The web server may call the application for several webhooks before it takes the first answer: they are stored together.
    """

    def __init__(
        self,
        begin: Callable[[dict[str, Any]], Arrival | int],
        intake: Intake,
        environ: dict[str, Any],
        start_response: Any,
    ) -> None:
        self._began = time.perf_counter()
        self._intake, self._start_response = intake, start_response
        self._path = environ["PATH_INFO"]
        self._address = visitors.look(environ).address
        requests.begin(environ.get("HTTP_X_REQUEST_ID", ""), self._address)
        self._begun: Arrival | int = 500
        with _logged():
            self._begun = begin(environ)

    def __iter__(self) -> Iterator[bytes]:
        begun, self._begun = self._begun, 500
        status = 500
        with _logged():
            status = begun if isinstance(begun, int) else self._finish(begun)
        self._start_response(f"{status} {HTTPStatus(status).phrase.upper()}", _headers(status))
        seconds = time.perf_counter() - self._began
        requests.observe(self._path, "POST", status, seconds)
        requests.log_answer("POST", self._path, status, seconds, self._address)
        return iter(())

    def _finish(self, arrival: Arrival) -> int:
        try:
            self._intake.finish(arrival)
        except (psycopg.Error, NotWrittenInTime) as error:
            log.error("event %s could not be stored: %s", arrival.incoming.mux_event_id, type(error).__name__)
            metrics.webhook_rejected.labels("not_stored").inc()
            return 503
        return 204

    def close(self) -> None:
        """The web server's last call; the first too where the client has gone before its answer was taken."""
        if isinstance(self._begun, Arrival):
            self._intake.give_up(self._begun)
            self._begun = 500


@contextmanager
def _logged() -> Iterator[None]:
    """Whatever happens, Mux has to hear that it should send again."""
    try:
        yield
    except Exception:
        log.exception("a webhook could not be received")


def _headers(status: int) -> list[tuple[str, str]]:
    found = headers.of_an_empty_answer() | {"X-Request-Id": logs.request_id.get()}
    if status != HTTPStatus.NO_CONTENT:
        found["Content-Length"] = "0"
    return list(found.items())


def _body(environ: dict[str, Any]) -> bytes:
    # A body in chunks does not say its length and is cut off at the limit without a word: so one byte more is read.
    try:
        body: bytes = get_input_stream(environ, max_content_length=MAX_BODY_BYTES + 1).read()
    except ClientDisconnected as error:
        raise mux.BadPayload("the body ended early") from error
    if len(body) > MAX_BODY_BYTES:
        raise RequestEntityTooLarge
    return body
