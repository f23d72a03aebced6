"""Files that students download with a lesson

Revision ID: 0036
Revises: 0035

Two tables are added, and no other is touched but for the keys that they refer to. The bytes are files of any kind, most of them
compressed already, so PostgreSQL does not try it again.
"""

from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """CREATE TABLE lesson_files (
        id uuid DEFAULT gen_random_uuid() NOT NULL CONSTRAINT pk_lesson_files PRIMARY KEY,
        lesson_id uuid CONSTRAINT fk_lesson_files_lesson_id_lessons REFERENCES lessons (id) ON DELETE SET NULL,
        name text NOT NULL,
        size integer NOT NULL,
        added_by uuid CONSTRAINT fk_lesson_files_added_by_users REFERENCES users (id) ON DELETE SET NULL,
        created_at timestamptz DEFAULT clock_timestamp() NOT NULL,
        finished_at timestamptz,
        removed_at timestamptz,
        in_store boolean DEFAULT false NOT NULL,
        CONSTRAINT ck_lesson_files_size_positive CHECK (size > 0),
        CONSTRAINT ck_lesson_files_finished_before_store CHECK (NOT in_store OR finished_at IS NOT NULL))"""
    )
    op.execute(
        """CREATE TABLE lesson_file_parts (
        file_id uuid NOT NULL CONSTRAINT fk_lesson_file_parts_file_id_lesson_files REFERENCES lesson_files (id) ON DELETE CASCADE,
        number integer NOT NULL,
        data bytea NOT NULL,
        CONSTRAINT pk_lesson_file_parts PRIMARY KEY (file_id, number))"""
    )
    op.execute("ALTER TABLE lesson_file_parts ALTER COLUMN data SET STORAGE EXTERNAL")
    for name, what in (
        ("lesson_id", "(lesson_id, id)"),
        ("added_by", "(added_by)"),
        ("removed_at", "(removed_at) WHERE removed_at IS NOT NULL"),
        ("unfinished", "(created_at) WHERE finished_at IS NULL"),
        ("to_store", "(finished_at) WHERE NOT in_store"),
        ("without_lesson", "(id) WHERE lesson_id IS NULL"),
    ):
        op.execute(f"CREATE INDEX ix_lesson_files_{name} ON lesson_files {what}")


def downgrade() -> None:
    op.execute("DROP TABLE lesson_file_parts")
    op.execute("DROP TABLE lesson_files")
