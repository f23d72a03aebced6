"""Bulk actions as rows: a batch is one request of a user, its items are what is left to do."""

import uuid

from sqlalchemy import Float, ForeignKey, Index, Integer, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from lessonadmin.db import Base
from lessonadmin.domain.models.columns import CreatedNow, Key, Moment, one_of

BATCH_STATUSES = ("open", "running", "stopped", "done")
ITEM_STATUSES = ("open", "running", "done", "skipped", "failed")


class Batch(Base):
    __tablename__ = "batches"

    id: Mapped[Key]
    action: Mapped[str] = mapped_column(Text)
    target_type: Mapped[str] = mapped_column(Text, server_default="lesson", default="lesson")
    status: Mapped[str] = mapped_column(Text, server_default="open", default="open")
    total: Mapped[int] = mapped_column(Integer, server_default="0", default=0)
    done: Mapped[int] = mapped_column(Integer, server_default="0", default=0)
    failed: Mapped[int] = mapped_column(Integer, server_default="0", default=0)
    skipped: Mapped[int] = mapped_column(Integer, server_default="0", default=0)
    reason: Mapped[str] = mapped_column(Text, server_default="", default="")
    options: Mapped[dict[str, object]] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))
    undoes_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("batches.id", ondelete="SET NULL"))
    created_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[CreatedNow]
    finished_at: Mapped[Moment | None]
    # How long it was really worked on, and up to which moment that is counted while it is being worked on.
    running_seconds: Mapped[float] = mapped_column(Float, server_default="0", default=0.0)
    running_since: Mapped[Moment | None]

    __table_args__ = (
        one_of("status", BATCH_STATUSES),
        Index("ix_batches_created_at", "created_at", "id"),
        Index("ix_batches_open", "id", postgresql_where=text("status IN ('open', 'running')")),
        Index("ix_batches_undoes_id", "undoes_id", postgresql_where=text("undoes_id IS NOT NULL")),
    )


class BatchItem(Base):
    __tablename__ = "batch_items"

    id: Mapped[Key]
    batch_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("batches.id", ondelete="CASCADE"))
    target_id: Mapped[uuid.UUID]
    status: Mapped[str] = mapped_column(Text, server_default="open", default="open")
    error: Mapped[str | None] = mapped_column(Text)
    attempts: Mapped[int] = mapped_column(Integer, server_default="0", default=0)
    due_at: Mapped[CreatedNow]
    lease_token: Mapped[uuid.UUID | None]
    finished_at: Mapped[Moment | None]
    # What the row was before the action, for its undo: see `batches.undo`.
    before: Mapped[dict[str, object] | None] = mapped_column(JSONB(none_as_null=True))

    __table_args__ = (
        one_of("status", ITEM_STATUSES),
        Index("uq_batch_items_batch_id_target_id", "batch_id", "target_id", unique=True),
        Index("ix_batch_items_status", "batch_id", "status", "id"),
        Index("ix_batch_items_due", "due_at", postgresql_where=text("status IN ('open', 'running')")),
    )
