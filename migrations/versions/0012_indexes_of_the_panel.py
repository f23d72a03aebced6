"""Indexes that answer a filter of the panel and its order at once

Revision ID: 0012
Revises: 0011

Each takes the place of one of the same name, so no write keeps more indexes than before: what most rows have (an event
that was applied, an upload that is ready or has no error) has no entry any more. The new one is built beside the old
one, and nothing waits for that; meanwhile it needs the space of the largest of them. An upgrade that was broken off is
begun again.
"""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

OPEN = "status IN ('uploading', 'processing')"
# Name, table, what it was, what it becomes.
INDEXES = (
    (
        "ix_mux_events_outcome",
        "mux_events",
        "(outcome, id)",
        "(outcome, received_at, id) INCLUDE (type) WHERE outcome <> 'applied' OR outcome IS NULL",
    ),
    ("ix_mux_events_type", "mux_events", "(type, id)", "(type, received_at, id)"),
    (
        "ix_mux_asset_tracking_status",
        "mux_asset_tracking",
        "(status, id)",
        "(status, created_at, id) WHERE status <> 'ready'",
    ),
    (
        "ix_mux_asset_tracking_error_type",
        "mux_asset_tracking",
        "(error_type, id)",
        "(error_type, created_at, id) WHERE error_type IS NOT NULL",
    ),
    (
        "ix_mux_asset_tracking_playback_policy",
        "mux_asset_tracking",
        "(playback_policy, id)",
        "(playback_policy, created_at, id)",
    ),
    (
        "ix_mux_asset_tracking_open",
        "mux_asset_tracking",
        f"(created_at) WHERE superseded_at IS NULL AND {OPEN}",
        f"(created_at) INCLUDE (lesson_id, course_id) WHERE superseded_at IS NULL AND {OPEN}",
    ),
    (
        "ix_lessons_open_video",
        "lessons",
        f"(id) WHERE video_processing_{OPEN}",
        f"(id) INCLUDE (created_at) WHERE video_processing_{OPEN}",
    ),
    (
        "ix_lessons_playback_policy",
        "lessons",
        "(playback_policy, id)",
        "(playback_policy, id) INCLUDE (created_at)",
    ),
)


def upgrade() -> None:
    for name, table, _, after in INDEXES:
        replace(name, table, after)


def downgrade() -> None:
    for name, table, before, _ in reversed(INDEXES):
        replace(name, table, before)


def replace(name: str, table: str, definition: str) -> None:
    """What an earlier try left behind is no index that is kept: it may be incomplete."""
    with op.get_context().autocommit_block():
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}_new")
        op.execute(f"CREATE INDEX CONCURRENTLY {name}_new ON {table} {definition}")
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
        op.execute(f"ALTER INDEX {name}_new RENAME TO {name}")
