"""A key that a client makes for a lesson, so that a repeated request makes none a second time

Revision ID: 0033
Revises: 0032

A column without a default and a small index, which is made without locking out readers or writers; no row is written. Interrupted
anywhere, it is run again.
"""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

NAME = "uq_lessons_client_key"


def upgrade() -> None:
    op.execute("ALTER TABLE lessons ADD COLUMN IF NOT EXISTS client_key uuid")
    with op.get_context().autocommit_block():
        # one that an earlier try left half made answers nothing
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {NAME}")
        op.create_index(
            NAME,
            "lessons",
            ["creator_id", "client_key"],
            unique=True,
            postgresql_where=sa.text("client_key IS NOT NULL"),
            postgresql_concurrently=True,
        )


def downgrade() -> None:
    op.execute("ALTER TABLE lessons DROP COLUMN client_key")
