"""Errors that people were shown, by the reference on their page

Revision ID: 0019
Revises: 0018

A new, empty table; nothing waits for it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "error_references",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column(
            "at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_error_references_user_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_error_references")),
    )
    op.create_index("ix_error_references_reference", "error_references", ["reference"])
    op.create_index("ix_error_references_at", "error_references", ["at"])
    op.create_index("ix_error_references_user_id", "error_references", ["user_id"])


def downgrade() -> None:
    op.drop_table("error_references")
