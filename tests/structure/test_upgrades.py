"""Every step between two revisions, with rows in every table: none is lost or changed on the way up, down and up again.

Rows are written by SQL at the revision that made their table (`rows/REVISION.sql`), so a new migration is tested with
no more than that file, and with none if it makes no table.
"""

import time
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

from devstack.errors import SetupError
from devstack.places import ROOT
from tests.structure.test_migrations import empty_database, flask

__all__ = ["empty_database"]
ROWS = Path(__file__).parent / "rows"
Rows = dict[str, list[dict[str, Any]]]
# Tables that a revision empties on purpose, on the way up and down, and says so in its first lines.
EMPTIED = {"0005": {"sign_in_failures"}}


def revisions() -> list[str]:
    """All of them, the oldest first."""
    settings = Config()
    settings.set_main_option("script_location", str(ROOT / "migrations"))
    return [one.revision for one in ScriptDirectory.from_config(settings).walk_revisions()][::-1]


def upgrade(url: str, revision: str) -> None:
    flask(url, "db", "upgrade", revision)


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


@pytest.mark.parametrize("step", range(1, len(revisions())), ids=revisions()[1:])
@pytest.mark.timeout(300)
def test_rows_are_the_same_up_down_and_up_again(empty_database: str, step: int) -> None:
    for revision in revisions()[:step]:
        upgrade(empty_database, revision)
        write_rows(empty_database, revision)
    before, files = rows_of(empty_database), files_of(empty_database)
    revision, earlier = revisions()[step], revisions()[step - 1]
    for name in EMPTIED.get(revision, ()):
        before[name] = []
    upgrade(empty_database, revision)
    first = rows_of(empty_database)
    assert only_columns_of(before, first) == in_order(before)
    written_anew = {name for name, file in files_of(empty_database).items() if files.get(name, file) != file}
    assert written_anew == set()
    flask(empty_database, "db", "downgrade", earlier)
    assert in_order(rows_of(empty_database)) == in_order(before)
    upgrade(empty_database, revision)
    assert in_order(rows_of(empty_database)) == in_order(first)


@pytest.fixture
def at_0001(empty_database: str) -> str:
    upgrade(empty_database, "0001")
    write_rows(empty_database, "0001")
    return empty_database


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


def test_an_upgrade_gives_up_when_a_table_is_in_use_for_long(at_0001: str) -> None:
    """Else every request after it would wait behind it."""
    before = rows_of(at_0001)
    with psycopg.connect(at_0001) as reader:
        reader.execute("SELECT count(*) FROM mux_asset_tracking")
        began = time.monotonic()
        with pytest.raises(SetupError, match="lock timeout"):
            upgrade(at_0001, "0002")
        assert time.monotonic() - began < 60
        reader.rollback()
    assert rows_of(at_0001) == before, "all or nothing"
    upgrade(at_0001, "0002")
