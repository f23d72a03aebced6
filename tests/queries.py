"""What a piece of work asks of the database: how many statements it sends, and by which index one is answered."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Engine

from lessonadmin.database import row_access
from lessonadmin.db import db


@contextmanager
def counted() -> Iterator[list[str]]:
    """The statements that are sent inside the block, over whatever connection. One that tells the transaction whose rows it sees is
    a part of every transaction, and says nothing of the work."""
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        if statement != row_access.TELL:
            sent.append(statement)

    with _listening(note):
        yield sent


@contextmanager
def asked() -> Iterator[list[tuple[str, Any]]]:
    """The same with their parameters, for `plans_of`."""
    sent: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_more: Any) -> None:
        if statement != row_access.TELL:
            sent.append((statement, parameters))

    with _listening(note):
        yield sent


@contextmanager
def _listening(note: Callable[..., None]) -> Iterator[None]:
    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield
    finally:
        event.remove(Engine, "before_cursor_execute", note)


ROWS = """
INSERT INTO users (email, name, password_hash) VALUES ('plans@school.example', 'Plans', 'none');
INSERT INTO lessons (creator_id, title, playback_policy, created_at, updated_at)
  SELECT u.id, 'Lesson ' || n, CASE WHEN n % 200 = 0 THEN 'signed' ELSE 'public' END,
    now() - n * interval '1 hour', now() - n * interval '1 hour'
  FROM users u, generate_series(1, 3000) n WHERE u.email = 'plans@school.example';
INSERT INTO courses (instructor_id, title, updated_at)
  SELECT u.id, 'Course ' || n, now() - n * interval '1 hour'
  FROM users u, generate_series(1, 3000) n WHERE u.email = 'plans@school.example';
INSERT INTO mux_asset_tracking (lesson_id, owner_id, status, upload_id, mux_asset_id, mux_playback_id, superseded_at)
  SELECT l.id, u.id, (array['uploading', 'processing', 'ready'])[1 + substr(l.title, 8)::int % 3],
    'upload-' || l.id, 'asset-' || l.id, 'playback-' || l.id, now()
  FROM users u JOIN lessons l ON l.creator_id = u.id WHERE u.email = 'plans@school.example';
INSERT INTO mux_asset_tracking (course_id, owner_id, status, error_type, playback_policy, created_at, superseded_at)
  SELECT c.id, u.id, CASE WHEN n % 200 = 0 THEN 'error' ELSE 'cancelled' END,
    CASE WHEN n % 200 = 0 THEN 'asset_errored' END,
    CASE WHEN n % 200 = 1 THEN 'signed' ELSE 'public' END, now() - n * interval '1 hour', now()
  FROM users u JOIN courses c ON c.instructor_id = u.id, LATERAL (SELECT substr(c.title, 8)::int) x (n)
  WHERE u.email = 'plans@school.example';
INSERT INTO mux_events (mux_event_id, type, outcome, received_at)
  SELECT 'plans-' || n, CASE WHEN n % 200 = 3 THEN 'video.asset.errored' ELSE 'video.asset.ready' END,
    CASE WHEN n % 200 = 4 THEN 'failed' ELSE 'applied' END, now() - n * interval '1 hour'
  FROM generate_series(1, 3000) n;
ANALYZE users, lessons, courses, mux_asset_tracking, mux_events
"""


def plan_of(query: Any, *, without: Sequence[str] = (), rows: str = "") -> str:
    """How PostgreSQL answers a query where three thousand rows are of no concern to it.

    With a table of three rows every index costs the same, and the one that is taken says nothing. `without`: what is
    cheap with three thousand rows, too, and must not be what decides ("sort", "bitmapscan"). `rows`: statements that add further ones.
    """
    options = {"literal_binds": True}
    written = str(query.compile(dialect=postgresql.psycopg.dialect(), compile_kwargs=options))
    return plans_of([(written, None)], without=without, rows=rows)[0]


def plans_of(sent: list[tuple[str, Any]], *, without: Sequence[str] = (), rows: str = "") -> list[str]:
    """The same for statements that were sent, with their parameters."""
    with db.engine.connect() as connection:
        for statement in [*ROWS.split(";"), *filter(str.strip, rows.split(";"))]:
            connection.exec_driver_sql(statement.replace("%", "%%"))
        for way in without:
            connection.exec_driver_sql(f"SET LOCAL enable_{way} = off")
        plans = [
            "\n".join(connection.exec_driver_sql(f"EXPLAIN {statement}", parameters).scalars())
            for statement, parameters in sent
        ]
        connection.rollback()
    return plans
