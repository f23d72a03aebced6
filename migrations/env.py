"""Alembic's entry: runs migrations as the owner of the tables, then puts roles, rights and row-level security in place.

A change of a table waits for whoever uses it, and everybody else waits behind the change, webhooks too. So it waits for a second, which
is less than a webhook may take, and gives up: the database stays at the revision before, and after a pause the same migration
is tried again. A release that never finds a free moment fails after three minutes, with nothing half done; `flask db upgrade -x tries=1`
gives up at once.
"""

import logging
import time

from alembic import context
from flask import current_app
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.exc import DBAPIError

from lessonadmin.database import connections, database_errors, database_roles
from lessonadmin.domain import row_policies

log = logging.getLogger("alembic.env")

LOCK_TIMEOUT = "1s"
TRIES = 60
PAUSE_SECONDS = 2.0
# Not one that another release, or a person, is building at this moment: it is not valid either.
UNFINISHED = """SELECT indexrelid::regclass::text FROM pg_index JOIN pg_class ON pg_class.oid = indrelid
  WHERE NOT indisvalid AND relnamespace = 'public'::regnamespace
    AND indexrelid NOT IN (SELECT index_relid FROM pg_stat_progress_create_index)"""
database = current_app.extensions["migrate"].db


def run() -> None:
    owner = current_app.config.get("MIGRATION_DATABASE_URL")
    tries = int(context.get_x_argument(as_dictionary=True).get("tries", TRIES))
    engine = create_engine(owner, connect_args=connections.arguments()) if owner else database.engine
    try:
        for number in range(tries):
            try:
                if number:
                    time.sleep(PAUSE_SECONDS)
                    remove_unfinished_indexes(engine)
                return upgrade(engine, separates_roles=bool(owner))
            except DBAPIError as error:
                if not database_errors.is_conflict(error) or number == tries - 1:
                    raise
                log.warning(
                    "no lock within %s, it is tried again: %s", LOCK_TIMEOUT, database_errors.in_short(error)
                )
    finally:
        engine.dispose()


def upgrade(engine: Engine, *, separates_roles: bool) -> None:
    with engine.connect() as connection:
        connection.execute(text(f"SET lock_timeout = '{LOCK_TIMEOUT}'"))
        connection.commit()
        context.configure(
            connection=connection,
            target_metadata=database.metadata,
            compare_type=True,
            compare_server_default=True,
            transaction_per_migration=True,
        )
        with context.begin_transaction():
            context.run_migrations()
        if separates_roles and _is_at_head():
            _separate_roles(connection)


def remove_unfinished_indexes(engine: Engine) -> None:
    """What was broken off while an index was built beside the running product counts as there, and answers nothing."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"SET lock_timeout = '{LOCK_TIMEOUT}'"))
        for name in connection.scalars(text(UNFINISHED)).all():
            connection.exec_driver_sql(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")


def _is_at_head() -> bool:
    """The policies are about the tables as they are at the head."""
    return set(context.get_context().get_current_heads()) == set(context.script.get_heads())


def _separate_roles(connection: Connection) -> None:
    with database.engine.connect() as as_application:
        application = as_application.scalar(text("SELECT session_user"))
    database_roles.install(connection, application=application, policies=row_policies.policies())
    connection.commit()


run()
