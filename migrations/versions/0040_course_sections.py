"""Sections of courses

Revision ID: 0040
Revises: 0039

A small table, and a column of lessons without a default; no row is written. The key is validated and the index made without locking out
readers or writers. Interrupted anywhere, it is run again.
"""

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None

KEY = "fk_lessons_section_id_course_sections"


def upgrade() -> None:
    op.execute(
        """CREATE TABLE IF NOT EXISTS course_sections (
        id uuid DEFAULT gen_random_uuid() NOT NULL CONSTRAINT pk_course_sections PRIMARY KEY,
        course_id uuid NOT NULL CONSTRAINT fk_course_sections_course_id_courses REFERENCES courses (id) ON DELETE CASCADE,
        title text NOT NULL,
        position integer DEFAULT 0 NOT NULL,
        created_at timestamptz DEFAULT clock_timestamp() NOT NULL,
        CONSTRAINT ck_course_sections_title_length CHECK (length(title) BETWEEN 1 AND 200))"""
    )
    op.execute(
        "CREATE INDEX IF NOT EXISTS ix_course_sections_course_id ON course_sections (course_id, position, id)"
    )
    op.execute("ALTER TABLE lessons ADD COLUMN IF NOT EXISTS section_id uuid")
    op.execute(f"ALTER TABLE lessons DROP CONSTRAINT IF EXISTS {KEY}")
    op.execute(
        f"ALTER TABLE lessons ADD CONSTRAINT {KEY} FOREIGN KEY (section_id)"
        " REFERENCES course_sections (id) ON DELETE SET NULL NOT VALID"
    )
    with op.get_context().autocommit_block():
        op.execute(f"ALTER TABLE lessons VALIDATE CONSTRAINT {KEY}")
        # one that an earlier try left half made answers nothing
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_lessons_section_id")
        op.create_index(
            "ix_lessons_section_id",
            "lessons",
            ["section_id"],
            postgresql_where=sa.text("section_id IS NOT NULL"),
            postgresql_concurrently=True,
        )


def downgrade() -> None:
    op.execute("ALTER TABLE lessons DROP COLUMN section_id")
    op.execute("DROP TABLE course_sections")
