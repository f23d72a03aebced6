"""The one address that Mux calls: verify the raw bytes, store them, answer with nothing.

It stands before Flask, since Mux sends many at once: a webhook needs no session, no template and no pooled connection. Requests
that come at the same moment are stored by one commit. One that comes alone is applied before it is answered, by this
process or, where many come, by the applier; others are applied by the applier right after (`lessonadmin.jobs.applier`), and by
this process where there is none. No call to Mux, no
mail, no wait for Redis happens here; Mux gives up after five seconds and sends again.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

import psycopg
from flask import Flask
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge
from werkzeug.routing import Rule
from werkzeug.wsgi import get_input_stream

from lessonadmin import config, metrics, mux
from lessonadmin.database.group_commit import NotWrittenInTime
from lessonadmin.domain.webhooks import applier, inbox, rejections
from lessonadmin.domain.webhooks.waiting_events import Incoming, Store
from lessonadmin.observability import logs
from lessonadmin.web import headers, requests, visitors

log = logging.getLogger(__name__)

ADDRESSES = ("/api/webhooks/mux", "/api/mux/webhook")
MAX_BODY_BYTES = 1024 * 1024
# Within a second, so many webhooks are applied before their answer; with more the applier is quicker.
MAX_APPLIED_AT_ONCE = 20
LOOK_AFTER_SECONDS = 1.0
THREAD = "webhooks that are left"


def init_app(app: Flask) -> None:
    # Flask knows the addresses, so that other methods are refused as everywhere; the method itself never gets there.
    for address in ADDRESSES:
        app.url_map.add(Rule(address, endpoint="webhooks.receive", methods=["POST"]))
    app.wsgi_app = WebhookMiddleware(app, app.wsgi_app)  # type: ignore[method-assign]  # Flask's documented way


class WebhookMiddleware:
    """Around the application; everything but a webhook is passed on."""

    def __init__(self, app: Flask, inside: Any) -> None:
        self._inside = inside
        self._intake = Intake(app)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if environ.get("REQUEST_METHOD") != "POST" or path not in ADDRESSES:
            answer: Iterable[bytes] = self._inside(environ, start_response)
            return answer
        began = time.perf_counter()
        address = visitors.look(environ).address
        requests.begin(environ.get("HTTP_X_REQUEST_ID", ""), address)
        try:
            status = self._intake.receive(environ)
        except Exception:  # whatever it is, Mux has to hear that it should send again
            log.exception("a webhook could not be received")
            status = 500
        start_response(f"{status} {HTTPStatus(status).phrase.upper()}", _headers(status))
        seconds = time.perf_counter() - began
        requests.observe(path, "POST", status, seconds)
        requests.log_answer("POST", path, status, seconds, address)
        return []


def _headers(status: int) -> list[tuple[str, str]]:
    found = headers.of_an_empty_answer() | {"X-Request-Id": logs.request_id.get()}
    if status != HTTPStatus.NO_CONTENT:
        found["Content-Length"] = "0"
    return list(found.items())


class Intake:
    """Receives webhooks in the threads of one process."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._traffic = _Traffic()
        self._guard = threading.Lock()
        self._store: Store | None = None
        self._leftovers = Leftovers(app)

    def receive(self, environ: dict[str, Any]) -> int:
        """The status of the answer."""
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
        try:
            self._take_in(Incoming(event_id, hint, body), kind)
        except (psycopg.Error, NotWrittenInTime) as error:
            log.error("event %s could not be stored: %s", event_id, type(error).__name__)
            self._leftovers.look_soon()  # what hung may have been stored after all
            return self._refused(503, "not_stored")
        return 204

    def _take_in(self, incoming: Incoming, kind: str) -> None:
        store = self._opened()
        with self._traffic.one() as is_alone:
            applies_it = is_alone and (self._traffic.is_quiet() or not self._leftovers.applier_is_at_work())
            incoming.wakes_applier = not applies_it
            store.add(incoming)
            is_applied = False
            if applies_it and incoming.is_new:
                is_applied = self._applied(incoming)
            elif is_alone and incoming.is_new:
                is_applied = store.wait_until_applied(incoming)
        if not incoming.is_new:
            inbox.count(kind, "duplicate")
        if not is_applied:
            self._leftovers.look_soon()

    def _opened(self) -> Store:
        with self._guard:
            self._store = self._store or Store(config.current().database_url)
            return self._store

    def _applied(self, incoming: Incoming) -> bool:
        try:
            with self._app.app_context():
                applier.apply_now(incoming.id)
        except SQLAlchemyError as error:
            log.warning(
                "event %s is stored and not applied yet: %s", incoming.mux_event_id, type(error).__name__
            )
            return False
        return True

    def _refused(self, status: int, reason: str) -> int:
        metrics.webhook_rejected.labels(reason).inc()
        if status == 401:
            with self._app.app_context():
                rejections.count(reason)
        return status


def _body(environ: dict[str, Any]) -> bytes:
    # A body in chunks does not say its length and is cut off at the limit without a word: so one byte more is read.
    try:
        body: bytes = get_input_stream(environ, max_content_length=MAX_BODY_BYTES + 1).read()
    except ClientDisconnected as error:
        raise mux.BadPayload("the body ended early") from error
    if len(body) > MAX_BODY_BYTES:
        raise RequestEntityTooLarge
    return body


class _Traffic:
    """How many webhooks this process receives at this moment, and how many of them came alone within the last second."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._now = 0
        self._latest: deque[float] = deque(maxlen=MAX_APPLIED_AT_ONCE)

    @contextmanager
    def one(self) -> Iterator[bool]:
        """While one is received and perhaps applied. Is it the only one?"""
        with self._guard:
            is_alone = self._now == 0
            self._now += 1
        try:
            yield is_alone
        finally:
            with self._guard:
                self._now -= 1

    def is_quiet(self) -> bool:
        now = time.monotonic()
        with self._guard:
            is_quiet = len(self._latest) < MAX_APPLIED_AT_ONCE or now - self._latest[0] > 1.0
            self._latest.append(now)
        return is_quiet


class Leftovers:
    """A thread that looks a moment later whether what was stored is applied, and applies it where there is no applier.

    It lives until nothing waits any more.
    """

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._guard = threading.Lock()
        self._thread: threading.Thread | None = None
        self._is_expected = False
        self._asking = threading.Lock()
        self._watch: applier.Watch | None = None
        self._seen: tuple[float, bool] | None = None

    def look_soon(self) -> None:
        with self._guard:
            self._is_expected = True
            if self._thread is None or not self._thread.is_alive():  # it does not live on in a forked process
                self._thread = threading.Thread(target=self._run, name=THREAD, daemon=True)
                self._thread.start()

    def applier_is_at_work(self) -> bool:
        """Asked once a second at most."""
        seen = self._seen
        if seen is None or time.monotonic() - seen[0] > LOOK_AFTER_SECONDS:
            self._seen = seen = (time.monotonic(), self._look().applier_is_at_work)
        return seen[1]

    def _run(self) -> None:
        is_left = True
        while is_left:
            time.sleep(LOOK_AFTER_SECONDS)
            with self._guard:
                self._is_expected = False
            try:
                is_left = self._apply_what_is_left()
            except (psycopg.Error, SQLAlchemyError) as error:
                log.warning("it is not known whether webhooks are left: %s", type(error).__name__)
            except Exception:  # the thread must go on, whatever one event raises
                log.exception("webhooks that were left could not be applied")
            with self._guard:
                is_left = is_left or self._is_expected
                if not is_left:
                    self._thread = None

    def _apply_what_is_left(self) -> bool:
        """Did anything wait?"""
        left = self._look()
        if left.needs_help:
            with self._app.app_context():
                applier.drain()
        return left.oldest_seconds > 0

    def _look(self) -> applier.Left:
        with self._asking:
            self._watch = self._watch or applier.Watch(config.current().database_url)
            return self._watch.look()
