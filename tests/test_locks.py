"""One process at a time, by a lock that PostgreSQL keeps."""

from collections.abc import Iterator

import psycopg
import pytest
from flask import Flask
from sqlalchemy import Connection, create_engine, make_url, text
from sqlalchemy.exc import DBAPIError

from lessonadmin.db import alone, db, is_locked

LOCK = 0x7E57


@pytest.fixture
def two(app: Flask) -> Iterator[tuple[Connection, Connection]]:
    with app.app_context(), db.engine.connect() as one, db.engine.connect() as other:
        yield one, other
        db.session.rollback()


def test_the_second_is_told_so_and_takes_nothing_away(two: tuple[Connection, Connection]) -> None:
    one, other = two
    with alone(LOCK, on=one) as first:
        assert first
        for _ in range(2):
            with alone(LOCK, on=other) as second:
                assert not second
        assert is_locked(LOCK)
        with alone(LOCK + 1, on=other) as elsewhere:
            assert elsewhere
    assert not is_locked(LOCK)
    with alone(LOCK, on=other) as next_one:
        assert next_one


def test_the_lock_of_another_database_of_the_same_server_is_not_this_one(app: Flask, pg_url: str) -> None:
    elsewhere = create_engine(make_url(pg_url).set(database="postgres"))
    with app.app_context(), elsewhere.connect() as other, alone(LOCK, on=other) as held:
        assert held
        assert not is_locked(LOCK)
    elsewhere.dispose()


def test_it_is_free_after_an_error_also_one_of_the_database(two: tuple[Connection, Connection]) -> None:
    one, other = two
    with pytest.raises(DBAPIError), alone(LOCK, on=one):
        one.execute(text("SELECT 1/0"))
    with alone(LOCK, on=other) as free:
        assert free


def test_it_goes_with_its_connection(two: tuple[Connection, Connection], pg_url: str) -> None:
    one, other = two
    process = one.scalar(text("SELECT pg_backend_pid()"))
    with alone(LOCK, on=one) as first:
        assert first
        with psycopg.connect(pg_url) as third:
            third.execute("SET ROLE NONE")  # as who it signed in, since only that role may
            third.execute("SELECT pg_terminate_backend(%s, 5000)", [process])
        with alone(LOCK, on=other) as free:
            assert free
    assert one.invalidated
