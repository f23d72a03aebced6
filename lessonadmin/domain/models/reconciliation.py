"""A comparison of everything at Mux with the local rows: its runs and the differences that each found."""

import uuid

from sqlalchemy import (
    ForeignKey,
    Index,
    Integer,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from lessonadmin.db import Base
from lessonadmin.domain.models.columns import CreatedNow, Key, Moment, one_of

DIFFERENCE_KINDS = ("orphan", "missing", "duplicate", "wrong_policy", "stale", "unknown_upload")


class ReconcileRun(Base):
    """One reconciliation; one that was killed has no `finished_at`."""

    __tablename__ = "reconcile_runs"

    id: Mapped[Key]
    started_at: Mapped[CreatedNow]
    finished_at: Mapped[Moment | None]
    started_by: Mapped[str] = mapped_column(Text, server_default="")
    pages: Mapped[int] = mapped_column(Integer, server_default="0", default=0)
    assets: Mapped[int] = mapped_column(Integer, server_default="0", default=0)
    uploads: Mapped[int] = mapped_column(Integer, server_default="0", default=0)
    summary: Mapped[dict[str, object]] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))
    error: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (Index("ix_reconcile_runs_started_at", "started_at"),)


class Difference(Base):
    """One difference that a reconciliation found between the database and Mux."""

    __tablename__ = "reconcile_findings"

    id: Mapped[Key]
    run_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("reconcile_runs.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(Text)
    mux_id: Mapped[str] = mapped_column(Text)
    target_type: Mapped[str | None] = mapped_column(Text)
    target_id: Mapped[uuid.UUID | None]
    remark: Mapped[str] = mapped_column(Text, server_default="", default="")
    mended_at: Mapped[Moment | None]

    __table_args__ = (
        one_of("kind", DIFFERENCE_KINDS),
        Index("ix_reconcile_findings_run_id", "run_id", "kind", "id"),
        Index(
            "ix_reconcile_findings_missing",
            "target_id",
            postgresql_where=text("kind = 'missing' AND mended_at IS NULL"),
        ),
    )
