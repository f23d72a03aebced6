"""What a lesson was when its video was removed, so that the video comes back as it was

Revision ID: 0015
Revises: 0014

Videos that were removed before have none: they cannot be restored.
"""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE mux_asset_tracking ADD COLUMN before_removal jsonb")


def downgrade() -> None:
    op.drop_column("mux_asset_tracking", "before_removal")
