"""Captions that are asked for or removed afterwards: rows that say which call to Mux is to be made, and who has read captions

Revision ID: 0035
Revises: 0034

The table has a row for each text track at Mux. The check is validated and the indexes are made without locking out readers or writers.
Interrupted anywhere, it is run again. On the way back, what Mux was not yet asked for is forgotten.
"""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

COLUMNS = """
ALTER TABLE caption_tracks
  ALTER COLUMN mux_track_id DROP NOT NULL,
  ADD COLUMN IF NOT EXISTS due_at timestamptz,
  ADD COLUMN IF NOT EXISTS attempts integer NOT NULL DEFAULT 0,
  ADD COLUMN IF NOT EXISTS checked_at timestamptz,
  ADD COLUMN IF NOT EXISTS checked_by uuid
"""
KEY = "FOREIGN KEY (checked_by) REFERENCES users (id) ON DELETE SET NULL"
BEFORE = ("preparing", "ready", "failed", "skipped", "deleted")
AFTER = ("asked", *BEFORE, "deleting")
INDEXES = {"ix_caption_tracks_due": "due_at", "ix_caption_tracks_checked_by": "checked_by"}


def _check(states: tuple[str, ...]) -> None:
    words = ", ".join(f"'{state}'" for state in states)
    op.execute("ALTER TABLE caption_tracks DROP CONSTRAINT IF EXISTS ck_caption_tracks_state_known")
    op.execute(
        f"ALTER TABLE caption_tracks ADD CONSTRAINT ck_caption_tracks_state_known CHECK (state IN ({words})) NOT VALID"
    )


def upgrade() -> None:
    op.execute(COLUMNS)
    _check(AFTER)
    op.execute("ALTER TABLE caption_tracks DROP CONSTRAINT IF EXISTS fk_caption_tracks_checked_by")
    op.execute(f"ALTER TABLE caption_tracks ADD CONSTRAINT fk_caption_tracks_checked_by {KEY} NOT VALID")
    with op.get_context().autocommit_block():
        for name in ("ck_caption_tracks_state_known", "fk_caption_tracks_checked_by"):
            op.execute(f"ALTER TABLE caption_tracks VALIDATE CONSTRAINT {name}")
        for name, column in INDEXES.items():
            # one that an earlier try left half made answers nothing
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            op.create_index(
                name,
                "caption_tracks",
                [column],
                postgresql_where=sa.text(f"{column} IS NOT NULL"),
                postgresql_concurrently=True,
            )


def downgrade() -> None:
    op.execute("DELETE FROM caption_tracks WHERE mux_track_id IS NULL")
    op.execute("UPDATE caption_tracks SET state = 'ready' WHERE state = 'deleting'")
    op.execute("UPDATE caption_tracks SET state = 'preparing' WHERE state = 'asked'")
    _check(BEFORE)
    op.execute("ALTER TABLE caption_tracks VALIDATE CONSTRAINT ck_caption_tracks_state_known")
    op.execute(
        "ALTER TABLE caption_tracks ALTER COLUMN mux_track_id SET NOT NULL, DROP COLUMN due_at, DROP COLUMN attempts,"
        " DROP COLUMN checked_at, DROP COLUMN checked_by"
    )
