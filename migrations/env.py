"""Alembic's entry: runs migrations as the owner of the tables, then puts roles, rights and row-level security in place.

A change of a table waits for whoever uses it, and everybody else waits behind the change. So it gives up after a few
seconds: the database stays at the revision before, and the release is tried again.
"""

from alembic import context
from flask import current_app
from sqlalchemy import Connection, create_engine, text

from lessonadmin.database import connections, database_roles
from lessonadmin.domain import row_policies

LOCK_TIMEOUT = "5s"
database = current_app.extensions["migrate"].db


def run() -> None:
    owner = current_app.config.get("MIGRATION_DATABASE_URL")
    engine = create_engine(owner, connect_args=connections.arguments()) if owner else database.engine
    try:
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
            if owner and _is_at_head():
                _separate_roles(connection)
    finally:
        engine.dispose()


def _is_at_head() -> bool:
    """The policies are about the tables as they are at the head."""
    return set(context.get_context().get_current_heads()) == set(context.script.get_heads())


def _separate_roles(connection: Connection) -> None:
    with database.engine.connect() as as_application:
        application = as_application.scalar(text("SELECT session_user"))
    database_roles.install(connection, application=application, policies=row_policies.policies())
    connection.commit()


run()
