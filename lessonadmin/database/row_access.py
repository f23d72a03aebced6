"""Row-level security as the application uses it: whose rows the statements of a transaction may see.

The policies (`lessonadmin.domain.row_policies`) are PostgreSQL's own second wall behind `lessonadmin.domain.permissions`: also a query
without a condition returns nothing that its user may not see. They are in force where the application connects as a role of
its own, that owns no table (`database_roles`). Where it owns the tables this module sends nothing.

A request begins with NOTHING, and has the rows of its user as soon as that is known; staff have EVERYTHING, and so has all
that is no request: webhooks, jobs, the clock, commands. A rule that has to look beyond its user, such as “does another lesson use this
asset?”, asks within `everything`, and a change that was allowed under its lock goes on with everything until its commit.

Each transaction is told anew (`set_config(..., true)`) before its first statement, and again before the next one when that has changed.
So nothing is left on a connection that another request gets next, be it from the pool or from a pooler of connections. Nothing here
decides who may see what.
"""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus
from sqlalchemy import Connection, Engine, event
from sqlalchemy.orm import Session


@dataclass(frozen=True)
class RowAccess:
    """The rows of one user, or everything, or nothing."""

    user_id: uuid.UUID | None = None
    everything: bool = False


NOTHING = RowAccess()
EVERYTHING = RowAccess(everything=True)
# What is no request works for the installation itself.
_current: ContextVar[RowAccess] = ContextVar("row_access", default=EVERYTHING)

# The role that sees everything, if the role that is signed in may take it up. There is none where one role does all.
SERVICE_SUFFIX = "_service"
SERVICE_ROLE = """SELECT rolname FROM pg_roles WHERE rolname = session_user || %s
  AND pg_has_role(session_user, oid, 'MEMBER')"""
TELL = "SELECT set_config('role', %s, true), set_config('lessonadmin.user_id', %s, true)"
# What a connection remembers, in its `info`: what its transaction was told, and whether it goes on with everything until it ends.
SERVICE, TOLD, UNTIL_COMMIT = "service_role", "row_access", "everything_until_commit"
IN_SAVEPOINT = "since a savepoint"


def use(access: RowAccess) -> None:
    """From now on in this context."""
    _current.set(access)


@contextmanager
def within(access: RowAccess) -> Iterator[None]:
    """In this block, whatever applies around it."""
    token = _current.set(access)
    try:
        yield
    finally:
        _current.reset(token)


@contextmanager
def everything() -> Iterator[None]:
    """In this block a rule looks beyond the rows of its user."""
    with within(EVERYTHING):
        yield


def everything_until_commit(session: Session) -> None:
    """The rest of the open transaction works for the installation: what its user may do has been asked under the lock."""
    connection = session.connection()
    if not connection.info[UNTIL_COMMIT]:
        connection.info[UNTIL_COMMIT] = IN_SAVEPOINT if connection.in_nested_transaction() else True


def watch(engine: Engine) -> None:
    """Tell each transaction of this engine what it may see."""
    event.listen(engine, "connect", _look_for_service_role)
    event.listen(engine, "begin", _begin)
    event.listen(engine, "before_cursor_execute", _before_statement)
    event.listen(engine, "rollback_savepoint", _fall_back)


def _look_for_service_role(connection: "psycopg.Connection[Any]", record: Any) -> None:
    before, connection.autocommit = connection.autocommit, True
    try:
        found = connection.execute(SERVICE_ROLE, [SERVICE_SUFFIX]).fetchone()
    finally:
        connection.autocommit = before
    record.info[SERVICE] = found[0] if found else None


def _begin(connection: Connection) -> None:
    # The settings of the transaction before have ended with it.
    connection.info.update({TOLD: NOTHING, UNTIL_COMMIT: False})


def _before_statement(connection: Connection, *_: object) -> None:
    if connection.info.get(SERVICE) is not None:
        _tell(connection)


def _tell(connection: Connection) -> None:
    info = connection.info
    wanted = EVERYTHING if info[UNTIL_COMMIT] else _current.get()
    if info[TOLD] == wanted or _has_failed(connection):
        return
    info[TOLD] = wanted  # before it is sent, since that is a statement, too
    role = info[SERVICE] if wanted.everything else "none"
    connection.exec_driver_sql(TELL, (role, "" if wanted.user_id is None else str(wanted.user_id)))


def _has_failed(connection: Connection) -> bool:
    """Then the transaction takes no statement any more but one that takes it back."""
    driver: Any = connection.connection.driver_connection
    return bool(driver.info.transaction_status is TransactionStatus.INERROR)


def _fall_back(connection: Connection, _name: str, _context: None) -> None:
    # PostgreSQL takes the settings back to what they were, and gives back the locks under which a change was allowed.
    connection.info[TOLD] = None
    if connection.info[UNTIL_COMMIT] is IN_SAVEPOINT:
        connection.info[UNTIL_COMMIT] = False
