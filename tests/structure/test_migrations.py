"""One head; up, down and up again; and the models say the same as the migrations."""

import re
from collections.abc import Iterator

import psycopg
import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

from devstack.errors import SetupError
from devstack.places import ROOT
from devstack.servers.for_tests import Servers, run_flask
from lessonadmin.domain import heartbeats
from tests.settings import environment

NOTHING_LISTENS = "redis://127.0.0.1:1/0"


@pytest.fixture
def empty_database(real_servers: Servers, worker_id: str) -> Iterator[str]:
    """The URL of a database in which nothing is."""
    name = f"migrations_{worker_id}"
    drop(real_servers, name)
    real_servers.postgres.create_database(name)
    yield real_servers.postgres.url(name)
    drop(real_servers, name)


def drop(servers: Servers, name: str) -> None:
    """Remove a database, if there is one of this name."""
    with servers.postgres.superuser() as connection:
        connection.autocommit = True
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def flask(url: str, *words: str) -> str:
    return run_flask(*words, settings=environment(database_url=url, redis_url=NOTHING_LISTENS))


def schema_of(url: str) -> list[tuple[object, ...]]:
    """Columns, indexes, constraints and triggers: what two schemas must share to be the same."""
    with psycopg.connect(url) as connection:
        return [
            row
            for query in (
                (
                    "SELECT table_name, column_name, data_type, column_default, is_nullable"
                    " FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 2"
                ),
                "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1, 2",
                (
                    "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
                    " WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2"
                ),
                (
                    "SELECT event_object_table, trigger_name, action_statement FROM information_schema.triggers"
                    " ORDER BY 1, 2"
                ),
            )
            for row in connection.execute(query).fetchall()
        ]


def test_there_is_one_head() -> None:
    settings = Config()
    settings.set_main_option("script_location", str(ROOT / "migrations"))
    heads = ScriptDirectory.from_config(settings).get_heads()
    assert heads == [heartbeats.expected_revision()]


def test_up_down_and_up_again_is_the_same(empty_database: str) -> None:
    flask(empty_database, "db", "upgrade")
    first = schema_of(empty_database)
    assert any("lessons" in row for row in first)
    flask(empty_database, "db", "downgrade", "base")
    left = {row[0] for row in schema_of(empty_database)} - {"alembic_version"}
    assert left == set(), "a downgrade leaves nothing behind"
    flask(empty_database, "db", "upgrade")
    assert schema_of(empty_database) == first


def test_models_and_schema_say_the_same(real_servers: Servers, worker_id: str) -> None:
    url = real_servers.database(f"check_{worker_id}")
    assert "No new upgrade operations" in flask(url, "db", "check")


def test_of_the_test_a_difference_is_found(real_servers: Servers, worker_id: str) -> None:
    url = real_servers.database(f"different_{worker_id}")
    with psycopg.connect(real_servers.postgres.url(f"different_{worker_id}")) as connection:
        connection.execute("ALTER TABLE users DROP COLUMN mail_notices")
    with pytest.raises(SetupError, match="mail_notices"):
        flask(url, "db", "check")


def test_every_column_that_ends_in_at_knows_its_time_zone(pg_url: str) -> None:
    with psycopg.connect(pg_url) as connection:
        naive = connection.execute(
            "SELECT table_name, column_name FROM information_schema.columns"
            " WHERE table_schema = 'public' AND data_type = 'timestamp without time zone'"
        ).fetchall()
    assert naive == []


def test_every_foreign_key_decides_what_happens_on_delete(pg_url: str) -> None:
    with psycopg.connect(pg_url) as connection:
        keys = connection.execute(
            "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE contype = 'f' AND connamespace = 'public'::regnamespace"
        ).fetchall()
    assert keys
    assert [name for name, definition in keys if not re.search("ON DELETE", str(definition))] == []
