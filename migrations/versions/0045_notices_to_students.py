"""Notices to students about what they bought, and which of them they want

Revision ID: 0045
Revises: 0044

A table and columns are added, with values that PostgreSQL writes into no row: every lesson that is there counts as published once, so that no
republication is told as a new lesson. Checks are validated and indexes made without locking out readers or writers. Interrupted
anywhere, it is run again.
"""

import sqlalchemy as sa
from alembic import op

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None

KIND = "ck_notifications_kind_known"
KINDS = (
    "'lesson_published', 'video_ready', 'video_failed', 'needs_attention', 'video_deleted', 'alarm', 'account', 'upload_again',"
    " 'lesson_given', 'lesson_revoked', 'publication_time'"
)
NEW = "'lesson_new_video', 'lesson_withdrawn', 'course_new_lesson'"
MUTED = "ck_users_muted_notices_known"
INDEX = "uq_notifications_gathered_as"
OF_LESSON, OF_LESSON_AND_USER = "ix_lesson_progress_lesson_id", "ix_lesson_progress_lesson_id_user_id"
TABLE = f"""CREATE TABLE IF NOT EXISTS announcements (
    id uuid DEFAULT gen_random_uuid() NOT NULL CONSTRAINT pk_announcements PRIMARY KEY,
    kind text NOT NULL,
    lesson_id uuid NOT NULL,
    course_id uuid,
    gathered_as text NOT NULL,
    several boolean DEFAULT false NOT NULL,
    told_up_to uuid,
    attempts integer DEFAULT 0 NOT NULL,
    due_at timestamptz DEFAULT clock_timestamp() NOT NULL,
    created_at timestamptz DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT ck_announcements_kind_known CHECK (kind IN ({NEW})))"""


def check(table: str, name: str, condition: str) -> None:
    """In the place of one of this name; new rows obey at once, those that are there are read afterwards."""
    op.execute(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}")
    op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({condition}) NOT VALID")


def upgrade() -> None:
    # the day of this revision: when it truly was, nothing tells
    op.execute(
        "ALTER TABLE lessons ADD COLUMN IF NOT EXISTS first_published_at timestamptz DEFAULT '2026-12-01 00:00+00'"
    )
    op.execute("ALTER TABLE lessons ALTER COLUMN first_published_at DROP DEFAULT")
    op.execute("ALTER TABLE users ADD COLUMN IF NOT EXISTS muted_notices text[] DEFAULT '{}' NOT NULL")
    op.execute("ALTER TABLE notifications ADD COLUMN IF NOT EXISTS gathered_as text")
    op.execute(TABLE)
    op.execute(
        "CREATE INDEX IF NOT EXISTS ix_announcements_gathered_as ON announcements (kind, gathered_as, id)"
    )
    check("users", MUTED, f"muted_notices <@ ARRAY[{NEW}]")
    check("notifications", KIND, f"kind IN ({KINDS}, {NEW})")
    with op.get_context().autocommit_block():
        op.execute(f"ALTER TABLE users VALIDATE CONSTRAINT {MUTED}")
        op.execute(f"ALTER TABLE notifications VALIDATE CONSTRAINT {KIND}")
        # one that an earlier try left half made answers nothing
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {INDEX}")
        op.create_index(
            INDEX,
            "notifications",
            ["user_id", "kind", "gathered_as"],
            unique=True,
            postgresql_where=sa.text("gathered_as IS NOT NULL"),
            postgresql_concurrently=True,
        )
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {OF_LESSON_AND_USER}")
        op.execute(f"CREATE INDEX CONCURRENTLY {OF_LESSON_AND_USER} ON lesson_progress (lesson_id, user_id)")
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {OF_LESSON}")


def downgrade() -> None:
    op.execute(
        "DELETE FROM notifications WHERE kind IN ('lesson_new_video', 'lesson_withdrawn', 'course_new_lesson')"
    )
    op.execute(f"CREATE INDEX {OF_LESSON} ON lesson_progress (lesson_id)")
    op.execute(f"DROP INDEX {OF_LESSON_AND_USER}")
    op.execute("DROP TABLE announcements")
    op.execute("ALTER TABLE notifications DROP COLUMN gathered_as")
    op.execute("ALTER TABLE users DROP COLUMN muted_notices")
    op.execute("ALTER TABLE lessons DROP COLUMN first_published_at")
    check("notifications", KIND, f"kind IN ({KINDS})")
    op.execute(f"ALTER TABLE notifications VALIDATE CONSTRAINT {KIND}")
