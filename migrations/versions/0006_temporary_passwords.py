"""Passwords that somebody else made have to be changed within a day; a kind of notice for what happens to an account

Revision ID: 0006
Revises: 0005

The new column is empty: nobody's present password becomes temporary. The known kinds of notices only become more, so the
rows that are there need no look.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

KINDS = "'lesson_published', 'video_ready', 'video_failed', 'needs_attention', 'video_deleted', 'alarm'"


def upgrade() -> None:
    op.add_column("users", sa.Column("password_temporary_until", sa.DateTime(timezone=True), nullable=True))
    op.execute("ALTER TABLE notifications DROP CONSTRAINT ck_notifications_kind_known")
    op.execute(
        f"ALTER TABLE notifications ADD CONSTRAINT ck_notifications_kind_known CHECK (kind IN ({KINDS}, 'account'))"
        " NOT VALID"
    )
    op.execute("ALTER TABLE notifications VALIDATE CONSTRAINT ck_notifications_kind_known")


def downgrade() -> None:
    op.execute("DELETE FROM notifications WHERE kind = 'account'")
    op.execute("ALTER TABLE notifications DROP CONSTRAINT ck_notifications_kind_known")
    op.execute(
        f"ALTER TABLE notifications ADD CONSTRAINT ck_notifications_kind_known CHECK (kind IN ({KINDS}))"
    )
    op.drop_column("users", "password_temporary_until")
