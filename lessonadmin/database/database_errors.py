"""What an error of the database says about the work that met it; what follows from that, each caller decides.

An outage: the server is away, stopping, full or read-only, it refuses the connection, or the pool has none; no other work would
succeed now.
A conflict: another transaction was in the way (a lock, a deadlock, a serialization failure); the same work may be tried
again at once. Anything else is the fault of the statement and stays wrong however often it is tried.

The words of such an error quote what people wrote, so they are never stored and never shown: `in_short` tells the rest.
"""

import psycopg
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoConnectionInTime

# classes of SQLSTATE: connection, insufficient resources, operator intervention (shutdown, statement time-out)
OUTAGE = frozenset({"08", "53", "57"})
READ_ONLY = "25006"  # a standby after a failover, or a server that was told to take no changes
STOPPED = "57014"
# transaction rollback (deadlock, serialization), object not in the needed state (lock time-out)
CONFLICT = frozenset({"40", "55"})


def is_outage(error: BaseException) -> bool:
    if isinstance(error, NoConnectionInTime):
        return True
    if not isinstance(error, DBAPIError):
        return False
    state = _state(error)
    # A server that vanishes says nothing any more. A value that the driver itself refuses has no state either.
    return _is_outage_state(state) if state else isinstance(error, OperationalError | InterfaceError)


def _is_outage_state(state: str) -> bool:
    return state[:2] in OUTAGE or state == READ_ONLY


def took_too_long(error: BaseException) -> bool:
    """The statement was stopped, by its own limit of time or by a person; the database is well."""
    return isinstance(error, DBAPIError) and _state(error) == STOPPED


def is_conflict(error: BaseException) -> bool:
    return isinstance(error, DBAPIError) and _state(error)[:2] in CONFLICT


def _state(error: DBAPIError) -> str:
    return str(getattr(error.orig, "sqlstate", None) or "")


def is_away(error: BaseException) -> bool:
    """Did the server say nothing at all?"""
    return is_outage(error) and not (isinstance(error, DBAPIError) and _state(error))


def is_of_database(error: BaseException) -> bool:
    return isinstance(error, SQLAlchemyError | psycopg.Error)


def in_short(error: BaseException) -> str:
    """What may be stored and shown of any error: its kind, and what the database says that holds no value."""
    origin = error.orig if isinstance(error, DBAPIError) else error
    diagnosis = origin.diag if isinstance(origin, psycopg.Error) else None
    if diagnosis is None:
        return type(error).__name__
    # A message about a missing lock, time or space quotes no row, and the operator needs its words.
    state = diagnosis.sqlstate or ""
    words = diagnosis.message_primary if _is_outage_state(state) or state[:2] in CONFLICT else None
    return " ".join(filter(None, [type(error).__name__, state, diagnosis.constraint_name, words]))
