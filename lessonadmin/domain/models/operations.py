"""Operations: heartbeats, the shared Mux budget, reconciliation, alarms, rolled-up figures."""

import uuid
from datetime import datetime

from sqlalchemy import BigInteger, DateTime, Float, ForeignKey, Index, Integer, Text, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from lessonadmin.db import Base
from lessonadmin.domain.models.columns import Born, Key, Moment, one_of

DIFFERENCE_KINDS = ("orphan", "missing", "duplicate", "wrong_policy", "stale", "unknown_upload")


class Heartbeat(Base):
    """Who was seen alive, and when. Names are `clock` and `worker:HOST:PID`."""

    __tablename__ = "heartbeats"

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    at: Mapped[Born]
    detail: Mapped[dict[str, object]] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))


class MuxBudget(Base):
    """A token bucket that all workers share, so that the low-priority token never runs dry."""

    __tablename__ = "mux_budget"

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    tokens: Mapped[float] = mapped_column(Float)
    filled_at: Mapped[Born]
    paused_until: Mapped[Moment | None]
    failures: Mapped[int] = mapped_column(Integer, server_default="0", default=0)


class ReconcileRun(Base):
    """One reconciliation; one that was killed has no `finished_at`."""

    __tablename__ = "reconcile_runs"

    id: Mapped[Key]
    started_at: Mapped[Born]
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
    )


class Alarm(Base):
    """A condition that staff must know of, from its first sighting to its end."""

    __tablename__ = "alarms"

    id: Mapped[Key]
    kind: Mapped[str] = mapped_column(Text)
    message: Mapped[str] = mapped_column(Text)
    started_at: Mapped[Born]
    ended_at: Mapped[Moment | None]
    detail: Mapped[dict[str, object]] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))

    __table_args__ = (
        Index("uq_alarms_open", "kind", unique=True, postgresql_where=text("ended_at IS NULL")),
        Index("ix_alarms_started_at", "started_at"),
    )


class Rollup(Base):
    """Figures of one hour, so that charts read a few hundred rows and never scan a million."""

    __tablename__ = "hourly_figures"

    hour: Mapped[datetime] = mapped_column(DateTime(timezone=True), primary_key=True)
    figure: Mapped[str] = mapped_column(Text, primary_key=True)
    label: Mapped[str] = mapped_column(Text, primary_key=True, server_default="")
    value: Mapped[float] = mapped_column(Float, server_default="0")
    count: Mapped[int] = mapped_column(BigInteger, server_default="0")
    updated_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=func.clock_timestamp()
    )


class SecurityCount(Base):
    """How often something of one kind was refused in one minute, to one account where only one is meant.

    Nothing that a stranger types becomes a key, so nobody can fill this table.
    """

    __tablename__ = "security_counts"

    minute: Mapped[datetime] = mapped_column(DateTime(timezone=True), primary_key=True)
    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    who: Mapped[str] = mapped_column(Text, primary_key=True, server_default="")
    count: Mapped[int] = mapped_column(BigInteger)


class Throttle(Base):
    """How often somebody did something since `started_at`: the limit outlives an emptied Redis."""

    __tablename__ = "throttles"

    key: Mapped[str] = mapped_column(Text, primary_key=True)
    started_at: Mapped[Born]
    count: Mapped[int] = mapped_column(Integer, server_default="1")
