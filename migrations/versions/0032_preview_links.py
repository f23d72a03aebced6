"""Addresses that show one lesson for a day

Revision ID: 0032
Revises: 0031

A table is added, and no other is touched but for the keys that it refers to.
"""

from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """CREATE TABLE preview_links (
        id uuid DEFAULT gen_random_uuid() NOT NULL CONSTRAINT pk_preview_links PRIMARY KEY,
        lesson_id uuid NOT NULL CONSTRAINT fk_preview_links_lesson_id_lessons REFERENCES lessons (id) ON DELETE CASCADE,
        made_by uuid NOT NULL CONSTRAINT fk_preview_links_made_by_users REFERENCES users (id) ON DELETE CASCADE,
        secret_hash text NOT NULL CONSTRAINT uq_preview_links_secret_hash UNIQUE,
        created_at timestamptz DEFAULT clock_timestamp() NOT NULL,
        expires_at timestamptz NOT NULL,
        ended_at timestamptz)"""
    )
    op.execute("CREATE INDEX ix_preview_links_lesson_id ON preview_links (lesson_id, id)")
    op.execute("CREATE INDEX ix_preview_links_made_by ON preview_links (made_by)")
    op.execute("CREATE INDEX ix_preview_links_created_at ON preview_links (created_at)")


def downgrade() -> None:
    op.execute("DROP TABLE preview_links")
