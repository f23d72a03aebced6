"""What a lesson was when its video was removed, so that the video comes back as it was

Revision ID: 0017
Revises: 0016

Videos that were removed before have none: they cannot be restored.
"""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE mux_asset_tracking ADD COLUMN before_removal jsonb")


def downgrade() -> None:
    op.drop_column("mux_asset_tracking", "before_removal")
