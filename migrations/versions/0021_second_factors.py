"""Second factors: authenticator apps, recovery codes, sign-ins that wait for their second step

Revision ID: 0021
Revises: 0020

New, empty tables, and columns of sessions with defaults that rewrite no row: nothing waits for it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

NOW = sa.text("clock_timestamp()")


def id_column() -> sa.Column[object]:
    return sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False)


def moment(name: str, *, now: bool = False) -> sa.Column[object]:
    kind = sa.DateTime(timezone=True)
    return (
        sa.Column(name, kind, server_default=NOW, nullable=False)
        if now
        else sa.Column(name, kind, nullable=True)
    )


def of_user(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=f"fk_{table}_user_id", ondelete="CASCADE")


def upgrade() -> None:
    op.create_table(
        "authenticator_apps",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("sealed_secret", sa.Text(), nullable=False),
        sa.Column("last_step", sa.BigInteger(), server_default="0", nullable=False),
        moment("created_at", now=True),
        moment("confirmed_at"),
        moment("last_used_at"),
        of_user("authenticator_apps"),
        sa.PrimaryKeyConstraint("user_id", name="pk_authenticator_apps"),
    )
    op.create_table(
        "recovery_codes",
        id_column(),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("code_hash", sa.Text(), nullable=False),
        moment("created_at", now=True),
        moment("used_at"),
        of_user("recovery_codes"),
        sa.PrimaryKeyConstraint("id", name="pk_recovery_codes"),
        sa.UniqueConstraint("user_id", "code_hash", name="uq_recovery_codes_code"),
    )
    op.create_table(
        "pending_sign_ins",
        id_column(),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("secret_hash", sa.Text(), nullable=False),
        sa.Column("way", sa.Text(), nullable=False),
        sa.Column("account_state", sa.Text(), nullable=False),
        sa.Column("answers", sa.Integer(), server_default="0", nullable=False),
        moment("created_at", now=True),
        of_user("pending_sign_ins"),
        sa.PrimaryKeyConstraint("id", name="pk_pending_sign_ins"),
        sa.UniqueConstraint("secret_hash", name="uq_pending_sign_ins_secret_hash"),
    )
    op.create_index("ix_pending_sign_ins_user_id", "pending_sign_ins", ["user_id"])
    op.create_index("ix_pending_sign_ins_created_at", "pending_sign_ins", ["created_at"])
    op.add_column("user_sessions", sa.Column("way", sa.Text(), server_default="password", nullable=False))
    op.add_column(
        "user_sessions", sa.Column("second_factor", sa.Boolean(), server_default=sa.false(), nullable=False)
    )
    op.add_column("user_sessions", moment("proved_at"))
    op.create_check_constraint(
        op.f("ck_user_sessions_way_known"),
        "user_sessions",
        "way IN ('password', 'passkey', 'single_sign_on')",
    )


def downgrade() -> None:
    op.drop_constraint(op.f("ck_user_sessions_way_known"), "user_sessions", type_="check")
    for column in ("proved_at", "second_factor", "way"):
        op.drop_column("user_sessions", column)
    for table in ("pending_sign_ins", "recovery_codes", "authenticator_apps"):
        op.drop_table(table)
