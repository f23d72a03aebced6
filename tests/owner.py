"""The owner of the tables, for what a test does to a database and no application may: change a table, empty it."""

import psycopg
from sqlalchemy import make_url

from devstack.servers.postgres import OWNER_ROLE
from lessonadmin import config


def url() -> str:
    """The database of the settings, as its owner."""
    found = make_url(config.current().database_url).difference_update_query(["options"])
    return found.set(drivername="postgresql", username=OWNER_ROLE).render_as_string(hide_password=False)


def execute(*statements: str) -> None:
    """One after the other, each committed at once."""
    with psycopg.connect(url(), autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)  # type: ignore[arg-type]  # a test's own text
