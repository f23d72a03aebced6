"""The state on disk: one SQLite file, one connection, one lock.

Rows hold JSON documents beside the few columns that are searched. Nothing here knows what the documents mean.
Every change of several rows is made inside ``transaction()``, so a killed simulator comes back in a whole state.
"""

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Doc = dict[str, Any]

SCHEMA = """
CREATE TABLE IF NOT EXISTS settings (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS counters (kind TEXT PRIMARY KEY, value INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS uploads (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, env TEXT NOT NULL, created_at REAL NOT NULL,
  deadline REAL NOT NULL, status TEXT NOT NULL, token TEXT NOT NULL, total INTEGER, doc TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS assets (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, env TEXT NOT NULL, created_at REAL NOT NULL,
  upload_id TEXT, status TEXT NOT NULL, doc TEXT NOT NULL, work TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS assets_newest ON assets (env, created_at DESC, seq DESC);
CREATE INDEX IF NOT EXISTS assets_upload ON assets (upload_id);
CREATE INDEX IF NOT EXISTS assets_preparing ON assets (seq) WHERE status = 'preparing';
CREATE TABLE IF NOT EXISTS playback_ids (id TEXT PRIMARY KEY, asset_id TEXT NOT NULL, policy TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS playback_ids_asset ON playback_ids (asset_id);
CREATE TABLE IF NOT EXISTS endpoints (
  id TEXT PRIMARY KEY, env TEXT NOT NULL, url TEXT NOT NULL, secret TEXT NOT NULL, old_secret TEXT,
  created_at REAL NOT NULL, enabled INTEGER NOT NULL DEFAULT 1);
CREATE TABLE IF NOT EXISTS events (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, type TEXT NOT NULL, object_type TEXT NOT NULL,
  object_id TEXT NOT NULL, lane TEXT NOT NULL, env TEXT NOT NULL, created_at REAL NOT NULL, data TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS deliveries (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, event_id TEXT NOT NULL, endpoint_id TEXT NOT NULL, lane TEXT NOT NULL,
  due REAL NOT NULL, first_due REAL NOT NULL, status TEXT NOT NULL, note TEXT NOT NULL DEFAULT '',
  attempts TEXT NOT NULL DEFAULT '[]');
CREATE INDEX IF NOT EXISTS deliveries_due ON deliveries (status, due, seq);
CREATE INDEX IF NOT EXISTS deliveries_event ON deliveries (event_id);
CREATE TABLE IF NOT EXISTS timers (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, due REAL NOT NULL, kind TEXT NOT NULL, subject TEXT NOT NULL,
  detail TEXT NOT NULL DEFAULT '');
CREATE INDEX IF NOT EXISTS timers_due ON timers (due, seq);
CREATE INDEX IF NOT EXISTS timers_subject ON timers (subject);
CREATE TABLE IF NOT EXISTS calls (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, target TEXT NOT NULL, operation TEXT NOT NULL,
  method TEXT NOT NULL, path TEXT NOT NULL, status INTEGER, token_id TEXT, ms REAL NOT NULL, fault TEXT);
CREATE TABLE IF NOT EXISTS faults (seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, doc TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS signing_keys (
  id TEXT PRIMARY KEY, seq INTEGER NOT NULL, env TEXT NOT NULL, created_at REAL NOT NULL, public_pem TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS restrictions (
  id TEXT PRIMARY KEY, env TEXT NOT NULL, created_at REAL NOT NULL, doc TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS deliveries_of_video (
  asset_id TEXT NOT NULL, hour INTEGER NOT NULL, seconds REAL NOT NULL, PRIMARY KEY (asset_id, hour));
CREATE TABLE IF NOT EXISTS views (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, asset_id TEXT NOT NULL, env TEXT NOT NULL, ended_at REAL NOT NULL,
  seconds REAL NOT NULL);
CREATE INDEX IF NOT EXISTS views_ended ON views (env, ended_at);
"""
EMPTIED_BY_RESET = (
    "uploads", "assets", "playback_ids", "events", "deliveries", "timers", "calls", "faults", "restrictions",
    "deliveries_of_video", "views",
)  # fmt: skip


class Store:
    """Thread-safe access to the SQLite file."""

    def __init__(self, path: Path) -> None:
        self.lock = threading.RLock()
        self._depth = 0
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None, cached_statements=256)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode=WAL")
        # A crash of the machine may lose the last seconds of a simulator; a crash of the process loses nothing.
        self._db.execute("PRAGMA synchronous=OFF")
        self._db.executescript(SCHEMA)
        self._catch_up()

    def _catch_up(self) -> None:
        """A state that an older simulator has left: endpoints could not be switched off then."""
        if "enabled" not in {row["name"] for row in self._db.execute("PRAGMA table_info(endpoints)")}:
            self._db.execute("ALTER TABLE endpoints ADD COLUMN enabled INTEGER NOT NULL DEFAULT 1")

    def close(self) -> None:
        with self.lock:
            self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        with self.lock:
            if self._depth == 0:
                self._db.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield
            except BaseException:
                self._depth -= 1
                if self._depth == 0:
                    self._db.execute("ROLLBACK")
                raise
            self._depth -= 1
            if self._depth == 0:
                self._db.execute("COMMIT")

    def run(self, sql: str, *values: Any) -> int:
        with self.lock:
            return self._db.execute(sql, values).rowcount

    def run_many(self, sql: str, rows: Iterable[tuple[Any, ...]]) -> None:
        with self.lock:
            self._db.executemany(sql, rows)

    def one(self, sql: str, *values: Any) -> sqlite3.Row | None:
        with self.lock:
            row: sqlite3.Row | None = self._db.execute(sql, values).fetchone()
            return row

    def all(self, sql: str, *values: Any) -> list[sqlite3.Row]:
        with self.lock:
            return self._db.execute(sql, values).fetchall()

    def number(self, sql: str, *values: Any) -> float:
        row = self.one(sql, *values)
        return 0 if row is None or row[0] is None else row[0]

    def count_up(self, kind: str, by: int = 1) -> int:
        with self.lock:
            row = self._db.execute(
                "INSERT INTO counters VALUES (?, ?) ON CONFLICT (kind) DO UPDATE SET value = value + ? RETURNING value",
                (kind, by, by),
            ).fetchone()
            return int(row[0])

    def setting(self, key: str, default: Any = None) -> Any:
        row = self.one("SELECT value FROM settings WHERE key = ?", key)
        return default if row is None else json.loads(row[0])

    def set_setting(self, key: str, value: Any) -> None:
        self.run("INSERT OR REPLACE INTO settings VALUES (?, ?)", key, json.dumps(value))

    def empty(self) -> None:
        with self.transaction():
            for table in EMPTIED_BY_RESET:
                self.run(f"DELETE FROM {table}")  # noqa: S608 - names from the constant above # nosec B608
