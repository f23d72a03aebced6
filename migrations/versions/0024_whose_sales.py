"""Purchases name the owner of their lesson, for row-level security

Revision ID: 0024
Revises: 0023

A policy asks for the owner of a row in the row itself: asking the lesson for it costs several times as much. Triggers keep
the column true, also when a lesson changes hands. What is written from then on has it, then the rows that are there
get it; it is required only after that, which is checked without locking out readers or writers. Interrupted anywhere, it is run again.
"""

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

HANDS = """
CREATE OR REPLACE FUNCTION lesson_changes_hands() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE mux_asset_tracking SET owner_id = NEW.creator_id WHERE lesson_id = NEW.id;
{more}  RETURN NULL;
END $$;
"""
MORE = "  UPDATE purchases SET owner_id = NEW.creator_id WHERE lesson_id = NEW.id;\n"

COLUMN = """
ALTER TABLE purchases ADD COLUMN IF NOT EXISTS owner_id uuid
  CONSTRAINT fk_purchases_owner_id REFERENCES users (id) ON DELETE RESTRICT;

CREATE OR REPLACE FUNCTION purchase_belongs_to() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  SELECT creator_id INTO NEW.owner_id FROM lessons WHERE id = NEW.lesson_id;
  RETURN NEW;
END $$;
DROP TRIGGER IF EXISTS purchase_belongs_to ON purchases;
CREATE TRIGGER purchase_belongs_to BEFORE INSERT OR UPDATE OF lesson_id, owner_id
  ON purchases FOR EACH ROW EXECUTE FUNCTION purchase_belongs_to();
"""

# A trigger fills in what is written meanwhile, so these see all the rest; each is a transaction of its own.
FILL = """
UPDATE purchases SET owner_id = lessons.creator_id FROM lessons
 WHERE lessons.id = purchases.lesson_id AND purchases.owner_id IS NULL
"""
REQUIRED = "ALTER TABLE purchases ADD CONSTRAINT owner_is_known CHECK (owner_id IS NOT NULL) NOT VALID"
VALIDATE = "ALTER TABLE purchases VALIDATE CONSTRAINT owner_is_known"
# PostgreSQL takes the checked constraint for a proof, and reads no row
NOT_NULL = "ALTER TABLE purchases ALTER COLUMN owner_id SET NOT NULL, DROP CONSTRAINT owner_is_known"


def upgrade() -> None:
    op.execute(COLUMN)
    op.execute(HANDS.format(more=MORE))
    with op.get_context().autocommit_block():
        op.execute(FILL)
        op.execute("ALTER TABLE purchases DROP CONSTRAINT IF EXISTS owner_is_known")
        op.execute(REQUIRED)
        op.execute(VALIDATE)
        op.execute(NOT_NULL)
        op.create_index(
            "ix_purchases_owner_id",
            "purchases",
            ["owner_id", "id"],
            unique=False,
            postgresql_concurrently=True,
            if_not_exists=True,
        )


def downgrade() -> None:
    # The policies that stand on this column go with it; the next upgrade puts all of them in place again.
    op.execute("DROP POLICY IF EXISTS service ON purchases")
    op.execute("ALTER TABLE purchases DISABLE ROW LEVEL SECURITY")
    op.execute("DROP TRIGGER purchase_belongs_to ON purchases")
    op.execute("DROP FUNCTION purchase_belongs_to()")
    op.execute("DROP INDEX ix_purchases_owner_id")
    op.execute("ALTER TABLE purchases DROP COLUMN owner_id CASCADE")
    op.execute(HANDS.format(more=""))
