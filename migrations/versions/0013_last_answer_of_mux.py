"""What Mux last said about an upload, and when; a kind of notice that asks for another upload

Revision ID: 0013
Revises: 0012

Both columns are empty until Mux is asked the next time. The known kinds of notices only become more, so the rows that
are there need no look.
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

KINDS = "'lesson_published', 'video_ready', 'video_failed', 'needs_attention', 'video_deleted', 'alarm', 'account'"


def upgrade() -> None:
    op.add_column("mux_asset_tracking", sa.Column("last_answer", sa.Text(), nullable=True))
    op.add_column(
        "mux_asset_tracking", sa.Column("last_answer_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.execute("ALTER TABLE notifications DROP CONSTRAINT ck_notifications_kind_known")
    op.execute(
        f"ALTER TABLE notifications ADD CONSTRAINT ck_notifications_kind_known CHECK (kind IN ({KINDS}, 'upload_again'))"
        " NOT VALID"
    )
    op.execute("ALTER TABLE notifications VALIDATE CONSTRAINT ck_notifications_kind_known")


def downgrade() -> None:
    op.execute("DELETE FROM notifications WHERE kind = 'upload_again'")
    op.execute("ALTER TABLE notifications DROP CONSTRAINT ck_notifications_kind_known")
    op.execute(
        f"ALTER TABLE notifications ADD CONSTRAINT ck_notifications_kind_known CHECK (kind IN ({KINDS}))"
    )
    op.drop_column("mux_asset_tracking", "last_answer_at")
    op.drop_column("mux_asset_tracking", "last_answer")
