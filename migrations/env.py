"""Alembic's entry: runs migrations on the application's own engine.

A change of a table waits for whoever uses it, and everybody else waits behind the change. So it gives up after a few
seconds: the database stays at the revision before, and the release is tried again.
"""

from alembic import context
from flask import current_app
from sqlalchemy import text

LOCK_TIMEOUT = "5s"
database = current_app.extensions["migrate"].db


def run() -> None:
    with database.engine.connect() as connection:
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


run()
