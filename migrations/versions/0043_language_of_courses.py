"""The language that is spoken in a course

Revision ID: 0043
Revises: 0042

A column without a default: no row is written. Interrupted anywhere, it is run again.
"""

from alembic import op

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE courses ADD COLUMN IF NOT EXISTS language text")


def downgrade() -> None:
    op.execute("ALTER TABLE courses DROP COLUMN language")
