"""Connections that the server has closed are not handed out, and good ones are not asked whether they are good."""

import time

import psycopg
import pytest
from flask import Flask
from sqlalchemy import func, select, text
from sqlalchemy.exc import OperationalError

from lessonadmin import config
from lessonadmin.database import connections
from lessonadmin.db import db


@pytest.fixture(autouse=True)
def one_connection(app: Flask) -> None:
    """An empty pool, so that one connection is made and used again."""
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def asked(app: Flask, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """The connections over which the server was asked whether it is there."""
    found: list[object] = []
    with app.app_context():
        dialect = db.engine.dialect
    ping = dialect.do_ping

    def noting(connection: object) -> bool:
        found.append(connection)
        return bool(ping(connection))  # type: ignore[arg-type]

    monkeypatch.setattr(dialect, "do_ping", noting)
    return found


def number(app: Flask) -> int:
    """One use of a connection: which process of the server answers."""
    with app.app_context():
        return int(db.session.scalar(select(func.pg_backend_pid())) or 0)


def close_at_the_server(process: int) -> None:
    url = config.current().database_url.replace("+psycopg", "")
    with psycopg.connect(url, autocommit=True, options="") as other:  # as the role of those that it ends
        other.execute("SELECT pg_terminate_backend(%s)", (process,))
        until = time.monotonic() + 10
        while other.execute("SELECT 1 FROM pg_stat_activity WHERE pid = %s", (process,)).fetchone():
            assert time.monotonic() < until
            time.sleep(0.01)


def test_what_the_server_has_closed_is_replaced_unseen(app: Flask, asked: list[object]) -> None:
    before = number(app)
    close_at_the_server(before)
    assert number(app) != before
    assert len(asked) == 1


def test_without_the_look_it_would_be_an_error(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    before = number(app)
    close_at_the_server(before)
    monkeypatch.setattr(connections, "_something_came", lambda _: False)
    with pytest.raises(OperationalError):
        number(app)
    assert number(app) != before


def test_a_good_connection_is_asked_nothing(app: Flask, asked: list[object]) -> None:
    assert len({number(app) for _ in range(5)}) == 1
    assert asked == []


def test_one_that_lay_idle_is_asked(app: Flask, asked: list[object], monkeypatch: pytest.MonkeyPatch) -> None:
    before = number(app)
    monkeypatch.setattr(connections, "TRUSTED_SECONDS", 0.0)
    assert number(app) == before
    assert len(asked) == 1


def lock_timeout(app: Flask) -> str:
    with app.app_context():
        db.session.rollback()
        return str(db.session.scalar(text("SHOW statement_timeout")))


def test_a_statement_of_a_page_that_is_read_ends_soon_and_others_have_their_time(app: Flask) -> None:
    before = number(app)
    assert lock_timeout(app) == "30s"
    connections.reading(True)
    try:
        assert [lock_timeout(app), lock_timeout(app)] == ["5s", "5s"]
    finally:
        connections.reading(False)
    assert lock_timeout(app) == "30s"
    assert number(app) == before, "it is the same connection"
