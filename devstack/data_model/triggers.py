"""Triggers and functions as a migrated database has them, from a throw-away PostgreSQL."""

from dataclasses import dataclass
from typing import Any

import psycopg

from devstack.servers import for_tests

TRIGGERS = """SELECT tgname, tgrelid::regclass::text, p.proname, pg_get_triggerdef(t.oid)
  FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid WHERE NOT tgisinternal ORDER BY 2, 1"""
FUNCTIONS = """SELECT proname, pg_get_functiondef(p.oid) FROM pg_proc p
  JOIN pg_namespace n ON n.oid = p.pronamespace WHERE nspname = 'public' ORDER BY 1"""
NOTHING_LISTENS = "http://127.0.0.1:1"


@dataclass(frozen=True)
class Trigger:
    name: str
    table: str
    function: str
    definition: str


@dataclass(frozen=True)
class InDatabase:
    """What the migrations put into the database beside tables."""

    triggers: list[Trigger]
    functions: dict[str, str]


def read() -> InDatabase:
    with (
        for_tests.for_one_run(migrate) as running,
        psycopg.connect(running.postgres.url(for_tests.TEMPLATE)) as database,
    ):
        return of_database(database)


def of_database(database: "psycopg.Connection[Any]") -> InDatabase:
    triggers = [Trigger(*row) for row in database.execute(TRIGGERS)]
    functions = dict(database.execute(FUNCTIONS).fetchall())
    return InDatabase(triggers, functions)


def migrate(owner: str, application: str) -> None:
    settings = {
        "DATABASE_URL": application,
        "MIGRATION_DATABASE_URL": owner,
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "SECRET_KEY": "only-to-migrate-an-empty-database",  # of no installation: the database is empty and goes with the process # nosec B105
        "PUBLIC_URL": "http://localhost",
        "MUX_TOKEN_ID": "none",  # of no installation: the database is empty and goes with the process # nosec B105
        "MUX_TOKEN_SECRET": "none",  # of no installation: the database is empty and goes with the process # nosec B105
        "MUX_WEBHOOK_SECRETS": "only-to-migrate",
        "MUX_API_URL": NOTHING_LISTENS,
    }
    for_tests.run_flask("db", "upgrade", settings=settings)
