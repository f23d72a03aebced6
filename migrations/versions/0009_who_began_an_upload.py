"""Who began an upload, and when they lost the right to it

Revision ID: 0009
Revises: 0008

Both columns are empty, so the table is not written anew and the reference needs no check of what is there. The index
holds only uploads from now on.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # One statement, since only a reference that comes with its empty column is not checked against the whole table.
    op.execute(
        "ALTER TABLE mux_asset_tracking"
        " ADD COLUMN started_by uuid CONSTRAINT fk_mux_asset_tracking_started_by REFERENCES users (id) ON DELETE SET NULL,"
        " ADD COLUMN withdrawn_at timestamptz"
    )
    with op.get_context().autocommit_block():
        op.create_index(
            "ix_mux_asset_tracking_started_by",
            "mux_asset_tracking",
            ["started_by"],
            unique=False,
            postgresql_where=sa.text("started_by IS NOT NULL"),
            postgresql_concurrently=True,
            if_not_exists=True,
        )


def downgrade() -> None:
    op.drop_index("ix_mux_asset_tracking_started_by", table_name="mux_asset_tracking")
    op.drop_column("mux_asset_tracking", "withdrawn_at")
    op.drop_column("mux_asset_tracking", "started_by")
