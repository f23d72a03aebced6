"""Indexes for videos that another program wrote: those that nobody looked at yet, and temporary playback ids

Revision ID: 0003
Revises: 0002

All of them are partial and hold next to nothing where nothing was imported. Making one reads its table once, and keeps
writers waiting for that long.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

INDEXES = (
    (
        "ix_lessons_untaken",
        "lessons",
        "id",
        "video_processing_status = 'none' AND status = 'published' AND mux_playback_id IS NOT NULL",
    ),
    (
        "ix_courses_untaken",
        "courses",
        "id",
        "video_processing_status = 'none' AND mux_preview_playback_id IS NOT NULL",
    ),
    ("ix_lessons_temporary_playback", "lessons", "updated_at", r"mux_playback_id LIKE 'temp\_%'"),
    ("ix_courses_temporary_playback", "courses", "updated_at", r"mux_preview_playback_id LIKE 'temp\_%'"),
    (
        "ix_mux_asset_tracking_temporary_playback",
        "mux_asset_tracking",
        "updated_at",
        r"mux_playback_id LIKE 'temp\_%'",
    ),
)


def upgrade() -> None:
    for name, table, column, condition in INDEXES:
        op.create_index(name, table, [column], postgresql_where=sa.text(condition))


def downgrade() -> None:
    for name, table, _, condition in reversed(INDEXES):
        op.drop_index(name, table_name=table, postgresql_where=sa.text(condition))
