"""How long a bulk action really ran, and which uploads the clock has handed to the workers

Revision ID: 0002
Revises: 0001

The new columns are empty or a constant, so no table is written anew. Only bulk actions that may still go on are filled:
from the times at which their rows ended, pauses cut to half a minute.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

FILL = """
UPDATE batches SET running_seconds = worked.seconds FROM (
  SELECT batch_id, sum(least(greatest(extract(epoch FROM finished_at - before), 0), 30)) AS seconds FROM (
    SELECT item.batch_id, item.finished_at, coalesce(
      lag(item.finished_at) OVER (PARTITION BY item.batch_id ORDER BY item.finished_at), batch.created_at) AS before
    FROM batch_items item JOIN batches batch ON batch.id = item.batch_id
    WHERE item.finished_at IS NOT NULL AND (batch.status <> 'done' OR batch.failed > 0)
  ) AS ended GROUP BY batch_id
) AS worked WHERE worked.batch_id = batches.id
"""


def upgrade() -> None:
    op.add_column("batches", sa.Column("running_seconds", sa.Float(), server_default="0", nullable=False))
    op.add_column("batches", sa.Column("running_since", sa.DateTime(timezone=True), nullable=True))
    op.execute(FILL)
    # last, since everybody uses this table and waits from here on
    op.add_column(
        "mux_asset_tracking", sa.Column("handed_over_at", sa.DateTime(timezone=True), nullable=True)
    )


def downgrade() -> None:
    op.drop_column("mux_asset_tracking", "handed_over_at")
    op.drop_column("batches", "running_since")
    op.drop_column("batches", "running_seconds")
