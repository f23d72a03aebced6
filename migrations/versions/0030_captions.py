"""Captions: the text tracks of each upload's asset, and how they stand in one word beside the upload

Revision ID: 0030
Revises: 0029

A new, empty table, and columns that are empty. The check is validated without locking out readers or writers. Interrupted
anywhere, it is run again.
"""

from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

TABLE = """
CREATE TABLE IF NOT EXISTS caption_tracks (
  id uuid DEFAULT gen_random_uuid() NOT NULL,
  tracking_id uuid NOT NULL,
  mux_track_id text NOT NULL,
  source text NOT NULL,
  state text NOT NULL,
  language text,
  label text,
  error text,
  created_at timestamptz DEFAULT clock_timestamp() NOT NULL,
  updated_at timestamptz DEFAULT clock_timestamp() NOT NULL,
  CONSTRAINT pk_caption_tracks PRIMARY KEY (id),
  CONSTRAINT fk_caption_tracks_tracking_id FOREIGN KEY (tracking_id) REFERENCES mux_asset_tracking (id) ON DELETE CASCADE,
  CONSTRAINT ck_caption_tracks_state_known CHECK (state IN ('preparing', 'ready', 'failed', 'skipped', 'deleted')),
  CONSTRAINT ck_caption_tracks_source_known CHECK (source IN ('generated', 'own'))
);
CREATE UNIQUE INDEX IF NOT EXISTS uq_caption_tracks_track ON caption_tracks (tracking_id, mux_track_id);
"""
KNOWN = "captions IN ('none', 'preparing', 'ready', 'failed', 'skipped')"


def upgrade() -> None:
    op.execute(TABLE)
    op.execute(
        "ALTER TABLE mux_asset_tracking ADD COLUMN IF NOT EXISTS captions text, ADD COLUMN IF NOT EXISTS captions_language text"
    )
    op.execute(
        "ALTER TABLE mux_asset_tracking DROP CONSTRAINT IF EXISTS ck_mux_asset_tracking_captions_known"
    )
    op.execute(
        f"ALTER TABLE mux_asset_tracking ADD CONSTRAINT ck_mux_asset_tracking_captions_known CHECK ({KNOWN}) NOT VALID"
    )
    with op.get_context().autocommit_block():
        op.execute("ALTER TABLE mux_asset_tracking VALIDATE CONSTRAINT ck_mux_asset_tracking_captions_known")


def downgrade() -> None:
    op.execute("ALTER TABLE mux_asset_tracking DROP COLUMN captions, DROP COLUMN captions_language")
    op.execute("DROP TABLE caption_tracks")
