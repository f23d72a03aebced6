"""Bearer tokens have an end, a scope, and the address of their last use

Revision ID: 0010
Revises: 0009

Tokens that are there may read and change things as before, and end 90 days after the day of the upgrade. All defaults are
constants at this moment, so the table is not written anew. A token that the older program makes meanwhile gets the same
90 days from PostgreSQL.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

AT_THE_UPGRADE = "(date_trunc('day', now()) + interval '90 days')"
FROM_NOW_ON = "(clock_timestamp() + '90 days'::interval)"


def upgrade() -> None:
    op.add_column("api_tokens", sa.Column("scope", sa.Text(), server_default="write", nullable=False))
    op.add_column("api_tokens", sa.Column("last_used_address", sa.Text(), server_default="", nullable=False))
    op.add_column(
        "api_tokens",
        sa.Column(
            "expires_at", sa.DateTime(timezone=True), server_default=sa.text(AT_THE_UPGRADE), nullable=False
        ),
    )
    op.alter_column("api_tokens", "expires_at", server_default=sa.text(FROM_NOW_ON))
    op.create_check_constraint(op.f("ck_api_tokens_scope_known"), "api_tokens", "scope IN ('read', 'write')")


def downgrade() -> None:
    op.drop_constraint(op.f("ck_api_tokens_scope_known"), "api_tokens", type_="check")
    for column in ("expires_at", "last_used_address", "scope"):
        op.drop_column("api_tokens", column)
