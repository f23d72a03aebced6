"""How far users have watched lessons

Revision ID: 0041
Revises: 0040

A table is added, and no other is touched but for the keys that it refers to.
"""

from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """CREATE TABLE lesson_progress (
        user_id uuid NOT NULL CONSTRAINT fk_lesson_progress_user_id_users REFERENCES users (id) ON DELETE CASCADE,
        lesson_id uuid NOT NULL CONSTRAINT fk_lesson_progress_lesson_id_lessons REFERENCES lessons (id) ON DELETE CASCADE,
        seconds double precision NOT NULL,
        duration double precision NOT NULL,
        done_at timestamptz,
        updated_at timestamptz NOT NULL,
        CONSTRAINT pk_lesson_progress PRIMARY KEY (user_id, lesson_id),
        CONSTRAINT ck_lesson_progress_seconds_inside CHECK (seconds BETWEEN 0 AND duration))"""
    )
    op.execute("CREATE INDEX ix_lesson_progress_lesson_id ON lesson_progress (lesson_id)")
    op.execute(
        "CREATE INDEX ix_lesson_progress_unfinished ON lesson_progress (user_id, updated_at) WHERE done_at IS NULL"
    )


def downgrade() -> None:
    op.execute("DROP TABLE lesson_progress")
