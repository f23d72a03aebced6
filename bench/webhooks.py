"""Webhooks a second: signed events that make lessons published, beside a bare view and beside the database alone.

Run: ``bin/bench webhooks``. All in one run, on one PostgreSQL with fsync on, two web processes with four threads, 16
connections. (a) is a bare Flask view that verifies the signature and inserts one row; (b) is pgbench with the same SQL
as an applied event. The machine is shared with the sender, so read the ratios.
"""

import json
import re
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

import psycopg

from bench.workload.load import Result, send_all
from bench.workload.servers import SECRET, gunicorn, servers
from devstack.servers import wheels
from devstack.servers.postgres import Postgres
from muxsim.webhooks.delivery import sign

LESSONS = 1500
CONNECTIONS = 16
PGBENCH_SECONDS = 8

SEED = """
INSERT INTO users (email, role) VALUES ('bench@school.example', 'instructor');
INSERT INTO lessons (creator_id, title, video_processing_status)
  SELECT (SELECT id FROM users), 'Lesson ' || n, 'uploading' FROM generate_series(1, {count}) n;
INSERT INTO mux_asset_tracking (lesson_id, upload_id, status, filename)
  SELECT id, 'upload' || id, 'uploading', 'talk.mp4' FROM lessons;
CREATE TABLE bare_events (mux_event_id text PRIMARY KEY, payload jsonb, received_at timestamptz DEFAULT now());
CREATE TABLE numbered AS SELECT row_number() OVER () AS n, l.id AS lesson_id, t.id AS tracking_id
  FROM lessons l JOIN mux_asset_tracking t ON t.lesson_id = l.id;
ALTER TABLE numbered ADD PRIMARY KEY (n);
ANALYZE;
"""
SAME_SQL = """
\\set n random(1, {count})
SELECT lesson_id, tracking_id FROM numbered WHERE n = :n \\gset
BEGIN;
INSERT INTO mux_events (mux_event_id, type, object_id, outcome, processed_at, attempts, payload)
  VALUES (gen_random_uuid()::text, 'video.asset.ready', 'x', 'applied', now(), 1, '{payload}'::jsonb)
  ON CONFLICT DO NOTHING RETURNING id;
SELECT * FROM lessons WHERE id = ':lesson_id' FOR UPDATE;
SELECT * FROM mux_asset_tracking WHERE lesson_id = ':lesson_id';
UPDATE mux_asset_tracking SET updated_at = clock_timestamp(), progress = 100 WHERE id = ':tracking_id';
UPDATE lessons SET updated_at = clock_timestamp(), version = version + 1 WHERE id = ':lesson_id';
INSERT INTO audit_log (actor_type, action, target_type, target_id) VALUES
  ('webhook', 'video.ready', 'lesson', ':lesson_id'), ('webhook', 'lesson.published', 'lesson', ':lesson_id');
COMMIT;
"""


def seed(postgres: Postgres) -> list[tuple[str, str]]:
    """Lessons that wait for their video: lesson id and upload id."""
    with psycopg.connect(postgres.url("bench"), autocommit=True) as database:
        for statement in SEED.format(count=LESSONS).split(";"):
            if statement.strip():
                database.execute(statement)
        return [
            (str(one), str(two))
            for one, two in database.execute("SELECT lesson_id, upload_id FROM mux_asset_tracking")
        ]


def payload(kind: str, lesson_id: str, upload_id: str) -> bytes:
    """An event as Mux sends it, for one lesson."""
    asset_id = f"asset{upload_id}"
    status = "ready" if kind == "ready" else "preparing"
    data = {
        "id": asset_id, "status": status, "upload_id": upload_id, "created_at": int(time.time()), "duration": 61.5,
        "passthrough": json.dumps({"lesson_id": lesson_id, "app": "lessonadmin"}), "aspect_ratio": "16:9",
        "playback_ids": [{"id": f"playback{upload_id}", "policy": "public"}], "max_stored_resolution": "HD",
        "tracks": [{"type": "video", "id": "t1", "max_width": 1920, "max_height": 1080, "max_frame_rate": 29.97},
                   {"type": "audio", "id": "t2", "max_channels": 2}],
        "mp4_support": "none", "master_access": "none", "encoding_tier": "baseline", "video_quality": "basic",
    }  # fmt: skip
    event = {
        "type": f"video.asset.{kind}", "id": str(uuid.uuid4()), "created_at": "2026-11-21T10:00:00.000000Z",
        "object": {"type": "asset", "id": asset_id}, "environment": {"name": "Production", "id": "abc123"},
        "data": data, "request_id": None, "accessor": None, "attempts": [],
    }  # fmt: skip
    return json.dumps(event).encode()


def request(body: bytes) -> bytes:
    head = (
        "POST /api/webhooks/mux HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nMux-Signature: {sign(SECRET, int(time.time()), body)}\r\n\r\n"
    )
    return head.encode() + body


def fire(port: int, kind: str, lessons: list[tuple[str, str]]) -> Result:
    return send_all(port, [request(payload(kind, *one)) for one in lessons], connections=CONNECTIONS)


def same_sql(postgres: Postgres) -> float:
    """Transactions a second that pgbench gets out of the same statements."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "event.sql"
        text = payload("ready", str(uuid.uuid4()), "u").decode()
        script.write_text(SAME_SQL.format(count=LESSONS, payload=text))
        command = [
            wheels.postgres_programs() / "pgbench",
            "-n",
            "-f",
            script,
            "-c",
            str(CONNECTIONS),
            "-j",
            "2",
        ]
        command += ["-T", str(PGBENCH_SECONDS), "-h", str(postgres.sockets), "-U", "lessonadmin", "bench"]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = re.search(r"tps = ([\d.]+)", said)
    if found is None:
        raise RuntimeError(said)
    return float(found.group(1))


def tell(name: str, result: Result) -> None:
    wrong = {status: count for status, count in result.statuses.items() if status != 204}
    remark = f"p50 {result.milliseconds(0.5):.0f} ms, p99 {result.milliseconds(0.99):.0f} ms"
    print(
        f"{name}\t{result.rate:.0f} a second\t{remark}{f', wrong answers: {wrong}' if wrong else ''}",
        flush=True,
    )


def main() -> int:
    with servers() as (postgres, environment):
        lessons = seed(postgres)
        with gunicorn("app:app", environment, config="gunicorn.conf.py") as port:
            fire(port, "updated", lessons[:100])  # the first requests of a process pay for what it loads
            created = fire(port, "created", lessons)
            ready = fire(port, "ready", lessons)
            again = fire(port, "ready", lessons)
        with gunicorn("bench.workload.bare_view:app", environment, config="") as port:
            fire(port, "updated", lessons[:100])
            bare = fire(port, "ready", lessons)
        database = same_sql(postgres)
        with psycopg.connect(postgres.url("bench")) as check:
            published = check.execute("SELECT count(*) FROM lessons WHERE status = 'published'").fetchone()
    tell("created: lesson begins processing", created)
    tell("ready: lesson publishes itself", ready)
    tell("ready again: nothing to do", again)
    tell("(a) bare view, one insert", bare)
    print(f"(b) pgbench, the same SQL\t{database:.0f} a second\t{CONNECTIONS} connections")
    print(f"ready beside (a)\t{ready.rate / bare.rate:.2f}\taim: at least 0.5")
    print(f"ready beside (b)\t{ready.rate / database:.2f}\twhat the web costs on top of the database")
    print(f"lessons published\t{published[0] if published else 0} of {LESSONS}\tnone lost")
    return 0 if published == (LESSONS,) else 1


if __name__ == "__main__":
    sys.exit(main())
