"""An index for what is missing at Mux; none for a mark that no list is read by any more

Revision ID: 0016
Revises: 0015

Built and dropped without a long lock. An upgrade that was broken off is begun again.
"""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_reconcile_findings_missing")
        op.execute(
            "CREATE INDEX CONCURRENTLY ix_reconcile_findings_missing ON reconcile_findings (target_id)"
            " WHERE kind = 'missing' AND mended_at IS NULL"
        )
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_lessons_needs_attention")


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_lessons_needs_attention")
        op.execute(
            "CREATE INDEX CONCURRENTLY ix_lessons_needs_attention ON lessons (needs_attention_at, id)"
            " WHERE needs_attention_at IS NOT NULL"
        )
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_reconcile_findings_missing")
