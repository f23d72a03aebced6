"""Whether the system is healthy, and what was counted: heartbeats, the shared budget of calls to Mux, alarms, counts of hours and
minutes, and what was watched of lessons by day.

`owner_id` is who the lesson belongs to; a trigger keeps it true, also when a lesson changes hands.
"""

import uuid
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Date,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    Numeric,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from lessonadmin.db import Base
from lessonadmin.domain.models.columns import CreatedNow, Key, Moment, one_of

Counted = Literal["minutes", "plays"]
COUNTED: tuple[Counted, ...] = ("minutes", "plays")


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


class LessonView(Base):
    """What was watched of one asset of a lesson on one day of UTC. Of a day without a row nothing was watched, if it is counted."""

    __tablename__ = "lesson_views"

    lesson_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("lessons.id", ondelete="CASCADE"), primary_key=True
    )
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    mux_asset_id: Mapped[str] = mapped_column(Text, primary_key=True)
    owner_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))
    seconds: Mapped[float] = mapped_column(Float, server_default="0", default=0.0)
    plays: Mapped[int] = mapped_column(Integer, server_default="0", default=0)

    __table_args__ = (
        CheckConstraint("seconds >= 0 AND plays >= 0", name="amounts"),
        # by them alone the pages of an instructor and of the school are answered
        Index(
            "ix_lesson_views_owner_id",
            "owner_id",
            "day",
            postgresql_include=["lesson_id", "seconds", "plays"],
        ),
        Index("ix_lesson_views_day", "day", postgresql_include=["lesson_id", "seconds", "plays"]),
    )


class KeptSums(Base):
    """A span of which sums are kept, with its first day; over all time it has none. Without a row they are not kept."""

    __tablename__ = "kept_sums"

    span: Mapped[str] = mapped_column(Text, primary_key=True)
    first_day: Mapped[date | None] = mapped_column(Date)

    __table_args__ = (
        one_of("span", ("7", "30", "90", "all")),
        CheckConstraint("(span = 'all') = (first_day IS NULL)", name="all_has_no_first"),
    )


class LessonSum(Base):
    """What was watched of a lesson in a span, and of how many rows of views it is the sum; the database keeps it."""

    __tablename__ = "lesson_sums"

    lesson_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    span: Mapped[str] = mapped_column(Text, primary_key=True)
    seconds: Mapped[Decimal] = mapped_column(Numeric)
    plays: Mapped[int] = mapped_column(BigInteger)
    views: Mapped[int] = mapped_column(BigInteger)

    __table_args__ = (
        Index("ix_lesson_sums_by_minutes", "span", text("seconds DESC"), text("plays DESC"), "lesson_id"),
        Index("ix_lesson_sums_by_plays", "span", text("plays DESC"), text("seconds DESC"), "lesson_id"),
    )


class DaySum(Base):
    """What was watched of all lessons on a day; kept together with the sums over all time."""

    __tablename__ = "day_sums"

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    seconds: Mapped[Decimal] = mapped_column(Numeric)
    plays: Mapped[int] = mapped_column(BigInteger)
    views: Mapped[int] = mapped_column(BigInteger)


class CountedDay(Base):
    """A day whose minutes or plays were asked for: how far, since when they are counted, and why they are not."""

    __tablename__ = "counted_days"

    what: Mapped[Counted] = mapped_column(Text, primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    # while it is asked for
    next_page: Mapped[int | None] = mapped_column(Integer)
    counted_at: Mapped[Moment | None]
    failed_at: Mapped[Moment | None]
    failure: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (
        one_of("what", COUNTED),
        CheckConstraint("next_page > 0", name="next_page_range"),
        CheckConstraint("num_nulls(failed_at, failure) IN (0, 2)", name="failed_whole"),
    )
