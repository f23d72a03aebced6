"""Links that prove an address, browsers in which an account signed in, invited and deleted accounts

Revision ID: 0023
Revises: 0022

Two new, empty tables, and columns that are empty in every row: no account becomes invited or deleted by this, and until
a browser signs in again it is a stranger, as all are today. Nothing is written anew.
"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

NOW = sa.text("clock_timestamp()")


def upgrade() -> None:
    op.add_column("users", sa.Column("invited_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("users", sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("notifications", sa.Column("mail_to", sa.Text(), nullable=True))
    op.add_column("sign_in_failures", sa.Column("browser_id", sa.Uuid(), nullable=True))
    op.create_index(
        "ix_sign_in_failures_browser_id",
        "sign_in_failures",
        ["browser_id", "at"],
        postgresql_where=sa.text("browser_id IS NOT NULL"),
    )
    op.create_table(
        "known_browsers",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("secret_hash", sa.Text(), nullable=False),
        sa.Column("user_agent", sa.Text(), server_default="", nullable=False),
        sa.Column("network", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=NOW, nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), server_default=NOW, nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_known_browsers_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_known_browsers")),
    )
    op.create_index("uq_known_browsers_user_id", "known_browsers", ["user_id", "secret_hash"], unique=True)
    op.create_index("ix_known_browsers_last_used_at", "known_browsers", ["last_used_at"])
    _links()


def _links() -> None:
    op.create_table(
        "account_links",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("secret_hash", sa.Text(), nullable=True),
        sa.Column("made_by", sa.Uuid(), nullable=True),
        sa.Column("address", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=NOW, nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("mail_wanted", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("mailed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("mail_attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("mail_due_at", sa.DateTime(timezone=True), server_default=NOW, nullable=False),
        sa.Column("mail_error", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "kind IN ('password_reset', 'invitation', 'new_address')",
            name=op.f("ck_account_links_kind_known"),
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_account_links_user_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["made_by"], ["users.id"], name=op.f("fk_account_links_made_by"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_links")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_account_links_secret_hash")),
    )
    op.create_index("ix_account_links_user_id", "account_links", ["user_id", "kind", "id"])
    op.create_index("ix_account_links_made_by", "account_links", ["made_by"])
    op.create_index("ix_account_links_created_at", "account_links", ["created_at"])
    op.create_index(
        "ix_account_links_mail_due",
        "account_links",
        ["mail_due_at"],
        postgresql_where=sa.text("mail_wanted AND mailed_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_table("account_links")
    op.drop_table("known_browsers")
    op.drop_index("ix_sign_in_failures_browser_id", table_name="sign_in_failures")
    op.drop_column("sign_in_failures", "browser_id")
    op.drop_column("notifications", "mail_to")
    op.drop_column("users", "deleted_at")
    op.drop_column("users", "invited_at")
