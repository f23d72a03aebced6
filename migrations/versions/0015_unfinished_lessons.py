"""Lessons that were never saved by their form, and pages with unsaved changes that publication waits for

Revision ID: 0015
Revises: 0014

Both columns have a constant default, so no row is written anew: every lesson that there is counts as saved, with a title
of its own.
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "ALTER TABLE lessons ADD COLUMN is_unsaved boolean DEFAULT false NOT NULL,"
        " ADD COLUMN is_untitled boolean DEFAULT false NOT NULL"
    )
    op.create_table(
        "editing_holds",
        sa.Column("lesson_id", sa.Uuid(), nullable=False),
        sa.Column("page_id", sa.Uuid(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("lesson_id", "page_id", name="pk_editing_holds"),
        sa.ForeignKeyConstraint(
            ["lesson_id"], ["lessons.id"], name="fk_editing_holds_lesson_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_editing_holds_expires_at", "editing_holds", ["expires_at"])


def downgrade() -> None:
    op.drop_table("editing_holds")
    op.execute("ALTER TABLE lessons DROP COLUMN is_untitled, DROP COLUMN is_unsaved")
