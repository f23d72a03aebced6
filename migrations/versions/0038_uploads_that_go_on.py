"""When an upload was last gone on with: what only waits for its file is asked about ever less, until its browser is heard of

Revision ID: 0038
Revises: 0037

A column without a default: no row is written. Interrupted anywhere, it is run again.
"""

from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE mux_asset_tracking ADD COLUMN IF NOT EXISTS resumed_at timestamptz")


def downgrade() -> None:
    op.execute("ALTER TABLE mux_asset_tracking DROP COLUMN IF EXISTS resumed_at")
