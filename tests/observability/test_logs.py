"""Logs: one line an event, with request and actor, without secrets and without line breaks from outside."""

import io
import json
import logging
import sys

import pytest
from flask import Flask
from flask.testing import FlaskClient

from lessonadmin.observability import logs
from tests.factories import bearer, make_user, signed_in


def line(message: str, *values: object, **extra: object) -> dict[str, object]:
    record = logging.LogRecord("x", logging.INFO, "f", 1, message, values, None)
    vars(record).update(extra)
    written = logs.JsonLines().format(record)
    assert "\n" not in written
    found: dict[str, object] = json.loads(written)
    return found


def test_a_line_is_json_with_its_request_and_actor() -> None:
    logs.request_id.set("r" * 32)
    logs.who.set("user:1")
    found = line("hello %s", "world", milliseconds=1.5)
    logs.request_id.set("-")
    logs.who.set("-")
    assert (found["message"], found["level"], found["milliseconds"]) == ("hello world", "info", 1.5)
    assert (found["request_id"], found["actor"]) == ("r" * 32, "user:1")


@pytest.mark.parametrize(
    "secret",
    [
        "Authorization: Bearer abc.def-ghi",
        "https://x/?token=abc.def-ghi",
        "whsec_abcdefghi",
        "Authorization: Basic abcdefghi==",
    ],
)
def test_what_gives_access_is_left_out(secret: str) -> None:
    for found in (line(secret), line("said %s", secret)):
        assert "abc" not in str(found["message"])
        assert "[secret]" in str(found["message"])


def test_a_row_that_postgresql_refused_is_not_quoted() -> None:
    refused = (
        'null value in column "price" violates it\nDETAIL: Failing row contains (1, What a person wrote).'
    )
    found = str(line(refused)["message"])
    assert "What a person wrote" not in found
    assert "null value in column" in found


def test_text_from_outside_breaks_no_line() -> None:
    found = line("file %s", 'a\r\n{"level":"error","message":"forged"}')
    assert "\n" not in str(found["message"])
    readable = logs.Readable().format(logging.LogRecord("x", 20, "f", 1, "a\r\nb", (), None))
    assert "\n" not in readable


def test_an_exception_stays_in_its_line_and_loses_its_secrets() -> None:
    try:
        raise ValueError("Bearer abc.def-ghi")
    except ValueError:
        record = logging.LogRecord("x", 40, "f", 1, "failed", (), sys.exc_info())
    written = logs.JsonLines().format(record)
    assert "\n" not in written
    assert "abc.def" not in written
    assert "Traceback" in json.loads(written)["exception"]


def test_a_request_is_one_line_with_its_id_and_who_asked(
    client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    user = make_user()
    client = signed_in(user)
    answer = client.get("/account?token=secret", headers={**bearer(user), "X-Request-Id": "trace-me-12345"})
    assert answer.headers["X-Request-Id"] == "given-trace-me-12345"
    lines = [record for record in caplog.records if record.name == "lessonadmin.request"]
    assert [record.getMessage() for record in lines] == ["GET /account 200"]


@pytest.mark.parametrize("given", ["", "short", "x" * 65, "with space and <b>", "a\tb-c-d-e-f-g"])
def test_a_strange_request_id_is_replaced(client: FlaskClient, given: str) -> None:
    answer = client.get("/healthz", headers={"X-Request-Id": given})
    assert answer.headers["X-Request-Id"] != given
    assert len(answer.headers["X-Request-Id"]) == 32


def test_production_writes_json_to_standard_error(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    monkeypatch.setattr(sys, "stderr", stream)
    try:
        logs.init_app()
        app.test_client().get("/login")
    finally:
        root.handlers[:] = before
        root.setLevel(level)
    found = [json.loads(text) for text in stream.getvalue().splitlines()]
    assert found[-1]["message"] == "GET /login 200"
    assert len(found[-1]["request_id"]) == 32


# What a terminal obeys: an escape, a bell, backspace, delete, a C1 control sequence, and what turns the text's direction.
OBEYED = "\x1b]0;pwned\x07 \x08 \x7f \x9b31m \u202e \u2066 \u2028 \x00"


def harmless(text: str) -> bool:
    return bool(text) and all(one.isprintable() for one in text)


@pytest.mark.parametrize("form", [logs.JsonLines, logs.Readable])
def test_no_form_of_a_line_moves_a_terminal(form: type[logging.Formatter]) -> None:
    record = logging.LogRecord("x", logging.INFO, "f", 1, f"a {OBEYED} b\r\nc", (), None)
    record.path = OBEYED
    written = form().format(record)
    assert harmless(written), repr(written)
    assert "x1b" in written


def test_a_trace_has_line_breaks_and_nothing_else() -> None:
    try:
        raise ValueError(OBEYED)
    except ValueError:
        record = logging.LogRecord("x", 40, "f", 1, "failed", (), sys.exc_info())
    written = logs.Readable().format(record)
    assert written.count("\n") >= 3
    assert harmless(written.replace("\n", "")), repr(written)


def test_an_address_with_escapes_is_logged_as_signs(
    client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    assert client.get("/%1b]0;pwn%07").status_code == 404
    (record,) = [one for one in caplog.records if one.name == "lessonadmin.request"]
    assert "\x1b" in record.getMessage(), "what came is not harmless"
    assert harmless(logs.Readable().format(record))


def test_an_id_from_outside_is_never_taken_for_ours(client: FlaskClient) -> None:
    ours = client.get("/healthz").headers["X-Request-Id"]
    given = client.get("/healthz", headers={"X-Request-Id": ours}).headers["X-Request-Id"]
    assert given == f"given-{ours}"
