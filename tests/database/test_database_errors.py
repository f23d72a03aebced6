"""Errors that PostgreSQL itself raises are told apart: away, in each other's way, or wrong."""

import threading
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import SQLAlchemyError

from lessonadmin.database.database_errors import is_conflict, is_outage
from lessonadmin.db import db

KEY = 4_711


@pytest.fixture
def engine(app: Flask) -> Iterator[Engine]:
    """Connections of the test's own, two at most."""
    with app.app_context():
        url = db.engine.url
    made = create_engine(url, pool_size=2, max_overflow=0, pool_timeout=0.05, connect_args={"options": ""})
    yield made
    made.dispose()


def statement(*statements: str) -> Callable[[Engine], None]:
    def run(engine: Engine) -> None:
        with engine.connect() as connection:
            for one in statements:
                connection.execute(text(one))

    return run


def raised(state: str) -> Callable[[Engine], None]:
    return statement(f"DO $$ BEGIN RAISE SQLSTATE '{state}'; END $$")


def nothing_listens(engine: Engine) -> None:
    create_engine(engine.url.set(host="127.0.0.1", port=1)).connect()


def no_connection_comes_free(engine: Engine) -> None:
    with engine.connect(), engine.connect():
        engine.connect()


def a_value_that_the_driver_refuses(engine: Engine) -> None:
    with engine.connect() as connection:
        connection.execute(text("SELECT CAST(:value AS text)"), {"value": "a\x00b"})


def a_lock_that_is_held(engine: Engine) -> None:
    with engine.connect() as holder, engine.connect() as other:
        holder.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": KEY})
        other.execute(text("SET LOCAL lock_timeout = '20ms'"))
        other.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": KEY})


def a_serialization_failure(engine: Engine) -> None:
    with engine.connect() as one, engine.connect() as other:
        one.execute(text("DELETE FROM heartbeats"))
        one.execute(text("INSERT INTO heartbeats (name) VALUES ('told apart')"))
        one.commit()
        other.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
        other.execute(text("SELECT name FROM heartbeats"))
        one.execute(text("UPDATE heartbeats SET name = 'told apart, first'"))
        one.commit()
        other.execute(text("UPDATE heartbeats SET name = 'told apart, too late'"))


def a_deadlock(engine: Engine) -> None:
    """Each of two holds what the other wants; PostgreSQL ends one of them."""
    first, second = (f"SELECT pg_advisory_xact_lock({KEY + number})" for number in (1, 2))
    holds = threading.Barrier(2, timeout=20)
    errors: list[Exception] = []

    def take(mine: str, theirs: str) -> None:
        with engine.connect() as connection:
            connection.execute(text(mine))
            holds.wait()
            try:
                connection.execute(text(theirs))
            except Exception as error:
                errors.append(error)

    beside = threading.Thread(target=take, args=(second, first))
    beside.start()
    take(first, second)
    beside.join()
    (error,) = errors
    raise error


@pytest.mark.parametrize(
    "go_wrong",
    [
        statement("SELECT pg_terminate_backend(pg_backend_pid())"),
        statement("SET LOCAL statement_timeout = '10ms'", "SELECT pg_sleep(5)"),
        statement("SET TRANSACTION READ ONLY", "DELETE FROM heartbeats"),
        *map(raised, ("08006", "53100", "53300", "57P01", "57P03")),
        nothing_listens,
        no_connection_comes_free,
    ],
)
def test_an_outage(engine: Engine, go_wrong: Callable[[Engine], None]) -> None:
    with pytest.raises((SQLAlchemyError, ValueError)) as caught:
        go_wrong(engine)
    assert is_outage(caught.value), repr(caught.value)
    assert not is_conflict(caught.value)


@pytest.mark.parametrize(
    "go_wrong", [a_lock_that_is_held, a_serialization_failure, a_deadlock, raised("55006")]
)
def test_a_conflict(engine: Engine, go_wrong: Callable[[Engine], None]) -> None:
    with pytest.raises((SQLAlchemyError, ValueError)) as caught:
        go_wrong(engine)
    assert is_conflict(caught.value), repr(caught.value)
    assert not is_outage(caught.value)


@pytest.mark.parametrize(
    "go_wrong",
    [
        statement("SELECT 1/0"),
        statement("SELECT nonsense"),
        statement("INSERT INTO lessons (id) VALUES (NULL)"),
        raised("23505"),
        raised("25001"),
        raised("P0001"),
        a_value_that_the_driver_refuses,
        lambda _engine: int("x"),
    ],
)
def test_neither(engine: Engine, go_wrong: Callable[[Engine], None]) -> None:
    with pytest.raises((SQLAlchemyError, ValueError)) as caught:
        go_wrong(engine)
    assert not is_outage(caught.value), repr(caught.value)
    assert not is_conflict(caught.value), repr(caught.value)
