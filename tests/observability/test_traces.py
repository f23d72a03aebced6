"""An error of the database quotes what people wrote and what gives access: none of it is logged, stored or shown."""

import json
import logging
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from lessonadmin.database.database_errors import in_short
from lessonadmin.db import db
from lessonadmin.domain.health.doctor import all_checks
from lessonadmin.domain.models import MuxEvent
from lessonadmin.observability import error_reports, logs, traces
from tests import owner
from tests.cases import each_of
from tests.factories import PASSWORD, make_lesson, make_user
from tests.mux_sim import MuxSim
from tests.pages import csrf_of


@contextmanager
def refusing(table: str, condition: str) -> Iterator[None]:
    """A table that takes no row like this."""
    alter = f"ALTER TABLE {table}"
    owner.execute(f"{alter} ADD CONSTRAINT boom CHECK ({condition}) NOT VALID")
    try:
        yield
    finally:
        db.session.rollback()
        owner.execute(f"{alter} DROP CONSTRAINT boom")


def written(records: list[logging.LogRecord]) -> str:
    """As it goes out, in both forms."""
    return "\n".join(
        formatter.format(one) for one in records for formatter in (logs.JsonLines(), logs.Readable())
    )


def test_a_session_that_cannot_be_stored_tells_no_hash(
    app: Flask, session: object, client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    user = make_user(email="somebody@school.example")
    token = csrf_of(client, "/login")
    with refusing("user_sessions", "user_agent <> 'boom'"):
        answer = client.post(
            "/login",
            data={"email": user.email, "password": PASSWORD, "csrf_token": token},
            headers={"User-Agent": "boom"},
        )
    assert answer.status_code == 500
    said = written(caplog.records)
    assert "IntegrityError 23514 boom" in said
    assert "Failing row" not in said
    assert "[parameters:" not in said
    assert not re.search(r"\b[0-9a-f]{64}\b", said), "the hash of the session"
    assert "@school.example" not in said
    assert "boom'" not in said
    assert "Failing row" not in answer.text


def test_of_the_test_the_database_quotes_the_row(app: Flask, session: object) -> None:
    user = make_user(email="somebody@school.example")
    with refusing("users", "name <> 'boom'"), pytest.raises(IntegrityError) as caught:
        db.session.execute(text("UPDATE users SET name = 'boom' WHERE id = :id"), {"id": user.id})
    assert "Failing row contains" in str(caught.value)
    assert "somebody@school.example" in str(caught.value)
    assert "[parameters:" not in str(caught.value), "these are hidden by the engine's own setting"
    assert in_short(caught.value) == "IntegrityError 23514 boom"


def test_an_event_that_fails_keeps_the_name_of_the_rule_only(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    with refusing("mux_asset_tracking", "status <> 'ready'"):
        assert "failed" in mux_sim.deliver()
    errors = set(db.session.scalars(select(MuxEvent.error).where(MuxEvent.outcome == "failed")))
    assert errors == {"IntegrityError 23514 boom"}


def database_error(message: str) -> IntegrityError:
    return IntegrityError("INSERT", {"password_hash": "scrypt:1:2:3$salt$hash"}, psycopg.Error(message))


ROW = "new row is wrong\nDETAIL:  Failing row contains (a@b.example,\n[SQL: forged end\nscrypt:32768:8:1$salt$abcdef)."


def test_traces_hold_no_row_not_even_of_the_cause() -> None:
    try:
        try:
            raise database_error(ROW)
        except IntegrityError as error:
            raise RuntimeError("and so nothing was done") from error
    except RuntimeError as error:
        told = traces.told(error, traces.with_words)
    assert "IntegrityError" in told
    assert "RuntimeError: and so nothing was done" in told
    assert told.index("IntegrityError") < told.index(traces.BECAUSE) < told.index("RuntimeError: and so")
    assert "Failing row" not in told
    assert "forged end" not in told


def test_a_server_that_is_away_may_say_why(app: Flask) -> None:
    from sqlalchemy import create_engine

    with pytest.raises(Exception, match="refused") as caught:
        create_engine("postgresql+psycopg://u:geheim@127.0.0.1:1/x").connect()
    assert "refused" in traces.with_words(caught.value)
    assert "\n" not in traces.with_words(caught.value)
    assert "geheim" not in logs.scrub(traces.with_words(caught.value))


def test_reports_hold_no_words_of_the_database(app: Flask) -> None:
    event = {
        "exception": {
            "values": [
                {"type": "CheckViolation", "module": "psycopg.errors", "value": "value of a person"},
                {"type": "IntegrityError", "module": "sqlalchemy.exc", "value": "value of a person"},
                {"type": "ValueError", "module": None, "value": "somebody@school.example"},
            ]
        }
    }
    said = repr(error_reports.scrub(event))
    assert "value of a person" not in said
    assert "school.example" not in said
    assert "IntegrityError" in said


@each_of(
    "secret",
    [
        "postgresql://user:geheim@db.example/x",
        "redis://:geheim@127.0.0.1:6379/0 is away",
        "smtp://u:geheim@mail.example:587",
        "scrypt:32768:8:1$salt$geheim",
        "$argon2id$v=19$m=47104,t=1,p=1$salt$geheim",
        "pbkdf2:sha256:1$salt$geheim",
        "{'password_hash': 'geheim'}",
        '"secret_hash": "geheim"',
        "https://x.example/?a=b&signature=geheim&c=d",
        "https://x.example/v?X-Goog-Signature=geheim",
        "PUT https://storage.googleapis.com/video-uploads/geheim?upload_id=geheim",
        "https://stream.example/x.m3u8?token=geheim",
        "DETAIL:  Key (email)=(geheim)\nmore geheim",
        "written to geheim@school.example",
    ],
)
def test_what_gives_access_or_names_a_person_is_masked_everywhere(secret: str) -> None:
    assert "geheim" not in logs.scrub(secret)
    record = logging.LogRecord("x", 20, "f", 1, "hello", (), None)
    record.url, record.rows = secret, [{"deep": (secret,)}]
    assert "geheim" not in logs.JsonLines().format(record)
    assert "geheim" not in logs.Readable().format(record)
    try:
        raise ValueError(secret)
    except ValueError:
        record = logging.LogRecord("x", 40, "f", 1, "failed", (), sys.exc_info())
    assert "geheim" not in logs.JsonLines().format(record)
    assert "ValueError" in logs.Readable().format(record)


@pytest.mark.parametrize(
    "harmless",
    [
        "GET /admin/lesson/?sort=title 200",
        "http://127.0.0.1:8000/lessons is open",
        "a talk about passwords and tokens",
        "node_modules/@mux/mux-player",
        "milliseconds=12.5",
    ],
)
def test_what_is_no_secret_stays(harmless: str) -> None:
    assert logs.scrub(harmless) == harmless


def test_masking_takes_no_longer_for_a_text_that_was_made_for_it() -> None:
    import time

    began = time.perf_counter()
    for piece in ("://:", "token=", "password_hash: '", "a.", "a@", "$argon2$", "DETAIL: "):
        logs.scrub(piece * (100_000 // len(piece)))
    assert time.perf_counter() - began < 3


def test_values_beside_a_message_keep_their_kind() -> None:
    record = logging.LogRecord("x", 20, "f", 1, "hello", (), None)
    record.count, record.none, record.share = 3, None, 1.5
    found = json.loads(logs.JsonLines().format(record))
    assert (found["count"], found["none"], found["share"]) == (3, None, 1.5)


def test_a_command_that_breaks_off_quotes_no_row(settings_environment: dict[str, str]) -> None:
    """The user of a command sees where it broke, and no row."""
    code = (
        "from lessonadmin.observability import logs; logs.init_app(); import psycopg\n"
        "from sqlalchemy.exc import IntegrityError\n"
        f"raise IntegrityError('x', {{}}, psycopg.Error({ROW!r}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "IntegrityError" in done.stderr
    assert "Failing row" not in done.stderr


def test_the_doctor_quotes_no_address_with_a_password(
    app: Flask, session: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_off(_part: object) -> None:
        raise ValueError("postgresql://user:geheim@db.example/x cannot be read")

    monkeypatch.setattr(all_checks, "CHECKS", {"disk": break_off})
    (line,) = all_checks.examine()
    assert "ValueError" in line.says
    assert "geheim" not in line.says
