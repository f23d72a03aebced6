"""Captions that people write themselves

Revision ID: 0037
Revises: 0036

Three columns are added, and no row is written; the key is validated without locking out readers or writers. Interrupted anywhere, it is run
again.
"""

from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

KEY = "fk_caption_tracks_replaces_id_caption_tracks"


def upgrade() -> None:
    op.execute(
        "ALTER TABLE caption_tracks ADD COLUMN IF NOT EXISTS webvtt text, ADD COLUMN IF NOT EXISTS warning text,"
        " ADD COLUMN IF NOT EXISTS replaces_id uuid"
    )
    op.execute(f"ALTER TABLE caption_tracks DROP CONSTRAINT IF EXISTS {KEY}")
    op.execute(
        f"ALTER TABLE caption_tracks ADD CONSTRAINT {KEY} FOREIGN KEY (replaces_id)"
        " REFERENCES caption_tracks (id) ON DELETE SET NULL NOT VALID"
    )
    with op.get_context().autocommit_block():
        op.execute(f"ALTER TABLE caption_tracks VALIDATE CONSTRAINT {KEY}")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_caption_tracks_replaces_id")
        op.execute(
            "CREATE INDEX CONCURRENTLY ix_caption_tracks_replaces_id ON caption_tracks (replaces_id)"
            " WHERE replaces_id IS NOT NULL"
        )


def downgrade() -> None:
    op.execute("ALTER TABLE caption_tracks DROP COLUMN webvtt, DROP COLUMN warning, DROP COLUMN replaces_id")
