"""Audit rows are dated by the database and go by age alone, whoever asks and whatever is set

Revision ID: 0008
Revises: 0007

Until now a setting that every role may set let any row be removed. A row that is younger than 365 days is now removed by
nobody, none is ever changed, and the table is never emptied. The time of a row is that of its writing, so that no row is
born old enough to be removed. No table is written anew; the triggers wait for whoever uses the table, for a moment.
"""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

UPGRADE = """
CREATE OR REPLACE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' AND OLD.at < pg_catalog.clock_timestamp() - interval '365 days' THEN
    RETURN OLD;
  END IF;
  RAISE EXCEPTION 'audit rows are never changed or removed' USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE FUNCTION audit_is_dated_by_the_database() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.at := pg_catalog.clock_timestamp();
  RETURN NEW;
END $$;

CREATE TRIGGER audit_is_dated_by_the_database BEFORE INSERT ON audit_log
  FOR EACH ROW EXECUTE FUNCTION audit_is_dated_by_the_database();

CREATE FUNCTION remove_old_audit_rows(most integer, days integer) RETURNS integer
  LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  WITH gone AS (
    DELETE FROM audit_log WHERE id IN (
      SELECT id FROM audit_log WHERE at < clock_timestamp() - make_interval(days => greatest(days, 365))
       ORDER BY at LIMIT most)
    RETURNING 1)
  SELECT count(*)::integer FROM gone
$$;
REVOKE ALL ON FUNCTION remove_old_audit_rows(integer, integer) FROM PUBLIC;
"""

DOWNGRADE = """
DROP FUNCTION remove_old_audit_rows(integer, integer);
DROP FUNCTION audit_is_dated_by_the_database() CASCADE;
CREATE OR REPLACE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP <> 'UPDATE' AND current_setting('lessonadmin.retention', true) = 'on' THEN
    RETURN OLD;
  END IF;
  RAISE EXCEPTION 'audit rows are never changed or removed' USING ERRCODE = 'insufficient_privilege';
END $$;
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute(DOWNGRADE)
