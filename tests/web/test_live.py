"""Over a real socket, in a process of its own: pytest-flask's `live_server` runs an application that the tests made.

What is tried here is what a client inside this process does not show: bytes on the wire, another process at the same tables.
"""

import http.client
import json
import multiprocessing
import time
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from pytest_flask.live_server import LiveServer

from lessonadmin import config, create_app
from lessonadmin.db import db
from lessonadmin.domain.models import MuxEvent
from tests import factories
from tests.settings import environment
from tests.signing import signature

pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
Answer = tuple[int, dict[str, str], bytes]


@pytest.fixture(scope="module")
def app(pg_url: str, redis_url: str) -> Iterator[Flask]:
    """An application for this file alone: `live_server` gives it a name, and its process must inherit no connection."""
    application = create_app(config.load(environment(database_url=pg_url, redis_url=redis_url)))
    application.testing = True
    before, factories.application = factories.application, application
    yield application
    factories.application = before
    with application.app_context():
        db.engine.dispose()


@pytest.fixture(scope="module", autouse=True)
def nothing_is_left() -> Iterator[None]:
    """pytest-flask asks the server to end, and goes on if it does not. It is a fork of the test process, so whatever waits
    for the end of a pipe of that process (Playwright does) would wait for it for ever."""
    yield
    for child in multiprocessing.active_children():
        child.kill()
        child.join()


def ask(server: LiveServer, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    try:
        connection.request(
            method, path, body=body, headers={k.replace("_", "-"): v for k, v in headers.items()}
        )
        answer = connection.getresponse()
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def test_it_is_alive_and_sends_what_protects_it(live_server: LiveServer) -> None:
    status, headers, body = ask(live_server, "GET", "/healthz")
    assert (status, json.loads(body)) == (200, {"status": "ok"})
    assert headers["content-type"] == "application/json"
    assert "default-src 'none'" in headers["content-security-policy"]


def test_a_stranger_is_sent_to_the_sign_in(live_server: LiveServer) -> None:
    status, headers, _ = ask(live_server, "GET", "/lessons")
    assert status == 302
    assert headers["location"].partition("?")[0].endswith("/login")


def test_another_process_sees_what_was_written_and_writes_itself(
    live_server: LiveServer, accept_json: list[tuple[str, str]], session: Any
) -> None:
    instructor = factories.make_user()
    lesson = factories.make_lesson(creator=instructor, title="Fugue")
    sent = {**dict(accept_json), **factories.bearer(instructor)}
    status, headers, body = ask(live_server, "GET", f"/api/lessons/{lesson.id}", **sent)
    assert (status, json.loads(body)["title"], headers["content-type"]) == (200, "Fugue", "application/json")
    changed = json.dumps({"title": "Canon"}).encode()
    status, _, _ = ask(
        live_server, "PATCH", f"/api/lessons/{lesson.id}", changed, Content_Type="application/json", **sent
    )
    assert status == 200
    session.refresh(lesson)
    assert lesson.title == "Canon"


def test_an_event_is_verified_by_the_bytes_that_came(live_server: LiveServer, session: Any) -> None:
    """Spaces, order and escapes as the sender wrote them: a program that reads and writes the JSON again breaks the signature."""
    body = b'{ "type":"video.asset.unknown",  "id": "e-\\u0031", "data": {"b": 1, "a": 1.0} }'
    secret = config.current().mux_webhook_secrets[0]
    signed = signature(body, secret, now=time.time())
    refused, _, said = ask(live_server, "POST", "/api/webhooks/mux", body + b" ", Mux_Signature=signed)
    assert (refused, b"e-1" in said) == (401, False)
    stored, _, said = ask(live_server, "POST", "/api/webhooks/mux", body, Mux_Signature=signed)
    assert (stored, said) == (204, b"")
    assert [event.mux_event_id for event in session.query(MuxEvent)] == ["e-1"]
