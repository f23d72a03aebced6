"""What happened: webhook events, calls to Mux, the audit trail, and notices to people."""

import uuid

from sqlalchemy import Boolean, ForeignKey, Index, Integer, Text, text, true
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from lessonadmin.db import Base
from lessonadmin.domain.models.columns import Born, Key, Moment, one_of

OUTCOMES = ("applied", "no_change", "ignored", "unmatched", "failed")
ACTOR_TYPES = ("user", "webhook", "job", "cli")
NOTICE_KINDS = (
    "lesson_published",
    "video_ready",
    "video_failed",
    "needs_attention",
    "video_deleted",
    "alarm",
    "account",
)


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
    received_at: Mapped[Born]
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
        Index("ix_mux_events_type", "type", "id"),
        Index("ix_mux_events_outcome", "outcome", "id"),
        Index("ix_mux_events_object_id", "object_id"),
        Index("ix_mux_events_upload_id", "upload_id", postgresql_where=text("upload_id IS NOT NULL")),
        Index("ix_mux_events_asset_id", "asset_id", postgresql_where=text("asset_id IS NOT NULL")),
        Index("ix_mux_events_target_id", "target_id", "received_at"),
        Index("ix_mux_events_due", "next_attempt_at", postgresql_where=text("next_attempt_at IS NOT NULL")),
    )


class MuxCall(Base):
    """A call to Mux that was about one lesson or course, for its timeline. Never a body, never a URL."""

    __tablename__ = "mux_calls"

    id: Mapped[Key]
    at: Mapped[Born]
    operation: Mapped[str] = mapped_column(Text)
    outcome: Mapped[str] = mapped_column(Text)
    detail: Mapped[str] = mapped_column(Text, server_default="")
    target_type: Mapped[str] = mapped_column(Text)
    target_id: Mapped[uuid.UUID]

    __table_args__ = (
        Index("ix_mux_calls_target_id", "target_id", "at"),
        Index("ix_mux_calls_at", "at"),
    )


class AuditLog(Base):
    """Append-only: a trigger dates every row, refuses every change, and every removal of a row younger than a year."""

    __tablename__ = "audit_log"

    id: Mapped[Key]
    at: Mapped[Born]
    actor_type: Mapped[str] = mapped_column(Text)
    actor_id: Mapped[uuid.UUID | None]
    action: Mapped[str] = mapped_column(Text)
    target_type: Mapped[str] = mapped_column(Text)
    target_id: Mapped[uuid.UUID | None]
    detail: Mapped[dict[str, object]] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))

    __table_args__ = (
        one_of("actor_type", ACTOR_TYPES),
        Index("ix_audit_log_at", "at", "id"),
        Index("ix_audit_log_target_id", "target_id", "at"),
        Index("ix_audit_log_actor_id", "actor_id", "at"),
        Index("ix_audit_log_action", "action", "at"),
        Index("ix_audit_log_actor_type", "actor_type", "id"),
    )


class Notification(Base):
    """At most one of a kind for an upload; the mail columns say whether it also left by mail."""

    __tablename__ = "notifications"

    id: Mapped[Key]
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(Text)
    lesson_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("lessons.id", ondelete="SET NULL"))
    course_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("courses.id", ondelete="SET NULL"))
    tracking_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("mux_asset_tracking.id", ondelete="SET NULL")
    )
    message: Mapped[str] = mapped_column(Text)
    cause: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[Born]
    read_at: Mapped[Moment | None]
    mail_wanted: Mapped[bool] = mapped_column(Boolean, server_default=true(), default=True)
    mailed_at: Mapped[Moment | None]
    mail_attempts: Mapped[int] = mapped_column(Integer, server_default="0", default=0)
    mail_due_at: Mapped[Born]
    mail_error: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (
        one_of("kind", NOTICE_KINDS),
        Index("uq_notifications_tracking_id_kind", "tracking_id", "kind", unique=True),
        Index("ix_notifications_user_id", "user_id", "id"),
        Index("ix_notifications_unread", "user_id", postgresql_where=text("read_at IS NULL")),
        Index("ix_notifications_lesson_id", "lesson_id"),
        Index("ix_notifications_course_id", "course_id"),
        Index("ix_notifications_created_at", "created_at"),
        Index(
            "ix_notifications_mail_due",
            "mail_due_at",
            postgresql_where=text("mail_wanted AND mailed_at IS NULL"),
        ),
    )
