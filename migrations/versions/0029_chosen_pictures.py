"""The picture of a lesson or a course is a moment of its video that was chosen

Revision ID: 0029
Revises: 0028

Columns are added, and no row is written; the checks are validated without locking out readers or writers. Interrupted anywhere, it is
run again.
"""

from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

TABLES = ("lessons", "courses")
WHOLE = "num_nulls(picture_seconds, picture_asset_id) IN (0, 2) AND (picture_seconds IS NULL OR picture_seconds >= 0)"


def upgrade() -> None:
    for table in TABLES:
        op.execute(
            f"ALTER TABLE {table} ADD COLUMN IF NOT EXISTS picture_seconds double precision,"
            " ADD COLUMN IF NOT EXISTS picture_asset_id text"
        )
        op.execute(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS ck_{table}_picture_whole")
        op.execute(f"ALTER TABLE {table} ADD CONSTRAINT ck_{table}_picture_whole CHECK ({WHOLE}) NOT VALID")
    with op.get_context().autocommit_block():
        for table in TABLES:
            op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT ck_{table}_picture_whole")


def downgrade() -> None:
    for table in TABLES:
        op.execute(f"ALTER TABLE {table} DROP COLUMN picture_seconds, DROP COLUMN picture_asset_id")
