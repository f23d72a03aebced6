"""The rows that the benchmark of webhooks begins with, the rows that it expects in the end, and the same rows by SQL alone."""

import re
import subprocess
import tempfile
from pathlib import Path

import psycopg
from psycopg.rows import TupleRow

from bench.workload.sender import CONNECTIONS
from bench.workload.webhook_events import Lesson, body
from devstack.servers import wheels

Database = psycopg.Connection[TupleRow]

# The peers' tables are plain: the same columns, the keys, and none of the indexes by which the product's pages find rows.
SEED = """
INSERT INTO users (email, name, role) VALUES ('bench@school.example', 'Bench', 'instructor');
INSERT INTO lessons (creator_id, title, video_processing_status, mux_asset_id)
  SELECT (SELECT id FROM users), 'Lesson ' || n, 'processing', 'assetupload' || n FROM generate_series(1, {count}) n;
INSERT INTO mux_asset_tracking
    (lesson_id, owner_id, upload_id, mux_asset_id, status, filename, wanted_policy, bytes_in_at, asset_seen_at)
  SELECT id, creator_id, 'upload' || substr(title, 8), mux_asset_id, 'processing', 'talk.mp4', 'public', now(), now()
  FROM lessons;
CREATE SCHEMA plain;
CREATE TABLE plain.lessons (LIKE public.lessons INCLUDING DEFAULTS);
CREATE TABLE plain.mux_asset_tracking (LIKE public.mux_asset_tracking INCLUDING DEFAULTS);
CREATE TABLE plain.mux_events (LIKE public.mux_events INCLUDING DEFAULTS);
CREATE TABLE plain.audit_log (LIKE public.audit_log INCLUDING DEFAULTS);
INSERT INTO plain.lessons SELECT * FROM public.lessons;
INSERT INTO plain.mux_asset_tracking SELECT * FROM public.mux_asset_tracking;
ALTER TABLE plain.lessons ADD PRIMARY KEY (id);
ALTER TABLE plain.mux_asset_tracking ADD PRIMARY KEY (id), ADD UNIQUE (upload_id);
ALTER TABLE plain.mux_events ADD PRIMARY KEY (id), ADD UNIQUE (mux_event_id);
ALTER TABLE plain.audit_log ADD PRIMARY KEY (id);
CREATE TABLE bare_events (mux_event_id text PRIMARY KEY, payload jsonb, received_at timestamptz DEFAULT now());
CREATE TABLE numbered AS SELECT row_number() OVER () AS n, lesson_id, id AS tracking_id FROM mux_asset_tracking;
ALTER TABLE numbered ADD PRIMARY KEY (n);
CREATE SEQUENCE taken;
CREATE TABLE sample AS SELECT %s AS payload;
ANALYZE
"""
SAME_ROWS = """
SELECT lesson_id, tracking_id, gen_random_uuid()::text AS event_id FROM numbered WHERE n = (SELECT nextval('taken')) \\gset
BEGIN;
INSERT INTO mux_events (mux_event_id, type, object_id, upload_id, asset_id, environment_id, secret_hint, target_type,
    target_id, outcome, processed_at, attempts, payload)
  VALUES (:event_id, 'video.asset.ready', 'asset' || :event_id, :event_id, 'asset' || :event_id, 'abc123', '0aaf',
    'lesson', :lesson_id, 'applied', now(), 1, (SELECT payload FROM sample)::jsonb)
  ON CONFLICT (mux_event_id) DO NOTHING RETURNING id;
SELECT * FROM lessons WHERE id = :lesson_id FOR UPDATE;
SELECT * FROM mux_asset_tracking WHERE lesson_id = :lesson_id;
UPDATE mux_asset_tracking SET status = 'ready', mux_playback_id = 'playback' || :event_id, playback_policy = 'public',
    duration = 61.5, progress = 100, ready_at = now(), ready_found_by = 'webhook', updated_at = clock_timestamp()
  WHERE id = :tracking_id;
UPDATE lessons SET status = 'published', published_at = now(), publish_on_ready = false, video_duration = 61.5,
    video_processing_status = 'ready', mux_playback_id = 'playback' || :event_id, playback_policy = 'public',
    updated_at = clock_timestamp()
  WHERE id = :lesson_id;
INSERT INTO audit_log (actor_type, action, target_type, target_id, detail) VALUES
  ('webhook', 'video.ready', 'lesson', :lesson_id, jsonb_build_object('found_by', 'webhook')),
  ('webhook', 'lesson.published', 'lesson', :lesson_id, jsonb_build_object('by_itself', true));
INSERT INTO notifications (user_id, kind, lesson_id, tracking_id, message)
  SELECT creator_id, 'lesson_published', id, :tracking_id, title || ' is published.' FROM lessons WHERE id = :lesson_id;
COMMIT;
"""
# A backlog as the intake leaves it: the body of each event is the sample's with its own ids.
BACKLOG = """
INSERT INTO waiting_events (id, mux_event_id, secret_hint, body)
  SELECT uuidv7(), event_id, '0aaf', convert_to(replace(replace(replace(
    %(body)s, 'EVENT', event_id), 'LESSON', lesson_id::text), 'UPLOAD', upload_id), 'UTF8')
  FROM (SELECT 'backlog-' || gen_random_uuid() AS event_id, lesson_id, upload_id
        FROM mux_asset_tracking ORDER BY id OFFSET %(first)s LIMIT %(count)s) waiting
"""
# Each must be as many as there were events: a lesson that is told of twice, or never, shows in one of them.
EXPECTED = {
    "events applied": "SELECT count(*) FROM mux_events WHERE outcome = 'applied'",
    "lessons published": "SELECT count(*) FROM lessons WHERE status = 'published'",
    "rows that say so in the audit": "SELECT count(*) FROM audit_log WHERE action = 'lesson.published'",
    "lessons with such a row": "SELECT count(DISTINCT target_id) FROM audit_log WHERE action = 'lesson.published'",
    "notices": "SELECT count(*) FROM notifications WHERE kind = 'lesson_published'",
}


def connect(address: str) -> Database:
    return psycopg.connect(address, autocommit=True)


def seed(address: str, count: int) -> None:
    """So many lessons of one instructor, each waiting for the event that its video is ready."""
    with connect(address) as database:
        for statement in SEED.format(count=count).split(";\n"):
            arguments = (body("event", "lesson", "upload"),) if "%s" in statement else None
            database.execute(statement, arguments)


def plainly(address: str) -> str:
    """The address of the database as a session sees it that finds the plain tables first."""
    return f"{address}&options=-csearch_path%3Dplain%2Cpublic"


def lessons(database: Database, first: int, count: int) -> list[Lesson]:
    """So many of those that wait, always in the same order."""
    query = "SELECT lesson_id, upload_id FROM mux_asset_tracking ORDER BY id OFFSET %s LIMIT %s"
    return [(str(lesson_id), upload_id) for lesson_id, upload_id in database.execute(query, (first, count))]


def fill_backlog(database: Database, first: int, count: int) -> None:
    """Store an event for each of these lessons, all at once."""
    sample = body("EVENT", "LESSON", "UPLOAD")
    database.execute(BACKLOG, {"body": sample, "first": first, "count": count})
    database.execute("ANALYZE waiting_events")


def backlog(database: Database) -> int:
    return int(one(database, "SELECT count(*) FROM waiting_events"))


def is_drained(database: Database) -> bool:
    return not one(database, "SELECT EXISTS (SELECT FROM waiting_events)")


def stored(database: Database) -> int:
    """Events that wait or were applied."""
    return backlog(database) + one(database, EXPECTED["events applied"])


def published(database: Database) -> int:
    return one(database, EXPECTED["lessons published"])


def is_backlog_gone(database: Database) -> bool:
    """Whether what waits has come after the backlog; it was stored at once, so the oldest tells."""
    row = database.execute(
        "SELECT mux_event_id LIKE 'backlog-%' FROM waiting_events ORDER BY id LIMIT 1"
    ).fetchone()
    return row is None or not row[0]


def is_published(database: Database, lesson: Lesson) -> bool:
    row = database.execute("SELECT status = 'published' FROM lessons WHERE id = %s", lesson[:1]).fetchone()
    return row is not None and bool(row[0])


def one(database: Database, query: str) -> int:
    row = database.execute(query).fetchone()
    assert row is not None
    return int(row[0])


def complaints(database: Database, events: int) -> list[str]:
    """What was lost or done twice."""
    found = {what: one(database, query) for what, query in EXPECTED.items()}
    return [f"{count} {what} of {events}" for what, count in found.items() if count != events]


def same_rows(address: str, count: int) -> float:
    """Transactions a second that pgbench gets when it writes what an applied event writes, each for a lesson of its own."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "event.sql"
        script.write_text(SAME_ROWS)
        command: list[str | Path] = [
            wheels.postgres_programs() / "pgbench",
            "-n",
            "-M",
            "prepared",
            "-f",
            script,
            "-j",
            "2",
        ]
        command += ["-c", str(CONNECTIONS), "-t", str(count // CONNECTIONS)]
        command += ["-d", address]
        said = subprocess.run(command, capture_output=True, text=True, check=False)
    found = re.search(r"tps = ([\d.]+)", said.stdout)
    if found is None or said.returncode != 0:
        raise RuntimeError(said.stderr[-2000:])
    return float(found.group(1))
