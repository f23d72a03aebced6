"""A school of any size for the benchmarks of the panel: lessons, uploads, five events a lesson, audit rows, purchases.

Run: ``bin/bench seed_panel`` (``LESSONS=1000000 bin/bench seed_panel`` for more). Rows are written by a few set-based
statements. Indexes and triggers rest meanwhile and are back before it ends; generated columns fill themselves, and what
triggers would have written is checked.
"""

import os
import time

import psycopg

from bench.workload import school
from bench.workload.servers import servers

TABLES = (
    "lessons", "mux_asset_tracking", "mux_events", "audit_log", "purchases", "courses", "users", "asset_deletions",
)  # fmt: skip
SETTINGS = ("maintenance_work_mem = '512MB'", "synchronous_commit = off", "work_mem = '256MB'")
# What a trigger or a rule of the product would have refused or put right: none of these may have a row.
WRONG = {
    "uploads of somebody else's lesson": "SELECT 1 FROM mux_asset_tracking t JOIN lessons l ON l.id = t.lesson_id WHERE t.owner_id <> l.creator_id",
    "lessons with a video that have no upload": "SELECT 1 FROM lessons l WHERE video_processing_status <> 'none' AND NOT EXISTS (SELECT FROM mux_asset_tracking t WHERE t.lesson_id = l.id AND t.status = l.video_processing_status)",
    "lessons that no search finds": "SELECT 1 FROM lessons WHERE search IS NULL OR search = ''",
}  # fmt: skip


def seed(address: str, lessons: int) -> float:
    """Fill an empty, migrated database; seconds that it took."""
    began = time.monotonic()
    with psycopg.connect(address, autocommit=True) as database:
        for setting in SETTINGS:
            database.execute(f"SET {setting}")
        back = _rest(database)
        for statement in [*school.statements(lessons), *back, "VACUUM ANALYZE"]:
            database.execute(statement)
        _check(database, lessons)
    return time.monotonic() - began


PLAIN = """
CREATE SCHEMA plain;
CREATE TABLE plain.lessons AS TABLE lessons;
ALTER TABLE plain.lessons ADD PRIMARY KEY (id);
CREATE INDEX ON plain.lessons (creator_id);
CREATE INDEX ON plain.lessons (course_id);
VACUUM ANALYZE plain.lessons"""


def copy_plainly(address: str) -> str:
    """The same lessons in a table as a plain model makes it: with an index for its key and its foreign keys only.
    The address of the database as a session sees it that finds that table first."""
    with psycopg.connect(address, autocommit=True) as database:
        for statement in PLAIN.split(";\n"):
            database.execute(statement)
    return f"{address}&options=-csearch_path%3Dplain%2Cpublic"


def _rest(database: "psycopg.Connection[tuple[str, ...]]") -> list[str]:
    """Take away what costs at each row; the statements that bring it back."""
    back = []
    for table in TABLES:
        database.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        back.append(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        rows = database.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename = %s"
            " AND indexname NOT IN (SELECT conname FROM pg_constraint)",
            (table,),
        ).fetchall()
        for name, definition in rows:
            database.execute(f'DROP INDEX "{name}"')
            back.append(definition)
    return back


def _check(database: "psycopg.Connection[tuple[str, ...]]", lessons: int) -> None:
    for table, wanted in (("lessons", lessons), ("mux_events", 5 * lessons)):
        found = database.execute(f"SELECT count(*) FROM {table}").fetchone()
        if found is None or int(found[0]) != wanted:
            raise RuntimeError(f"{table} has {found} rows, not {wanted}")
    for what, query in WRONG.items():
        if database.execute(f"SELECT EXISTS ({query})").fetchone() != (False,):
            raise RuntimeError(f"the seeded school has {what}")


def main() -> int:
    lessons = int(os.environ.get("LESSONS", "10000"))
    with servers() as (postgres, _):
        seconds = seed(postgres.url("bench"), lessons)
        print(f"a school of {lessons:,} lessons\t{seconds:.1f} s\tand 5 events a lesson")
    return 0
