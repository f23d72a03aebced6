"""What was watched of each lesson by day, and which days are counted

Revision ID: 0031
Revises: 0030

New, empty tables; nothing waits for them. A lesson that changes hands takes what was watched of it along.
"""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

HANDS = """
CREATE OR REPLACE FUNCTION lesson_changes_hands() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE mux_asset_tracking SET owner_id = NEW.creator_id WHERE lesson_id = NEW.id;
  UPDATE purchases SET owner_id = NEW.creator_id WHERE lesson_id = NEW.id;
{more}  RETURN NULL;
END $$;
"""
MORE = "  UPDATE lesson_views SET owner_id = NEW.creator_id WHERE lesson_id = NEW.id;\n"
BELONGS = """
CREATE FUNCTION lesson_view_belongs_to() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  SELECT creator_id INTO NEW.owner_id FROM lessons WHERE id = NEW.lesson_id;
  RETURN NEW;
END $$;
CREATE TRIGGER lesson_view_belongs_to BEFORE INSERT OR UPDATE OF lesson_id, owner_id
  ON lesson_views FOR EACH ROW EXECUTE FUNCTION lesson_view_belongs_to();
"""


def moment(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=True)


def upgrade() -> None:
    op.create_table(
        "lesson_views",
        sa.Column("lesson_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("mux_asset_id", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("seconds", sa.Float(), server_default="0", nullable=False),
        sa.Column("plays", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint("seconds >= 0 AND plays >= 0", name=op.f("ck_lesson_views_amounts")),
        sa.ForeignKeyConstraint(
            ["lesson_id"], ["lessons.id"], name="fk_lesson_views_lesson_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["users.id"], name="fk_lesson_views_owner_id", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("lesson_id", "day", "mux_asset_id", name="pk_lesson_views"),
    )
    covered = ["lesson_id", "seconds", "plays"]
    op.create_index(
        "ix_lesson_views_owner_id", "lesson_views", ["owner_id", "day"], postgresql_include=covered
    )
    op.create_index("ix_lesson_views_day", "lesson_views", ["day"], postgresql_include=covered)
    op.create_table(
        "counted_days",
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("next_page", sa.Integer(), nullable=True),
        moment("counted_at"),
        moment("failed_at"),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.CheckConstraint("what IN ('minutes', 'plays')", name=op.f("ck_counted_days_what_known")),
        sa.CheckConstraint("next_page > 0", name=op.f("ck_counted_days_next_page_range")),
        sa.CheckConstraint(
            "num_nulls(failed_at, failure) IN (0, 2)", name=op.f("ck_counted_days_failed_whole")
        ),
        sa.PrimaryKeyConstraint("what", "day", name="pk_counted_days"),
    )
    op.execute(BELONGS)
    op.execute(HANDS.format(more=MORE))


def downgrade() -> None:
    op.execute(HANDS.format(more=""))
    op.drop_table("counted_days")
    op.drop_table("lesson_views")
    op.execute("DROP FUNCTION lesson_view_belongs_to()")
