"""Purchases that support gave or revoked; a lesson whose purchases are all revoked can be deleted

Revision ID: 0026
Revises: 0025

Columns, constraints and indexes are added, and no row is written; of a lesson and a student only one purchase in force is
left to be unique. Checks are validated and indexes made without locking out readers or writers. Interrupted anywhere, it is run again.

On the way back revoked purchases are removed, since the older program would open their lessons again; their audit rows stay.
"""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

COLUMNS = """
ALTER TABLE purchases
  ADD COLUMN IF NOT EXISTS given_by uuid CONSTRAINT fk_purchases_given_by REFERENCES users (id) ON DELETE RESTRICT,
  ADD COLUMN IF NOT EXISTS give_reason text,
  ADD COLUMN IF NOT EXISTS revoked_at timestamptz,
  ADD COLUMN IF NOT EXISTS revoked_by uuid CONSTRAINT fk_purchases_revoked_by REFERENCES users (id) ON DELETE RESTRICT,
  ADD COLUMN IF NOT EXISTS revoke_reason text,
  ADD COLUMN IF NOT EXISTS lesson_title text,
  ADD COLUMN IF NOT EXISTS restored_at timestamptz,
  ALTER COLUMN lesson_id DROP NOT NULL;
"""
# A purchase whose lesson is deleted stays the sale of the instructor who had that lesson last.
BELONGS = """
CREATE OR REPLACE FUNCTION purchase_belongs_to() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.lesson_id IS NOT NULL THEN
    SELECT creator_id INTO NEW.owner_id FROM lessons WHERE id = NEW.lesson_id;
  ELSIF TG_OP = 'UPDATE' THEN
    NEW.owner_id := OLD.owner_id;
  END IF;
  RETURN NEW;
END $$;
"""
BELONGED = """
CREATE OR REPLACE FUNCTION purchase_belongs_to() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  SELECT creator_id INTO NEW.owner_id FROM lessons WHERE id = NEW.lesson_id;
  RETURN NEW;
END $$;
"""
# The policy that asks for a column which goes. Without its mark the next upgrade puts all policies of lessons in place again.
OPENED = """
DO $$ BEGIN
  IF EXISTS (SELECT FROM pg_policy WHERE polname = 'bought' AND polrelid = 'lessons'::regclass) THEN
    ALTER POLICY bought ON lessons USING (lessons.id IN (SELECT purchases.lesson_id FROM purchases
      WHERE purchases.user_id = (SELECT nullif(current_setting('lessonadmin.user_id', true), '')::uuid)));
    COMMENT ON POLICY service ON lessons IS NULL;
  END IF;
END $$;
"""
CHECKS = {
    "ck_purchases_given_whole": "num_nulls(given_by, give_reason) IN (0, 2)",
    "ck_purchases_given_free": "given_by IS NULL OR price_cents = 0",
    "ck_purchases_revoked_whole": "num_nulls(revoked_at, revoke_reason, lesson_title) IN (0, 3)",
    "ck_purchases_lesson_or_revoked": "lesson_id IS NOT NULL OR revoked_at IS NOT NULL",
}
KIND = "ck_notifications_kind_known"
KINDS = "'lesson_published', 'video_ready', 'video_failed', 'needs_attention', 'video_deleted', 'alarm', 'account', 'upload_again'"
INDEXES: dict[str, tuple[list[str], str | None]] = {
    "uq_purchases_in_force": (["lesson_id", "user_id"], "revoked_at IS NULL"),
    "ix_purchases_lesson_id": (["lesson_id", "id"], None),
    "ix_purchases_given": (["id"], "given_by IS NOT NULL"),
    "ix_purchases_revoked": (["id"], "revoked_at IS NOT NULL"),
}


def check(table: str, name: str, condition: str) -> None:
    """In the place of one of this name; new rows obey at once, those that are there are read afterwards."""
    op.execute(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}")
    op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({condition}) NOT VALID")


def upgrade() -> None:
    op.execute(COLUMNS)
    op.execute(BELONGS)
    for name, condition in CHECKS.items():
        check("purchases", name, condition)
    check("notifications", KIND, f"kind IN ({KINDS}, 'lesson_given', 'lesson_revoked')")
    with op.get_context().autocommit_block():
        for name in CHECKS:
            op.execute(f"ALTER TABLE purchases VALIDATE CONSTRAINT {name}")
        op.execute(f"ALTER TABLE notifications VALIDATE CONSTRAINT {KIND}")
        for name, (columns, condition) in INDEXES.items():
            # one that an earlier try left half made answers nothing
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            op.create_index(
                name,
                "purchases",
                columns,
                unique=name.startswith("uq_"),
                postgresql_where=sa.text(condition) if condition else None,
                postgresql_concurrently=True,
            )
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS uq_purchases_lesson_id_user_id")


def downgrade() -> None:
    op.execute("DELETE FROM purchases WHERE revoked_at IS NOT NULL")
    op.execute("DELETE FROM notifications WHERE kind IN ('lesson_given', 'lesson_revoked')")
    op.create_index("uq_purchases_lesson_id_user_id", "purchases", ["lesson_id", "user_id"], unique=True)
    for name in INDEXES:
        op.execute(f"DROP INDEX {name}")
    op.execute(OPENED)
    op.execute(
        "ALTER TABLE purchases DROP COLUMN given_by, DROP COLUMN give_reason, DROP COLUMN revoked_at,"
        " DROP COLUMN revoked_by, DROP COLUMN revoke_reason, DROP COLUMN lesson_title, DROP COLUMN restored_at,"
        " ALTER COLUMN lesson_id SET NOT NULL"
    )
    op.execute(BELONGED)
    check("notifications", KIND, f"kind IN ({KINDS})")
    op.execute(f"ALTER TABLE notifications VALIDATE CONSTRAINT {KIND}")
