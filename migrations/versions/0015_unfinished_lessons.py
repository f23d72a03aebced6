"""Lessons that were never saved by their form, and pages with unsaved changes that publication waits for

Revision ID: 0015
Revises: 0014

The columns are empty or have a constant default, so no row is written anew: every lesson that there is counts as saved, with a
title of its own. The index has no entry yet and is built beside the running product.
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
        " ADD COLUMN is_untitled boolean DEFAULT false NOT NULL,"
        " ADD COLUMN held_until timestamptz"
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
    with op.get_context().autocommit_block():
        op.create_index(
            "ix_lessons_held_until",
            "lessons",
            ["held_until"],
            postgresql_where=sa.text("held_until IS NOT NULL"),
            postgresql_concurrently=True,
            if_not_exists=True,
        )


def downgrade() -> None:
    op.drop_index("ix_lessons_held_until", table_name="lessons")
    op.drop_table("editing_holds")
    op.execute("ALTER TABLE lessons DROP COLUMN held_until, DROP COLUMN is_untitled, DROP COLUMN is_unsaved")
