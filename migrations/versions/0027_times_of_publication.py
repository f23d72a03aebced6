"""A lesson is published not before a time, and taken back at a time

Revision ID: 0027
Revises: 0026

Columns and indexes are added, a kind of notice becomes known, and no row is written. The check is validated and indexes are made
without locking out readers or writers. Interrupted anywhere, it is run again.

On the way back the notices about times are removed, since the older program does not know them; a lesson that waits for a time
is then published as soon as its video is ready.
"""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

COLUMNS = """
ALTER TABLE lessons
  ADD COLUMN IF NOT EXISTS publish_not_before timestamptz,
  ADD COLUMN IF NOT EXISTS unpublish_at timestamptz,
  ADD COLUMN IF NOT EXISTS publication_warned_at timestamptz;
"""
KIND = "ck_notifications_kind_known"
KINDS = (
    "'lesson_published', 'video_ready', 'video_failed', 'needs_attention', 'video_deleted', 'alarm', 'account',"
    " 'upload_again', 'lesson_given', 'lesson_revoked'"
)
INDEXES = ("publish_not_before", "unpublish_at")


def known_kinds(kinds: str) -> None:
    """In the place of the check that is there; new rows obey at once, those that are there are read afterwards."""
    op.execute(f"ALTER TABLE notifications DROP CONSTRAINT IF EXISTS {KIND}")
    op.execute(f"ALTER TABLE notifications ADD CONSTRAINT {KIND} CHECK (kind IN ({kinds})) NOT VALID")


def upgrade() -> None:
    op.execute(COLUMNS)
    known_kinds(f"{KINDS}, 'publication_time'")
    with op.get_context().autocommit_block():
        op.execute(f"ALTER TABLE notifications VALIDATE CONSTRAINT {KIND}")
        for column in INDEXES:
            # one that an earlier try left half made answers nothing
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS ix_lessons_{column}")
            op.create_index(
                f"ix_lessons_{column}",
                "lessons",
                [column],
                postgresql_where=sa.text(f"{column} IS NOT NULL"),
                postgresql_concurrently=True,
            )


def downgrade() -> None:
    op.execute("DELETE FROM notifications WHERE kind = 'publication_time'")
    for column in INDEXES:
        op.execute(f"DROP INDEX ix_lessons_{column}")
    op.execute(
        "ALTER TABLE lessons DROP COLUMN publish_not_before, DROP COLUMN unpublish_at, DROP COLUMN publication_warned_at"
    )
    known_kinds(KINDS)
    op.execute(f"ALTER TABLE notifications VALIDATE CONSTRAINT {KIND}")
