"""Indexes by which sales of an instructor and of the school are added up

Revision ID: 0034
Revises: 0033

Made without locking out readers or writers. Interrupted anywhere, it is run again.
"""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

SALE = "revoked_at IS NULL AND given_by IS NULL AND price_cents > 0"
INDEXES = {
    "ix_purchases_sales_of_owner": ["owner_id", "created_at"],
    "ix_purchases_sales": ["created_at"],
}


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for name, columns in INDEXES.items():
            # one that an earlier try left half made answers nothing
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            op.create_index(
                name,
                "purchases",
                columns,
                postgresql_include=["lesson_id", "price_cents"],
                postgresql_where=sa.text(SALE),
                postgresql_concurrently=True,
            )


def downgrade() -> None:
    for name in INDEXES:
        op.execute(f"DROP INDEX {name}")
