"""Whose turn it is to cancel an upload at Mux, as for deletions

Revision ID: 0004
Revises: 0003

The new column is empty, so the table is not written anew. A worker of the older program that is at it meanwhile writes
no token and finishes as before.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("upload_cancellations", sa.Column("lease_token", sa.Uuid(), nullable=True))


def downgrade() -> None:
    op.drop_column("upload_cancellations", "lease_token")
