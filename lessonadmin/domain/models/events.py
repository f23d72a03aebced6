"""What Mux sent and what it was asked: webhooks that wait to be applied, events, and calls."""

import uuid

from sqlalchemy import (
    Index,
    Integer,
    LargeBinary,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from lessonadmin.db import Base
from lessonadmin.domain.models.columns import CreatedNow, Key, Moment, one_of

OUTCOMES = ("applied", "no_change", "ignored", "unmatched", "failed")


class MuxEvent(Base):
    __tablename__ = "mux_events"

    id: Mapped[Key]
    mux_event_id: Mapped[str] = mapped_column(Text, unique=True)
    type: Mapped[str] = mapped_column(Text)
    object_id: Mapped[str | None] = mapped_column(Text)
    upload_id: Mapped[str | None] = mapped_column(Text)
    asset_id: Mapped[str | None] = mapped_column(Text)
    environment_id: Mapped[str | None] = mapped_column(Text)
    occurred_at: Mapped[Moment | None]
    received_at: Mapped[CreatedNow]
    processed_at: Mapped[Moment | None]
    outcome: Mapped[str | None] = mapped_column(Text)
    attempts: Mapped[int] = mapped_column(Integer, server_default="0", default=0)
    next_attempt_at: Mapped[Moment | None]
    error: Mapped[str | None] = mapped_column(Text)
    secret_hint: Mapped[str | None] = mapped_column(Text)
    target_type: Mapped[str | None] = mapped_column(Text)
    target_id: Mapped[uuid.UUID | None]
    payload: Mapped[dict[str, object]] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))

    __table_args__ = (
        one_of("outcome", OUTCOMES),
        Index("ix_mux_events_received_at", "received_at", "id"),
        Index("ix_mux_events_type", "type", "received_at", "id"),
        # Most events are applied: they are found by their time, and cost no entry here.
        Index(
            "ix_mux_events_outcome",
            "outcome",
            "received_at",
            "id",
            postgresql_include=["type"],
            postgresql_where=text("outcome <> 'applied' OR outcome IS NULL"),
        ),
        Index("ix_mux_events_object_id", "object_id"),
        Index("ix_mux_events_upload_id", "upload_id", postgresql_where=text("upload_id IS NOT NULL")),
        Index("ix_mux_events_asset_id", "asset_id", postgresql_where=text("asset_id IS NOT NULL")),
        Index("ix_mux_events_target_id", "target_id", "received_at"),
        Index("ix_mux_events_due", "next_attempt_at", postgresql_where=text("next_attempt_at IS NOT NULL")),
    )


class WaitingEvent(Base):
    """A webhook as it came, stored and answered, until it is applied: then it is a row of `mux_events` under the same id.

    The body is kept as it is for this moment only; what is kept for good is made safe first.
    """

    __tablename__ = "waiting_events"

    id: Mapped[Key]
    mux_event_id: Mapped[str] = mapped_column(Text, unique=True)
    secret_hint: Mapped[str | None] = mapped_column(Text)
    body: Mapped[bytes] = mapped_column(LargeBinary)
    received_at: Mapped[CreatedNow]
    due_at: Mapped[CreatedNow]


class MuxCall(Base):
    """A call to Mux that was about one lesson or course, for its timeline. Never a body, never a URL."""

    __tablename__ = "mux_calls"

    id: Mapped[Key]
    at: Mapped[CreatedNow]
    operation: Mapped[str] = mapped_column(Text)
    outcome: Mapped[str] = mapped_column(Text)
    detail: Mapped[str] = mapped_column(Text, server_default="")
    target_type: Mapped[str] = mapped_column(Text)
    target_id: Mapped[uuid.UUID]

    __table_args__ = (
        Index("ix_mux_calls_target_id", "target_id", "at"),
        Index("ix_mux_calls_at", "at"),
    )
