"""What is said in the videos of lessons

Revision ID: 0039
Revises: 0038

A table is added, and a column of `caption_tracks` says whether its text is there. No row is written: the sweep fetches the text of the
captions that are there already, a few at a time. Interrupted anywhere, it is run again.
"""

from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

TABLE = """CREATE TABLE IF NOT EXISTS transcripts (
    track_id uuid NOT NULL CONSTRAINT pk_transcripts PRIMARY KEY
      CONSTRAINT fk_transcripts_track_id_caption_tracks REFERENCES caption_tracks (id) ON DELETE CASCADE,
    lesson_id uuid NOT NULL CONSTRAINT fk_transcripts_lesson_id_lessons REFERENCES lessons (id) ON DELETE CASCADE,
    mux_asset_id text NOT NULL,
    is_own boolean NOT NULL,
    language text,
    lines jsonb NOT NULL,
    words text NOT NULL,
    search tsvector GENERATED ALWAYS AS (to_tsvector('simple', words)) STORED NOT NULL,
    created_at timestamptz DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT ck_transcripts_lines_bounded CHECK (jsonb_array_length(lines) BETWEEN 1 AND 2000),
    CONSTRAINT ck_transcripts_words_bounded CHECK (length(words) <= 60000))"""
# Functions name the schema of what they call: a restore of a dump has no search path.
FUNCTIONS = """
CREATE OR REPLACE FUNCTION remove_transcript_of_captions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM public.transcripts WHERE track_id = NEW.id;
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION remove_transcripts_of_upload() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM public.transcripts WHERE track_id IN (SELECT id FROM public.caption_tracks WHERE tracking_id = NEW.id);
  RETURN NULL;
END $$;
"""
TRIGGERS = (
    (
        "transcript_goes_with_captions AFTER UPDATE OF state ON caption_tracks"
        " FOR EACH ROW WHEN (NEW.state IN ('deleting', 'deleted')) EXECUTE FUNCTION remove_transcript_of_captions()"
    ),
    (
        "transcripts_go_with_upload AFTER UPDATE OF status ON mux_asset_tracking"
        " FOR EACH ROW WHEN (NEW.status = 'deleted') EXECUTE FUNCTION remove_transcripts_of_upload()"
    ),
)


def upgrade() -> None:
    op.execute("ALTER TABLE caption_tracks ADD COLUMN IF NOT EXISTS transcribed_at timestamptz")
    op.execute(TABLE)
    op.execute("CREATE INDEX IF NOT EXISTS ix_transcripts_lesson_id ON transcripts (lesson_id)")
    op.execute("CREATE INDEX IF NOT EXISTS ix_transcripts_search ON transcripts USING gin (search)")
    op.execute(FUNCTIONS)
    with op.get_context().autocommit_block():
        for trigger in TRIGGERS:
            op.execute(f"CREATE OR REPLACE TRIGGER {trigger}")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_caption_tracks_untranscribed")
        op.execute(
            "CREATE INDEX CONCURRENTLY ix_caption_tracks_untranscribed ON caption_tracks (due_at)"
            " WHERE state = 'ready' AND transcribed_at IS NULL"
        )


def downgrade() -> None:
    op.execute("DROP TRIGGER transcripts_go_with_upload ON mux_asset_tracking")
    op.execute("DROP TRIGGER transcript_goes_with_captions ON caption_tracks")
    op.execute("DROP FUNCTION remove_transcripts_of_upload()")
    op.execute("DROP FUNCTION remove_transcript_of_captions()")
    op.execute("DROP TABLE transcripts")
    op.execute("ALTER TABLE caption_tracks DROP COLUMN transcribed_at")
