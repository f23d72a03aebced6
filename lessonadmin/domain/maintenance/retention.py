"""How long what is kept: old rows go in small batches, so that no sweep holds a table.

The memory of event ids outlives every validity: Mux sends an event again for a day at the most, a signature is good for
five minutes, and events are kept for months. Audit rows go through a function of the database, which removes none that is
younger than a year, whatever it is asked. What was removed leaves an audit row itself, of which table and how many.
"""

from dataclasses import dataclass

from sqlalchemy import text

from lessonadmin import config
from lessonadmin.db import JOB, db, transaction
from lessonadmin.domain.audit import audit_log

BATCH = 1000
MAX_BATCHES = 20


@dataclass(frozen=True)
class Life:
    """A kind of row, how it is recognised as old, and the days that it is kept."""

    table: str
    condition: str
    days: int


LIVES = (
    Life("mux_events", "received_at < {limit} AND next_attempt_at IS NULL AND outcome <> 'failed'", 180),
    Life("mux_events", "received_at < {limit}", 365),
    Life("mux_calls", "at < {limit}", 90),
    Life("audit_log", "at < {limit}", 3 * 365),
    Life("notifications", "created_at < {limit} AND read_at IS NOT NULL", 180),
    Life("notifications", "created_at < {limit}", 365),
    Life("sign_in_failures", "at < {limit}", 2),
    Life("pending_sign_ins", "created_at < {limit}", 1),
    Life("passkey_challenges", "created_at < {limit}", 1),
    Life("user_sessions", "last_seen_at < {limit}", 30),
    Life("known_browsers", "last_used_at < {limit}", 365),
    Life("account_links", "created_at < {limit}", 90),
    Life("preview_links", "created_at < {limit}", 30),
    Life("security_counts", "minute < {limit}", 2),
    Life("api_tokens", "LEAST(expires_at, revoked_at) < {limit}", 90),
    Life("throttles", "started_at < {limit}", 2),
    Life("alarms", "ended_at < {limit}", 365),
    Life("reconcile_runs", "started_at < {limit}", 90),
    Life("hourly_figures", "hour < {limit}", 400),
    Life("lesson_views", "day < {limit}", 5 * 365),
    Life("counted_days", "day < {limit}", 5 * 365),
    Life("error_references", "at < {limit}", 90),
    Life("upload_cancellations", "done_at < {limit}", 90),
)
# Tables whose key is not called `id`.
KEYS = {
    "throttles": "key",
    "hourly_figures": "ctid",
    "security_counts": "ctid",
    "lesson_views": "ctid",
    "counted_days": "ctid",
}
# An audit row says how many of these were removed; the others are counters and leases, of no interest later.
AUDITED = frozenset({"audit_log", "mux_events", "mux_calls", "notifications", "alarms", "reconcile_runs"})


def days_of(life: Life) -> int:
    """As KEEP_DAYS says; it is about a table's first life, and no later one of the same table is shorter."""
    own = dict(config.current().keep_days).get(life.table)
    if own is None:
        return life.days
    first = next(one for one in LIVES if one.table == life.table)
    return own if life is first else max(own, life.days)


def prune() -> dict[str, int]:
    """Remove what is too old; how many rows of each table."""
    removed: dict[str, int] = {}
    for life in LIVES:
        for _ in range(MAX_BATCHES):
            gone = _prune_some(life)
            removed[life.table] = removed.get(life.table, 0) + gone
            if gone < BATCH:
                break
    return {table: count for table, count in removed.items() if count}


def _prune_some(life: Life) -> int:
    with transaction(JOB):
        gone = _remove_audit_rows(life) if life.table == "audit_log" else _remove(life)
        if gone and life.table in AUDITED:
            audit_log.record_for("rows.removed", life.table, None, rows=gone, older_than_days=days_of(life))
    return gone


def _remove_audit_rows(life: Life) -> int:
    query = text("SELECT remove_old_audit_rows(:most, :days)")
    return int(db.session.execute(query, {"most": BATCH, "days": days_of(life)}).scalar_one())


def _remove(life: Life) -> int:
    key = KEYS.get(life.table, "id")
    condition = life.condition.format(limit=f"clock_timestamp() - interval '{days_of(life)} days'")
    gone = db.session.execute(
        text(
            f"DELETE FROM {life.table} WHERE {key} IN"  # noqa: S608  # names and conditions are the constants above # nosec B608
            f" (SELECT {key} FROM {life.table} WHERE {condition} LIMIT {BATCH})"
        )
    )
    return int(gone.rowcount)  # type: ignore[attr-defined]  # a DELETE has one
