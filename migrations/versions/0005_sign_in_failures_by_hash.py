"""Of a wrong sign-in only a keyed hash of the address that was typed, and an index of the passwords that are hashed the old way

Revision ID: 0005
Revises: 0004

What was typed in the last two days is removed: some of it was passwords. Whoever had used up some of their ten tries has
ten again. A web process of the older program cannot sign anybody in from here on until it is started anew.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_users_old_hash", "users", ["id"], postgresql_where=sa.text("password_hash LIKE 'scrypt:%'")
    )
    op.execute("DELETE FROM sign_in_failures")
    op.alter_column("sign_in_failures", "email", new_column_name="email_hash")
    op.execute("ALTER INDEX ix_sign_in_failures_email RENAME TO ix_sign_in_failures_email_hash")


def downgrade() -> None:
    op.execute("ALTER INDEX ix_sign_in_failures_email_hash RENAME TO ix_sign_in_failures_email")
    op.execute("DELETE FROM sign_in_failures")
    op.alter_column("sign_in_failures", "email_hash", new_column_name="email")
    op.drop_index("ix_users_old_hash", table_name="users")
