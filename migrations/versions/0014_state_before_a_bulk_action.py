"""What each row of a bulk action was before it, so that an undo restores exactly that

Revision ID: 0014
Revises: 0013

Rows from before have none: their bulk actions cannot be undone any more. The index finds the undo of a bulk action; it is
built beside the running product, and nothing waits for it.
"""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

INDEX = "ix_batches_undoes_id"


def upgrade() -> None:
    op.execute("ALTER TABLE batch_items ADD COLUMN IF NOT EXISTS before jsonb")
    with op.get_context().autocommit_block():
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {INDEX}")
        op.execute(f"CREATE INDEX CONCURRENTLY {INDEX} ON batches (undoes_id) WHERE undoes_id IS NOT NULL")


def downgrade() -> None:
    op.execute(f"DROP INDEX IF EXISTS {INDEX}")
    op.drop_column("batch_items", "before")
