"""Only working connections leave the pool, so that a restart of PostgreSQL shows no user an error page.

A server that went away has closed its end, and that can be seen on the socket without asking: a question to the
server before each use would cost every webhook one round trip more. Asked is only where something has come unasked,
or where a connection lay idle for so long that a box on the way may have forgotten it.

While a page is read, a statement may take READING_SECONDS and no longer: no user waits for more, and a search that costs so much
must not slow down all others. Changes, background work and migrations keep the limit of the connection.

Behind a pooler of connections in transaction mode (DATABASE_POOLER) nothing may be kept on a connection, since the next transaction
may get another one: there the limits are told to each transaction, and no statement is prepared.
"""

import select
import time
from contextvars import ContextVar
from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import InvalidatePoolError

CONNECT_ARGUMENTS: dict[str, Any] = {"connect_timeout": 2, "application_name": "lessonadmin"}
LIMITS = {
    "timezone": "UTC",
    "statement_timeout": "30000",
    "lock_timeout": "8000",
    "idle_in_transaction_session_timeout": "60000",
}
TRUSTED_SECONDS = 5.0
READING_SECONDS = 5
_reading: ContextVar[bool] = ContextVar("a_page_is_read", default=False)
_through_pooler = False


def reading(yes: bool) -> None:
    """From now on in this context: is a page read, and nothing else done?"""
    _reading.set(yes)


def use_pooler(yes: bool) -> None:
    """Does this process reach PostgreSQL through a pooler in transaction mode?"""
    global _through_pooler
    _through_pooler = yes


def through_pooler() -> bool:
    """What `use_pooler` was told."""
    return _through_pooler


def arguments() -> dict[str, Any]:
    """How every connection is opened, in the pool and outside of it."""
    if _through_pooler:
        return {**CONNECT_ARGUMENTS, "prepare_threshold": None}
    return {**CONNECT_ARGUMENTS, "options": " ".join(f"-c {name}={value}" for name, value in LIMITS.items())}


def watch(engine: Engine) -> None:
    """Look at each connection before it is used again."""

    def is_good(connection: Any, record: Any, _proxy: Any) -> None:
        rests_since = record.info.get("rests_since")
        if rests_since is None:  # just made
            return
        if time.monotonic() - rests_since < TRUSTED_SECONDS and not _something_came(connection):
            return
        if not _answers(engine, connection):
            raise InvalidatePoolError("the server has closed the connection")

    event.listen(engine, "checkin", _note_rest)
    event.listen(engine, "checkout", is_good)
    if _through_pooler:
        event.listen(engine, "begin", _limit_transaction)
    else:
        event.listen(engine, "checkout", _set_time_limit)


def _limit_transaction(connection: Connection) -> None:
    limits = LIMITS | ({"statement_timeout": f"{READING_SECONDS}s"} if _reading.get() else {})
    driver: Any = connection.connection.driver_connection
    told = ", ".join(f"set_config('{name}', %s, true)" for name in limits)
    driver.execute(f"SELECT {told}", list(limits.values()))


def _set_time_limit(connection: Any, record: Any, _proxy: Any) -> None:
    """Sent to the server only where the limit changes, since most requests read."""
    wanted = _reading.get()
    if record.info.get("reading", False) is wanted:
        return
    value = f"'{READING_SECONDS}s'" if wanted else "DEFAULT"  # what the connection was opened with
    connection.autocommit = True  # else a rollback would take it back
    try:
        connection.execute(f"SET statement_timeout = {value}")
    finally:
        connection.autocommit = False
    record.info["reading"] = wanted


def _note_rest(_connection: Any, record: Any) -> None:
    record.info["rests_since"] = time.monotonic()


def _something_came(connection: Any) -> bool:
    """The end of the connection, or an unexpected message; a closed connection counts, too."""
    if connection.closed:
        return True
    waiting = select.poll()
    waiting.register(connection.fileno(), select.POLLIN)
    return bool(waiting.poll(0))


def _answers(engine: Engine, connection: Any) -> bool:
    try:
        return engine.dialect.do_ping(connection)
    except engine.dialect.loaded_dbapi.Error:
        return False
