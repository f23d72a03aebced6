"""Sums of what was watched, kept by span and lesson and by day

Revision ID: 0046
Revises: 0045

New, empty tables, and triggers on what was watched that wait for its open writers. Until the clock has made the sums, pages add up themselves.
"""

import sqlalchemy as sa
from alembic import op

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None

# Changes are added to the sums in the transaction that makes them. The lock on kept_sums lets many of them work at once, and none beside a
# process that makes sums anew or moves a span: it is taken before any row of a sum, and the statements after it see what that process did.
ADDED_UP = """
CREATE FUNCTION lesson_views_are_added_up() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  came lesson_views[];
  gone lesson_views[];
BEGIN
  IF TG_OP = 'TRUNCATE' THEN
    DELETE FROM kept_sums;
    RETURN NULL;
  END IF;
  IF TG_OP <> 'DELETE' THEN
    SELECT array_agg(ROW(new_rows.*)::lesson_views) INTO came FROM new_rows;
  END IF;
  IF TG_OP <> 'INSERT' THEN
    SELECT array_agg(ROW(old_rows.*)::lesson_views) INTO gone FROM old_rows;
  END IF;
  IF came IS NULL AND gone IS NULL THEN
    RETURN NULL;
  END IF;
  LOCK TABLE kept_sums IN ROW SHARE MODE;
  WITH changed AS (
    SELECT lesson_id, day, seconds::numeric AS seconds, plays, 1 AS views FROM unnest(came)
    UNION ALL SELECT lesson_id, day, -seconds::numeric, -plays, -1 FROM unnest(gone)
  )
  INSERT INTO lesson_sums AS kept (span, lesson_id, seconds, plays, views)
  SELECT kept_sums.span, lesson_id, sum(seconds), sum(plays), sum(views)
    FROM changed JOIN kept_sums ON kept_sums.first_day IS NULL OR changed.day >= kept_sums.first_day
   GROUP BY kept_sums.span, lesson_id HAVING sum(seconds) <> 0 OR sum(plays) <> 0 OR sum(views) <> 0
   ORDER BY lesson_id, kept_sums.span
  ON CONFLICT (lesson_id, span) DO UPDATE SET seconds = kept.seconds + excluded.seconds,
    plays = kept.plays + excluded.plays, views = kept.views + excluded.views;
  WITH changed AS (
    SELECT day, seconds::numeric AS seconds, plays, 1 AS views FROM unnest(came)
    UNION ALL SELECT day, -seconds::numeric, -plays, -1 FROM unnest(gone)
  )
  INSERT INTO day_sums AS kept (day, seconds, plays, views)
  SELECT day, sum(seconds), sum(plays), sum(views) FROM changed
   WHERE EXISTS (SELECT FROM kept_sums WHERE span = 'all')
   GROUP BY day HAVING sum(seconds) <> 0 OR sum(plays) <> 0 OR sum(views) <> 0 ORDER BY day
  ON CONFLICT (day) DO UPDATE SET seconds = kept.seconds + excluded.seconds,
    plays = kept.plays + excluded.plays, views = kept.views + excluded.views;
  IF gone IS NOT NULL THEN
    DELETE FROM lesson_sums WHERE views = 0 AND lesson_id IN (SELECT lesson_id FROM unnest(gone));
    DELETE FROM day_sums WHERE views = 0 AND day IN (SELECT day FROM unnest(gone));
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER lesson_views_that_come AFTER INSERT ON lesson_views
  REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION lesson_views_are_added_up();
CREATE TRIGGER lesson_views_that_change AFTER UPDATE ON lesson_views
  REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION lesson_views_are_added_up();
CREATE TRIGGER lesson_views_that_go AFTER DELETE ON lesson_views
  REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION lesson_views_are_added_up();
CREATE TRIGGER lesson_views_are_emptied AFTER TRUNCATE ON lesson_views
  FOR EACH STATEMENT EXECUTE FUNCTION lesson_views_are_added_up();
"""


def sums() -> list[sa.Column[object]]:
    return [
        sa.Column("seconds", sa.Numeric(), nullable=False),
        sa.Column("plays", sa.BigInteger(), nullable=False),
        sa.Column("views", sa.BigInteger(), nullable=False),
    ]


def upgrade() -> None:
    op.create_table(
        "kept_sums",
        sa.Column("span", sa.Text(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=True),
        sa.CheckConstraint("span IN ('7', '30', '90', 'all')", name=op.f("ck_kept_sums_span_known")),
        sa.CheckConstraint(
            "(span = 'all') = (first_day IS NULL)", name=op.f("ck_kept_sums_all_has_no_first")
        ),
        sa.PrimaryKeyConstraint("span", name="pk_kept_sums"),
    )
    op.create_table(
        "lesson_sums",
        sa.Column("lesson_id", sa.Uuid(), nullable=False),
        sa.Column("span", sa.Text(), nullable=False),
        *sums(),
        sa.PrimaryKeyConstraint("lesson_id", "span", name="pk_lesson_sums"),
    )
    for name, first, second in (("minutes", "seconds", "plays"), ("plays", "plays", "seconds")):
        op.execute(
            f"CREATE INDEX ix_lesson_sums_by_{name} ON lesson_sums (span, {first} DESC, {second} DESC, lesson_id)"
        )
    op.create_table(
        "day_sums",
        sa.Column("day", sa.Date(), nullable=False),
        *sums(),
        sa.PrimaryKeyConstraint("day", name="pk_day_sums"),
    )
    op.execute(ADDED_UP)


def downgrade() -> None:
    op.execute("DROP FUNCTION lesson_views_are_added_up() CASCADE")
    for table in ("day_sums", "lesson_sums", "kept_sums"):
        op.drop_table(table)
