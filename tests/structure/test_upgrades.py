"""Every step between two revisions, with rows in every table: none is lost or changed on the way up, down and up again.

Rows are written by SQL at the revision that made their table (`rows/REVISION.sql`), so a new migration is tested with
no more than that file, and with none if it makes no table.
"""

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import flask_migrate
import psycopg
import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from flask import Flask
from flask_migrate import Migrate

from devstack.errors import SetupError
from devstack.places import ROOT
from devstack.servers.for_tests import Servers
from lessonadmin.db import db
from lessonadmin.web.settings import ENGINE
from tests.structure.test_migrations import drop, flask

ROWS = Path(__file__).parent / "rows"
Rows = dict[str, list[dict[str, Any]]]
# Tables that a revision empties on purpose, on the way up and down, and says so in its first lines.
EMPTIED = {"0005": {"sign_in_failures"}}
# Tables that a revision fills from others, with new keys each time.
FILLED = {"0018": "search_words"}


def revisions() -> list[str]:
    """All of them, the oldest first."""
    settings = Config()
    settings.set_main_option("script_location", str(ROOT / "migrations"))
    return [one.revision for one in ScriptDirectory.from_config(settings).walk_revisions()][::-1]


def upgrade(url: str, revision: str) -> None:
    with migrations_of(url):
        flask_migrate.upgrade(revision=revision)


def downgrade(url: str, revision: str) -> None:
    with migrations_of(url):
        flask_migrate.downgrade(revision=revision)


@contextmanager
def migrations_of(url: str) -> Iterator[None]:
    """What `flask db` does, in this process: test_migrations.py shows the command itself."""
    app = Flask("migrations")
    app.config.update(
        SQLALCHEMY_DATABASE_URI=url.replace("postgresql:", "postgresql+psycopg:"),
        SQLALCHEMY_ENGINE_OPTIONS=ENGINE,
    )
    db.init_app(app)
    Migrate(app, db, directory=str(ROOT / "migrations"))
    with app.app_context():
        try:
            yield
        finally:
            db.session.remove()
            db.engine.dispose()


def tables(connection: psycopg.Connection[Any]) -> list[str]:
    query = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
    return [name for (name,) in connection.execute(query)]


def write_rows(url: str, revision: str) -> None:
    file = ROWS / f"{revision}.sql"
    with psycopg.connect(url) as connection:
        if file.exists():
            connection.execute(file.read_text())  # type: ignore[arg-type]  # a test's own text
        empty = [
            name
            for name in tables(connection)
            if connection.execute(f'SELECT 1 FROM "{name}" LIMIT 1').fetchone() is None  # noqa: S608 - a table's name out of the database
        ]
    assert empty == [], f"these tables have no row: write some in {file}"


def rows_of(url: str) -> Rows:
    with psycopg.connect(url) as connection:
        return {
            name: [
                row
                for (row,) in connection.execute(
                    f'SELECT to_jsonb(one) FROM "{name}" one ORDER BY to_jsonb(one)::text'  # noqa: S608 - a table's name out of the database
                )
            ]
            for name in tables(connection)
        }


def only_columns_of(before: Rows, after: Rows) -> Rows:
    """What became of rows that were there before, in the columns that there were."""
    kept = {
        name: [
            {column: row[column] for column in before[name][0] if column in row} if before[name] else row
            for row in after[name]
        ]
        for name in before
    }
    return {name: sorted(rows, key=str) for name, rows in kept.items()}


def in_order(rows: Rows) -> Rows:
    return {name: sorted(found, key=str) for name, found in rows.items()}


def files_of(url: str) -> dict[str, int]:
    """The file of each table on disk: another one when PostgreSQL had to write the table anew, locked all the time."""
    query = "SELECT relname, pg_relation_filenode(oid) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
    with psycopg.connect(url) as connection:
        return dict(connection.execute(query).fetchall())


class Chain:
    """A database at each revision, with rows in every table. Each is made once, from the one before."""

    def __init__(self, servers: Servers, prefix: str) -> None:
        self._servers = servers
        self._prefix = prefix
        self._made = 0

    def __getitem__(self, step: int) -> str:
        """The name of the database after the first `step` revisions."""
        while self._made < step:
            self._made += 1
            self._make(self._made)
        return f"{self._prefix}_{step}"

    def _make(self, step: int) -> None:
        name, before = f"{self._prefix}_{step}", f"{self._prefix}_{step - 1}" if step > 1 else "template0"
        drop(self._servers, name)
        self._servers.postgres.create_database(name, template=before)
        revision = revisions()[step - 1]
        upgrade(self._servers.postgres.url(name), revision)
        write_rows(self._servers.postgres.url(name), revision)

    def end(self) -> None:
        for step in range(1, self._made + 1):
            drop(self._servers, f"{self._prefix}_{step}")


@pytest.fixture(scope="module")
def chain(real_servers: Servers, worker_id: str) -> Iterator[Chain]:
    made = Chain(real_servers, f"upgrades_{worker_id}")
    yield made
    made.end()


@pytest.fixture
def database_after(real_servers: Servers, worker_id: str, chain: Chain) -> Iterator[Callable[[int], str]]:
    """The URL of a copy of the chain's database after this many revisions."""
    name = f"upgrade_{worker_id}"

    def copy(step: int) -> str:
        drop(real_servers, name)
        real_servers.postgres.create_database(name, template=chain[step])
        return real_servers.postgres.url(name)

    yield copy
    drop(real_servers, name)


@pytest.mark.parametrize("step", range(1, len(revisions())), ids=revisions()[1:])
@pytest.mark.timeout(300)
def test_rows_are_the_same_up_down_and_up_again(database_after: Callable[[int], str], step: int) -> None:
    url = database_after(step)
    before, files = rows_of(url), files_of(url)
    revision, earlier = revisions()[step], revisions()[step - 1]
    for name in EMPTIED.get(revision, ()):
        before[name] = []
    upgrade(url, revision)
    first = rows_of(url)
    assert only_columns_of(before, first) == in_order(before)
    written_anew = {name for name, file in files_of(url).items() if files.get(name, file) != file}
    assert written_anew == set()
    downgrade(url, earlier)
    assert in_order(rows_of(url)) == in_order(before)
    upgrade(url, revision)
    second = rows_of(url)
    for found in (first, second):
        for row in found.get(FILLED.get(revision, ""), []):
            del row["id"]
    assert in_order(second) == in_order(first)


@pytest.fixture
def at_0001(database_after: Callable[[int], str]) -> str:
    return database_after(1)


def test_0002_fills_the_running_time_of_bulk_actions_that_may_go_on(at_0001: str) -> None:
    upgrade(at_0001, "0002")
    with psycopg.connect(at_0001) as connection:
        query = (
            "SELECT id = md5(%s)::uuid, running_seconds, running_since FROM batches ORDER BY 1 DESC LIMIT 1"
        )
        found = {name: connection.execute(query, [name]).fetchone() for name in ("stopped", "over", "failed")}
        handed = connection.execute("SELECT DISTINCT handed_over_at FROM mux_asset_tracking").fetchall()
    # ten seconds for the first row, and of the night before the second one no more than half a minute
    assert found == {"stopped": (True, 40.0, None), "over": (True, 0.0, None), "failed": (True, 7.0, None)}
    assert handed == [(None,)]


def test_0012_begins_again_where_an_earlier_try_was_broken_off(database_after: Callable[[int], str]) -> None:
    url = database_after(revisions().index("0012"))
    with psycopg.connect(url) as connection:
        connection.execute("DROP INDEX ix_mux_events_type")
        connection.execute("CREATE INDEX ix_mux_events_outcome_new ON mux_events (id)")
    upgrade(url, "0012")
    with psycopg.connect(url) as connection:
        query = "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'mux_events'"
        found: dict[str, str] = dict(connection.execute(query).fetchall())
    assert [name for name in found if name.endswith("_new")] == []
    assert "(type, received_at, id)" in found["ix_mux_events_type"]
    assert "(outcome, received_at, id) INCLUDE (type)" in found["ix_mux_events_outcome"]


def test_an_upgrade_gives_up_when_a_table_is_in_use_for_long(at_0001: str) -> None:
    """Else every request after it would wait behind it."""
    before = rows_of(at_0001)
    with psycopg.connect(at_0001) as reader:
        reader.execute("SELECT count(*) FROM mux_asset_tracking")
        began = time.monotonic()
        with pytest.raises(SetupError, match="lock timeout"):
            flask(at_0001, "db", "upgrade", "-x", "tries=2", "0002")
        assert time.monotonic() - began < 30
        reader.rollback()
    assert rows_of(at_0001) == before, "all or nothing"
    upgrade(at_0001, "0002")


def test_an_index_that_another_process_is_building_is_not_taken_for_a_broken_one(at_0001: str) -> None:
    query = re.search(r'UNFINISHED = """(.+?)"""', (ROOT / "migrations" / "env.py").read_text(), re.S)
    assert query is not None
    build = "CREATE INDEX CONCURRENTLY being_built ON mux_asset_tracking (status)"

    def building() -> None:
        with suppress(psycopg.Error), psycopg.connect(at_0001, autocommit=True) as builder:
            builder.execute("SET statement_timeout = '3s'")
            builder.execute(build)

    with psycopg.connect(at_0001) as writer, psycopg.connect(at_0001, autocommit=True) as asking:
        writer.execute("LOCK TABLE mux_asset_tracking IN ROW EXCLUSIVE MODE")
        thread = threading.Thread(target=building)
        thread.start()
        there = "SELECT count(*) FROM pg_stat_progress_create_index"
        while thread.is_alive() and asking.execute(there).fetchone() == (0,):
            time.sleep(0.02)
        while thread.is_alive() and asking.execute("SELECT to_regclass('being_built')").fetchone() == (None,):
            time.sleep(0.02)
        assert asking.execute(query[1]).fetchall() == []  # type: ignore[call-overload]  # the product's own text
        thread.join()
        assert asking.execute(query[1]).fetchall() == [("being_built",)]  # type: ignore[call-overload]


def test_an_event_that_waits_is_not_lost_on_the_way_back_from_0011(
    database_after: Callable[[int], str],
) -> None:
    url = database_after(revisions().index("0011") + 1)
    downgrade(url, "0010")
    query = "SELECT type, outcome, payload ->> 'id', next_attempt_at <= now() FROM mux_events WHERE mux_event_id = 'waits'"
    with psycopg.connect(url) as connection:
        assert connection.execute(query).fetchall() == [("video.asset.ready", "failed", "waits", True)]


def test_0018_collects_the_words_of_the_rows_that_are_there_also_after_a_try_that_was_broken_off(
    database_after: Callable[[int], str],
) -> None:
    url = database_after(revisions().index("0017") + 1)
    with psycopg.connect(url) as connection:
        connection.execute(
            "UPDATE users SET name = 'Tina Gr\u00fcn', role = 'instructor' WHERE id = (SELECT creator_id FROM lessons LIMIT 1)"
        )
        connection.execute("UPDATE lessons SET title = 'Sourdough 2.5', description = 'Watercolour'")
        connection.execute(
            "CREATE TABLE search_words (id uuid DEFAULT gen_random_uuid() PRIMARY KEY, word text NOT NULL, folded text NOT NULL, grams text[] NOT NULL)"
        )
    upgrade(url, "0018")
    with psycopg.connect(url) as connection:
        words = dict(connection.execute("SELECT word, folded FROM search_words").fetchall())
        connection.execute("UPDATE courses SET title = 'Gouache'")
        added = connection.execute("SELECT grams FROM search_words WHERE word = 'gouache'").fetchall()
    assert {"sourdough", "watercolour", "tina"} <= set(words)
    assert words["gr\u00fcn"] == "grun"
    assert added == [([" go", "ach", "che", "gou", "he ", "oua", "uac"],)]


def test_0026_begins_again_where_an_earlier_try_was_broken_off(database_after: Callable[[int], str]) -> None:
    url = database_after(revisions().index("0026"))
    with psycopg.connect(url) as connection:
        connection.execute("ALTER TABLE purchases ADD COLUMN revoked_at timestamptz")
        connection.execute("CREATE INDEX uq_purchases_in_force ON purchases (id)")
    upgrade(url, "0026")
    with psycopg.connect(url) as connection:
        query = "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'purchases'"
        found: dict[str, str] = dict(connection.execute(query).fetchall())
    assert "UNIQUE" in found["uq_purchases_in_force"]
    assert "(revoked_at IS NULL)" in found["uq_purchases_in_force"]
    assert "uq_purchases_lesson_id_user_id" not in found


def test_no_revoked_purchase_opens_its_lesson_again_on_the_way_back_from_0026(
    database_after: Callable[[int], str],
) -> None:
    url = database_after(revisions().index("0026") + 1)
    in_force = "SELECT lesson_id, user_id, price_cents FROM purchases {} ORDER BY 1, 2"
    with psycopg.connect(url) as connection:
        before = connection.execute(in_force.format("WHERE revoked_at IS NULL")).fetchall()
        assert connection.execute("SELECT count(*) FROM purchases").fetchone() == (len(before) + 2,)
        connection.execute(
            "CREATE POLICY bought ON lessons USING (id IN (SELECT lesson_id FROM purchases WHERE revoked_at IS NULL))"
        )
        connection.execute("CREATE POLICY service ON lessons USING (true)")
        connection.execute("COMMENT ON POLICY service ON lessons IS 'row-level security of 0026'")
    downgrade(url, "0025")
    with psycopg.connect(url) as connection:
        assert connection.execute(in_force.format("")).fetchall() == before
        query = "SELECT polname, obj_description(oid, 'pg_policy') FROM pg_policy WHERE polrelid = 'lessons'::regclass ORDER BY 1"
        assert connection.execute(query).fetchall() == [("bought", None), ("service", None)]
