"""The connection outside the pool: made again when it broke, and given up when the server does not answer in time."""

import time

import psycopg
import pytest

from lessonadmin.database.single_connection import SingleConnection, connect

PID = b"SELECT pg_backend_pid()"


@pytest.fixture
def single(pg_url: str) -> SingleConnection:
    return SingleConnection(pg_url, limit_seconds=0.5)


def test_it_is_one_connection_that_is_kept(single: SingleConnection) -> None:
    assert single.execute(PID, {}) == single.execute(PID, {})
    single.close()


def test_each_statement_is_committed_by_itself(single: SingleConnection, pg_url: str) -> None:
    single.execute(b"SELECT set_config('application_name', %(name)s, false)", {"name": "kept"})
    assert single.execute(b"SELECT current_setting('application_name')", {}) == [("kept",)]
    single.close()


def test_a_connection_that_the_server_has_ended_is_made_anew(single: SingleConnection, pg_url: str) -> None:
    ((pid,),) = single.execute(PID, {})
    with connect(pg_url) as other:
        other.execute("SELECT pg_terminate_backend(%s, 10000)", [pid])
    assert single.execute(PID, {}) != [(pid,)]
    single.close()


def test_what_the_server_does_not_answer_in_time_fails_and_is_not_sent_again(
    single: SingleConnection,
) -> None:
    single.execute(PID, {})
    began = time.monotonic()
    with pytest.raises(psycopg.OperationalError):
        single.execute(b"SELECT pg_sleep(20)::text", {})
    assert time.monotonic() - began < 5
    assert single.execute(b"SELECT 1", {}) == [(1,)], "the next one has a new connection"
    single.close()


def test_a_server_that_is_not_there_is_an_error_at_once() -> None:
    gone = SingleConnection("postgresql+psycopg://nobody@127.0.0.1:1/nothing", limit_seconds=0.5)
    with pytest.raises(psycopg.OperationalError):
        gone.execute(PID, {})


def test_a_wrong_statement_is_its_own_fault(single: SingleConnection) -> None:
    with pytest.raises(psycopg.errors.UndefinedTable):
        single.execute(b"SELECT * FROM not_there", {})
    assert single.execute(b"SELECT 1", {}) == [(1,)]
    single.close()


def test_every_connection_has_the_limits_of_the_pool(pg_url: str) -> None:
    with connect(pg_url) as connection:
        assert connection.execute("SHOW statement_timeout").fetchall() == [("30s",)]
        assert connection.execute("SHOW timezone").fetchall() == [("UTC",)]
