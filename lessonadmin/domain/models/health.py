"""Whether the system is healthy: heartbeats, the shared budget of calls to Mux, alarms, and counts of hours and minutes."""

import uuid
from datetime import datetime

from sqlalchemy import BigInteger, DateTime, Float, ForeignKey, Index, Integer, Text, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from lessonadmin.db import Base
from lessonadmin.domain.models.columns import CreatedNow, Key, Moment


class Heartbeat(Base):
    """Who was seen alive, and when. Names are `clock` and `worker:HOST:PID`."""

    __tablename__ = "heartbeats"

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    at: Mapped[CreatedNow]
    detail: Mapped[dict[str, object]] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))


class MuxBudget(Base):
    """A token bucket that all workers share, so that the low-priority token never runs dry."""

    __tablename__ = "mux_budget"

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    tokens: Mapped[float] = mapped_column(Float)
    filled_at: Mapped[CreatedNow]
    paused_until: Mapped[Moment | None]
    failures: Mapped[int] = mapped_column(Integer, server_default="0", default=0)


class Alarm(Base):
    """A condition that staff must know of, from its first sighting to its end."""

    __tablename__ = "alarms"

    id: Mapped[Key]
    kind: Mapped[str] = mapped_column(Text)
    message: Mapped[str] = mapped_column(Text)
    started_at: Mapped[CreatedNow]
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

    Nothing that a stranger types becomes a key, so a stranger cannot fill this table.
    """

    __tablename__ = "security_counts"

    minute: Mapped[datetime] = mapped_column(DateTime(timezone=True), primary_key=True)
    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    who: Mapped[str] = mapped_column(Text, primary_key=True, server_default="")
    count: Mapped[int] = mapped_column(BigInteger)


class Throttle(Base):
    """How often an action was taken since `started_at`: the limit outlives an emptied Redis."""

    __tablename__ = "throttles"

    key: Mapped[str] = mapped_column(Text, primary_key=True)
    started_at: Mapped[CreatedNow]
    count: Mapped[int] = mapped_column(Integer, server_default="1")


class ErrorReference(Base):
    """An error that a person or a program was shown, by the reference on its page; never with what was sent or said."""

    __tablename__ = "error_references"

    id: Mapped[Key]
    reference: Mapped[str] = mapped_column(Text)
    at: Mapped[CreatedNow]
    route: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    user_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), index=True)

    __table_args__ = (
        Index("ix_error_references_reference", "reference"),
        Index("ix_error_references_at", "at"),
    )
