"""Single sign-on: who of the provider has which account here

Revision ID: 0025
Revises: 0024

A new, empty table; and a check of `passkey_challenges`, whose rows live for minutes, is replaced.
"""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

CHECK = "ck_passkey_challenges_purpose_known"


def upgrade() -> None:
    op.create_table(
        "provider_identities",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_provider_identities_user_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_provider_identities"),
        sa.UniqueConstraint("issuer", "subject", name="uq_provider_identities_subject"),
        sa.UniqueConstraint("user_id", "issuer", name="uq_provider_identities_user"),
    )
    op.drop_constraint(op.f(CHECK), "passkey_challenges", type_="check")
    words = "purpose IN ('sign_in', 'second_step', 'add', 'single_sign_on')"
    op.create_check_constraint(op.f(CHECK), "passkey_challenges", words)


def downgrade() -> None:
    op.execute("DELETE FROM passkey_challenges WHERE purpose = 'single_sign_on'")
    op.drop_constraint(op.f(CHECK), "passkey_challenges", type_="check")
    op.create_check_constraint(
        op.f(CHECK), "passkey_challenges", "purpose IN ('sign_in', 'second_step', 'add')"
    )
    op.drop_table("provider_identities")
