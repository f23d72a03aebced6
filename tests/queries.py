"""What a piece of work asks of the database: how many statements it sends, and by which index one is answered."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Engine

from lessonadmin.db import db


@contextmanager
def counted() -> Iterator[list[str]]:
    """The statements that are sent inside the block, over whatever connection."""
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        sent.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(Engine, "before_cursor_execute", note)


ROWS = """
INSERT INTO users (email, name, password_hash) VALUES ('plans@school.example', 'Plans', 'none');
INSERT INTO lessons (creator_id, title, updated_at)
  SELECT u.id, 'Lesson ' || n, now() - n * interval '1 hour'
  FROM users u, generate_series(1, 3000) n WHERE u.email = 'plans@school.example';
INSERT INTO courses (instructor_id, title, updated_at)
  SELECT u.id, 'Course ' || n, now() - n * interval '1 hour'
  FROM users u, generate_series(1, 3000) n WHERE u.email = 'plans@school.example';
INSERT INTO mux_asset_tracking (lesson_id, owner_id, status, upload_id, mux_asset_id, mux_playback_id, superseded_at)
  SELECT l.id, u.id, (array['uploading', 'processing', 'ready'])[1 + substr(l.title, 8)::int % 3],
    'upload-' || l.id, 'asset-' || l.id, 'playback-' || l.id, now()
  FROM users u JOIN lessons l ON l.creator_id = u.id WHERE u.email = 'plans@school.example';
ANALYZE users, lessons, courses, mux_asset_tracking
"""


def plan_of(query: Any) -> str:
    """How PostgreSQL answers a query where three thousand rows are of no concern to it.

    With a table of three rows every index costs the same, and the one that is taken says nothing.
    """
    options = {"literal_binds": True}
    written = str(query.compile(dialect=postgresql.psycopg.dialect(), compile_kwargs=options))
    with db.engine.connect() as connection:
        for statement in ROWS.split(";"):
            connection.exec_driver_sql(statement.replace("%", "%%"))
        plan = "\n".join(connection.exec_driver_sql(f"EXPLAIN {written}").scalars())
        connection.rollback()
    return plan
