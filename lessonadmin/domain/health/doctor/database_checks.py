"""Doctor checks of PostgreSQL, and at what its rows say about workers, clock and work that waits."""

import time
from typing import Any

from sqlalchemy import Connection, Select, func, select, text, union_all
from sqlalchemy.exc import ProgrammingError, SQLAlchemyError

from lessonadmin.database.row_access import SERVICE_SUFFIX
from lessonadmin.domain import heartbeats, row_policies
from lessonadmin.domain.health.doctor.examination import DoctorContext, Line, fail, ok, warn
from lessonadmin.domain.heartbeats import CLOCK, WORKER, expected_revision
from lessonadmin.domain.models import AssetDeletion, Course, Lesson, MuxEvent, Tracking
from lessonadmin.domain.querying import bounded_count
from lessonadmin.domain.videos import conditions
from lessonadmin.security import addresses
from lessonadmin.text.durations import in_words

SKEW_SECONDS = 5.0


def database(context: DoctorContext) -> list[Line]:
    """Does it answer, is its schema current, does its clock agree with this machine's?"""
    try:
        began = time.monotonic()
        with context.connection() as connection:
            version = connection.scalar(text("SHOW server_version"))
            here, there = (
                time.time(),
                float(connection.scalar(text("SELECT extract(epoch FROM clock_timestamp())")) or 0),
            )
            took = time.monotonic() - began
            client = connection.scalar(text("SELECT host(inet_client_addr())"))
            driver: Any = connection.connection.driver_connection
            encrypted = bool(driver.pgconn.ssl_in_use)  # the server tells it to the role that signed in alone
            return [
                ok("database", f"PostgreSQL {version} answers in {took * 1000:.0f} ms."),
                *_way(client, encrypted=encrypted),
                _migrations(context),
                _clock(there - here),
            ]
    except SQLAlchemyError as error:
        return [
            fail(
                "database",
                f"PostgreSQL does not answer ({type(error).__name__}).",
                "Start it, or correct DATABASE_URL; webhooks are refused with 503 until then and sent again by Mux.",
            )
        ]


def _way(client: str | None, *, encrypted: bool) -> list[Line]:
    """By the address that PostgreSQL sees; a unix socket has none."""
    if encrypted or addresses.is_loopback(client or ""):
        return []
    return [
        warn(
            "database connection",
            "PostgreSQL is on another machine, and the way to it is not encrypted.",
            "Add sslmode=verify-full and sslrootcert to DATABASE_URL.",
        )
    ]


def _migrations(context: DoctorContext) -> Line:
    expected = expected_revision()
    try:
        with context.connection() as connection:
            found = connection.scalar(text("SELECT version_num FROM alembic_version"))
    except ProgrammingError:
        found = None
    if found == expected:
        return ok("migrations", f"The schema is at the head ({found}).")
    said = f"The schema is at {found or 'nothing'}, this program needs {expected}."
    return fail("migrations", said, "Run: flask --app app db upgrade")


ROLES = text("""SELECT session_user, rolsuper OR rolbypassrls,
    EXISTS (SELECT FROM pg_class WHERE relname = 'lessons' AND relowner = pg_roles.oid),
    coalesce((SELECT pg_has_role(session_user, service.oid, 'MEMBER') AND NOT pg_has_role(session_user, service.oid, 'USAGE')
                FROM pg_roles service WHERE service.rolname = session_user || :suffix), false)
  FROM pg_roles WHERE rolname = session_user""")
OPEN_TABLES = text("""SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relname = ANY(:names)
  AND NOT (relrowsecurity AND relforcerowsecurity) ORDER BY relname""")
SEPARATE = "docs/operate.md, “Two roles for the database”, says how to separate them"


def row_security(context: DoctorContext) -> list[Line]:
    """Does the second wall stand: a role that owns nothing, and policies on every table that needs them?"""
    name = "row-level security"
    with context.connection() as connection:
        role, unbound, owns, has_service = connection.execute(ROLES, {"suffix": SERVICE_SUFFIX}).one()
        names = sorted({policy.table for policy in row_policies.policies()})
        unprotected = list(connection.scalars(OPEN_TABLES, {"names": names}))
    if unbound:
        return [fail(name, f"The role {role} is bound by no policy: it is a superuser or has BYPASSRLS.", f"ALTER ROLE {role} NOSUPERUSER NOBYPASSRLS.")]  # fmt: skip
    if owns:
        return [
            warn(name, f"It is off: the role {role} owns the tables and does everything.", f"{SEPARATE}.")
        ]
    if unprotected or not has_service:
        missing = (
            f"{', '.join(unprotected)} without it" if unprotected else "the service role is not as it must be"
        )
        return [
            fail(
                name,
                f"It is not complete: {missing}.",
                "Run flask --app app db upgrade with MIGRATION_DATABASE_URL.",
            )
        ]
    return [ok(name, f"The role {role} owns nothing, and {len(names)} tables have their policies.")]


def _clock(skew: float) -> Line:
    if abs(skew) <= SKEW_SECONDS:
        return ok("database clock", f"It differs from this machine's by {abs(skew):.1f} s.")
    return warn(
        "database clock",
        f"It differs from this machine's by {abs(skew):.0f} s.",
        "Set both clocks by NTP: leases and time limits use the database's clock.",
    )


def background_work(context: DoctorContext) -> list[Line]:
    """Who was seen alive lately."""
    with context.connection() as connection:
        workers, clocks = (heartbeats.ages(kind, on=connection) for kind in (WORKER, CLOCK))
    return [
        _seen(
            "workers",
            WORKER,
            workers,
            "flask --app app worker",
            "the clock does the background work, more slowly",
        ),
        _seen("clock", CLOCK, clocks, "flask --app app clock", "missed Mux events are not repaired"),
    ]


def _seen(name: str, kind: str, ages: dict[str, float], command: str, meaning: str) -> Line:
    fresh = heartbeats.alive(ages, kind)
    if fresh:
        who = ", ".join(sorted(one.partition(":")[2] or one for one in fresh)[:5])
        return ok(name, f"{len(fresh)} alive ({who}), last seen {in_words(min(fresh.values()))} ago.")
    last = f"The last was seen {in_words(min(ages.values()))} ago" if ages else "None has been seen yet"
    return fail(name, f"{last}: {meaning}.", f"Start one: {command} (see Procfile).")


def work(context: DoctorContext) -> list[Line]:
    """What waits although it should not."""
    now = func.clock_timestamp()
    late = text("interval '10 minutes'")
    with context.connection() as connection:
        dead = _count(connection, select(MuxEvent.id).where(MuxEvent.outcome == "failed"))
        deletions = _count(
            connection,
            select(AssetDeletion.id).where(
                AssetDeletion.done_at.is_(None), AssetDeletion.last_error.is_not(None)
            ),
        )
        overdue = _count(connection, select(Tracking.id).where(Tracking.next_check_at < now - late))
        waiting = _count(
            connection,
            select(union_all(conditions.stuck_ids(Lesson), conditions.stuck_ids(Course)).subquery().c.id),
        )
    return [
        _few("failed events", dead, ("event", "events"), "could not be applied", "See them in the panel, then: flask --app app events replay --failed"),
        _few("deletions", deletions, ("deletion", "deletions"), "at Mux failed", "Each says why; Lessonadmin goes on trying."),
        _few("overdue checks", overdue, ("upload has", "uploads have"), "waiting more than ten minutes for a check with Mux", "Check that the clock is running and that Mux answers."),
        _few("stuck videos", waiting, ("video is", "videos are"), "stuck", "Each says why, and what to do."),
    ]  # fmt: skip


MAX_COUNTED = 1000


def _count(connection: Connection, rows: Select[Any]) -> bounded_count.Count:
    return bounded_count.count_rows(rows, MAX_COUNTED, on=connection)


def _few(name: str, count: bounded_count.Count, nouns: tuple[str, str], what: str, todo: str) -> Line:
    if count.number == 0:
        return ok(name, "None.")
    number = f"More than {count.number}" if count.more else str(count.number)
    return warn(name, f"{number} {nouns[count.number != 1]} {what}.", todo)
