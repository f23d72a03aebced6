"""One connection to PostgreSQL outside the pool, for a statement that must be cheap and must end in time.

It is made when it is first needed, and again when it has failed. A statement that the server does not answer within the
limit fails here, even if the server hangs without closing the connection. Each statement is a transaction of its own, and is
sent once more on a new connection if the old one broke: so it must be safe to carry out twice. Not for two threads at once.
"""

import time
from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg.abc import PQGen
from sqlalchemy import make_url

from lessonadmin.database import connections


def connect(url: str, **more: Any) -> "psycopg.Connection[tuple[Any, ...]]":
    """A connection as the pool makes them, by a URL as the settings have it; each statement commits by itself."""
    return psycopg.connect(_plain(url), autocommit=True, **connections.arguments(), **more)


def _plain(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


class _LimitedConnection(psycopg.Connection[tuple[Any, ...]]):
    limit_seconds = 60.0

    def wait(self, gen: PQGen[Any], interval: float = 0.1, timeout: float | None = None) -> Any:
        return super().wait(gen, interval, self.limit_seconds if timeout is None else timeout)


class SingleConnection:
    """`execute` on the one connection; raises psycopg.Error.

    `only_by_index`: its statements look rows up by indexes and in no other way. A plan that is made while a table is empty reads the
    whole table, and would be kept while the table grows.
    """

    def __init__(self, url: str, *, limit_seconds: float, only_by_index: bool = False) -> None:
        self._url = _plain(url)
        self._arguments = connections.arguments()
        if (
            only_by_index and "options" in self._arguments
        ):  # a pooler keeps no plan, since no statement is prepared
            self._arguments["options"] += " -c enable_seqscan=off"
        self._limit_seconds = limit_seconds
        self._connection: _LimitedConnection | None = None

    def execute(self, statement: bytes, values: Mapping[str, object]) -> list[tuple[Any, ...]]:
        """The rows of the answer."""
        was_open, began = self._connection is not None, time.monotonic()
        try:
            return self._execute(statement, values)
        except psycopg.OperationalError:
            if not was_open or time.monotonic() - began >= self._limit_seconds:
                raise  # a new connection will not do better; a server that hangs has had its time
        return self._execute(statement, values)

    def _execute(self, statement: bytes, values: Mapping[str, object]) -> list[tuple[Any, ...]]:
        try:
            return (
                self._opened().execute(statement, values, prepare=not connections.through_pooler()).fetchall()
            )
        except psycopg.Error:
            self.close()
            raise

    def _opened(self) -> _LimitedConnection:
        if self._connection is None:
            self._connection = _LimitedConnection.connect(self._url, autocommit=True, **self._arguments)
            self._connection.limit_seconds = self._limit_seconds
        return self._connection

    def close(self) -> None:
        """Forget the connection; the next statement makes a new one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
