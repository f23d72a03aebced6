"""An index of free lessons by title

Revision ID: 0044
Revises: 0043

Free lessons may be few among many, and the catalogue lists them in several orders. Made without locking out readers or writers. Interrupted
anywhere, it is run again.
"""

import sqlalchemy as sa
from alembic import op

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None

FREE = "status = 'published' AND price_cents = 0 AND mux_playback_id IS NOT NULL"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        # one that an earlier try left half made answers nothing
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_lessons_free")
        op.create_index(
            "ix_lessons_free",
            "lessons",
            ["title", "id"],
            postgresql_where=sa.text(FREE),
            postgresql_concurrently=True,
        )


def downgrade() -> None:
    op.execute("DROP INDEX ix_lessons_free")
