"""The database: the one session, transactions with an identity, and what follows a commit.

Domain functions change and flush; an entry point wraps them in `transaction(actor)`. Whatever may only happen
once the change is safe (enqueue, count) goes to `after_commit`. This module knows no rule of the product.
"""

import logging
import os
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from flask import Flask
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import ColumnElement, Connection, MetaData, func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import DeclarativeBase, Session

from lessonadmin.database import connections, row_access
from lessonadmin.database.database_errors import is_outage
from lessonadmin.observability import traces

log = logging.getLogger(__name__)

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING)
    # What the database fills in comes back with the change itself, not by another query later.
    __mapper_args__ = {"eager_defaults": True}


db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False})


_newest = 0
_newest_lock = threading.Lock()


def new_id() -> uuid.UUID:
    """A UUID version 7: its order is the order of creation, so lists can be paged by key alone.

    Within one process the order is strict, also of two made in the same millisecond.
    """
    global _newest
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds & (2**48 - 1)) << 80 | int.from_bytes(os.urandom(10), "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    with _newest_lock:
        if value <= _newest:
            value = _newest + 1
        _newest = value
    return uuid.UUID(int=value)


ActorType = Literal["user", "webhook", "job", "cli"]


@dataclass(frozen=True)
class Actor:
    """Who a transaction acts for; its audit rows take their actor from here."""

    type: ActorType
    id: uuid.UUID | None = None
    reason: str | None = None
    batch: uuid.UUID | None = None  # the bulk action that this is a part of
    quiet: bool = False  # no notices are sent: so many at once would hide what matters to a user

    @classmethod
    def user(cls, user_id: uuid.UUID, *, reason: str | None = None) -> "Actor":
        return cls("user", user_id, reason)


WEBHOOK = Actor("webhook")
JOB = Actor("job")
CLI = Actor("cli")
UNKNOWN_USER = Actor("user")  # which user it is remains to be proved
CLI_QUIETLY = Actor("cli", quiet=True)
JOB_QUIETLY = Actor("job", quiet=True)


STATE = "transaction_state"


class NoTransaction(RuntimeError):
    """A change was asked for outside transaction()."""


@dataclass
class TransactionState:
    """What one transaction carries with it until its commit; a later transaction sees nothing of it."""

    actor: Actor
    before_commit: list[Callable[[Session], Any]] = field(default_factory=list)
    after_commit: list[Callable[[], Any]] = field(default_factory=list)
    audit_rows: list[dict[str, Any]] = field(default_factory=list)
    notice_rows: list[dict[str, Any]] = field(default_factory=list)
    announcement_rows: list[dict[str, Any]] = field(default_factory=list)  # students are told by a job
    users: dict[uuid.UUID, Base | None] = field(default_factory=dict)  # each is read once a transaction
    locked: dict[Any, Any] = field(default_factory=dict)  # read under their lock, by kind and id
    time: datetime | None = None


@contextmanager
def transaction(actor: Actor) -> Iterator[Session]:
    """Commit on leaving, roll back on an error, then run what was left for after the commit."""
    session = db.session()
    if STATE in session.info:
        raise RuntimeError("transactions do not nest: let the entry point open the only one")
    state = session.info[STATE] = TransactionState(actor)
    try:
        yield session
        session.flush()
        for close in state.before_commit:
            close(session)
        session.commit()
    except BaseException:
        session.rollback()
        raise
    finally:
        session.info.pop(STATE, None)
    for follow in state.after_commit:
        _run_safely(follow)


def _run_safely(follow: Callable[[], Any]) -> None:
    # The change is already safe; what follows only makes it quick, and a sweep repeats it if it fails here.
    try:
        follow()
    except Exception:  # the change is committed, and no caller could undo it
        log.exception("a step after the commit failed")


def transaction_state() -> TransactionState:
    """What the open transaction carries."""
    try:
        found: TransactionState = db.session().info[STATE]
    except KeyError:
        raise NoTransaction("changes need transaction(actor)") from None
    return found


def actor() -> Actor:
    """Who the open transaction acts for."""
    return transaction_state().actor


def acting_for(user_id: uuid.UUID) -> None:
    """From here on the open transaction acts for this user, who was proved in the middle of it."""
    state = transaction_state()
    state.actor = replace(state.actor, id=user_id)


def transaction_time() -> datetime:
    """The database's clock, read once a transaction: everything that it writes carries the same time."""
    state = transaction_state()
    if state.time is None:
        state.time = db.session.execute(select(func.clock_timestamp())).scalar_one()
    return state.time


def later(seconds: object) -> ColumnElement[object]:
    """So many seconds from now, by the database's clock."""
    return func.clock_timestamp() + func.make_interval(0, 0, 0, 0, 0, 0, seconds)


def remember_transaction_time(now: datetime) -> None:
    """Reuse a time of the database's clock that another query has read already."""
    state: TransactionState | None = db.session().info.get(STATE)
    if state is not None and state.time is None:
        state.time = now


def after_commit(follow: Callable[[], Any]) -> None:
    """Run this once the open transaction is committed; forget it if it is rolled back."""
    transaction_state().after_commit.append(follow)


@contextmanager
def each_alone(
    logger: logging.Logger, message: str, *args: object, on_failure: Callable[[Exception], object]
) -> Iterator[None]:
    """Around the work on one of many rows: a row that fails is rolled back, logged and handed to `on_failure`, and the
    caller goes on with the next one.

    An outage of the database is raised, since the other rows would fail by it as well.
    """
    try:
        yield
    except Exception as error:  # any fault of one row must not stop the others
        if is_outage(error):
            raise
        db.session.rollback()
        logger.exception(message, *args)
        on_failure(error)


@contextmanager
def alone(lock: int, *, on: Connection) -> Iterator[bool]:
    """True for one process at a time, by the number of a lock that PostgreSQL keeps for this connection.

    A process that is killed leaves none behind, since the lock goes with the connection.
    """
    got = bool(on.scalar(select(func.pg_try_advisory_lock(lock))))
    on.commit()
    try:
        yield got
    finally:  # at once: the server notices only after a moment that a connection is gone
        if got:
            _unlock(lock, on)


def _unlock(lock: int, on: Connection) -> None:
    try:
        on.rollback()
        on.execute(select(func.pg_advisory_unlock(lock)))
        on.commit()
    except DBAPIError:
        on.invalidate()  # whatever has happened to it, the lock goes with it


# Does a process have a lock at this moment? As psycopg writes its parameters.
IS_LOCKED = """EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objid = %(lock)s AND granted
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))"""


def is_locked(lock: int) -> bool:
    """Is there a process at this moment that has it?"""
    found = db.session.connection().exec_driver_sql(f"SELECT {IS_LOCKED}", {"lock": lock})
    return bool(found.scalar_one())


def before_commit(close: Callable[[Session], Any]) -> None:
    """Run this as the last step inside the open transaction."""
    transaction_state().before_commit.append(close)


def roll_back() -> None:
    """Undo what is open, also where the connection has ended since the last statement: then the server has undone it."""
    _or_forget(db.session.rollback)


def _close_session(_error: BaseException | None) -> None:
    """What is committed and about to be answered does not become an error because a connection ends here."""
    _or_forget(db.session.remove)


def _or_forget(give_back: Callable[[], None]) -> None:
    try:
        give_back()
    except DBAPIError as error:
        if not is_outage(error):
            raise
        log.warning("the connection to the database ended before its rollback: %s", traces.with_words(error))
        db.session().invalidate()


def init_app(app: Flask) -> None:
    db.init_app(app)
    app.teardown_appcontext(_close_session)  # the later one runs first: before that of Flask-SQLAlchemy
    with app.app_context():
        connections.watch(db.engine)
        row_access.watch(db.engine)
    Migrate(app, db, directory=str(Path(__file__).parent.parent / "migrations"))
