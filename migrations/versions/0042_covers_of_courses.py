"""The lesson whose picture a course has, where its instructor chose one

Revision ID: 0042
Revises: 0041

A column without a default: no row is written. Interrupted anywhere, it is run again.
"""

from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE courses ADD COLUMN IF NOT EXISTS cover_lesson_id uuid")


def downgrade() -> None:
    op.execute("ALTER TABLE courses DROP COLUMN IF EXISTS cover_lesson_id")
