"""Where a webhook is stored before it is applied

Revision ID: 0011
Revises: 0010

Events that are stored already stay where they are. The table is nearly always empty and changes all the time, so it is
vacuumed by the number of changes. On the way back each event that waits becomes a row of `mux_events` that is due, which
the program of before applies.
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "waiting_events",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("mux_event_id", sa.Text(), nullable=False),
        sa.Column("secret_hint", sa.Text(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column(
            "received_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column(
            "due_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_waiting_events")),
        sa.UniqueConstraint("mux_event_id", name=op.f("uq_waiting_events_mux_event_id")),
    )
    op.execute(
        "ALTER TABLE waiting_events SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,"
        " autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 5000)"
    )


def downgrade() -> None:
    op.execute("LOCK TABLE waiting_events IN ACCESS EXCLUSIVE MODE")
    op.execute(
        """INSERT INTO mux_events (id, mux_event_id, type, received_at, outcome, attempts, next_attempt_at, error,
             secret_hint, payload)
           SELECT id, mux_event_id, payload ->> 'type', received_at, 'failed', 0, clock_timestamp(),
                  'Stored, and not applied before the program was changed back.', secret_hint, payload
             FROM (SELECT *, convert_from(body, 'UTF8')::jsonb AS payload FROM waiting_events) one
           ON CONFLICT (mux_event_id) DO NOTHING"""
    )
    op.drop_table("waiting_events")
