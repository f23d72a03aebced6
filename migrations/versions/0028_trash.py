"""The trash: when and by whom a lesson or course was deleted, and what it was before

Revision ID: 0028
Revises: 0027

Columns without a default, checks and small indexes; no row is written. Checks and foreign keys are validated and indexes made without
locking out readers or writers. Interrupted anywhere, it is run again.

On the way back what is in the trash comes out of it, as drafts: the older program has no trash, and must not delete what people
may still want. Lessons of a course that was there are in it again.
"""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

COLUMNS = """
ALTER TABLE courses
  ADD COLUMN IF NOT EXISTS deleted_at timestamptz,
  ADD COLUMN IF NOT EXISTS deleted_by uuid;
ALTER TABLE lessons
  ADD COLUMN IF NOT EXISTS deleted_at timestamptz,
  ADD COLUMN IF NOT EXISTS deleted_by uuid,
  ADD COLUMN IF NOT EXISTS before_trash jsonb,
  ADD COLUMN IF NOT EXISTS trashed_course_id uuid;
"""
CONSTRAINTS = {
    ("courses", "fk_courses_deleted_by"): "FOREIGN KEY (deleted_by) REFERENCES users (id) ON DELETE SET NULL",
    ("lessons", "fk_lessons_deleted_by"): "FOREIGN KEY (deleted_by) REFERENCES users (id) ON DELETE SET NULL",
    (
        "lessons",
        "fk_lessons_trashed_course_id",
    ): "FOREIGN KEY (trashed_course_id) REFERENCES courses (id) ON DELETE SET NULL",
    (
        "lessons",
        "ck_lessons_trash_is_draft",
    ): "CHECK (deleted_at IS NULL OR status = 'draft' AND NOT publish_on_ready)",
    ("lessons", "ck_lessons_one_course"): "CHECK (num_nonnulls(course_id, trashed_course_id) < 2)",
}
INDEXES = {
    "ix_courses_deleted_at": ("courses", "deleted_at"),
    "ix_lessons_deleted_at": ("lessons", "deleted_at"),
    "ix_lessons_trashed_course_id": ("lessons", "trashed_course_id"),
}


def upgrade() -> None:
    op.execute(COLUMNS)
    for (table, name), rule in CONSTRAINTS.items():
        op.execute(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}")
        op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {rule} NOT VALID")
    with op.get_context().autocommit_block():
        for table, name in CONSTRAINTS:
            op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}")
        for name, (table, column) in INDEXES.items():
            # one that an earlier try left half made answers nothing
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            op.create_index(
                name,
                table,
                [column],
                postgresql_where=sa.text(f"{column} IS NOT NULL"),
                postgresql_concurrently=True,
            )


def downgrade() -> None:
    op.execute(
        "UPDATE lessons SET course_id = trashed_course_id, trashed_course_id = NULL WHERE trashed_course_id IS NOT NULL"
    )
    op.execute(
        "ALTER TABLE lessons DROP COLUMN trashed_course_id, DROP COLUMN before_trash, DROP COLUMN deleted_by,"
        " DROP COLUMN deleted_at"
    )
    op.execute("ALTER TABLE courses DROP COLUMN deleted_by, DROP COLUMN deleted_at")
