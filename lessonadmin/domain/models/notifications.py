"""Notices to users, in the app and by mail."""

import uuid

from sqlalchemy import (
    Boolean,
    ForeignKey,
    Index,
    Integer,
    Text,
    false,
    text,
    true,
)
from sqlalchemy.orm import Mapped, mapped_column

from lessonadmin.db import Base
from lessonadmin.domain.models.columns import CreatedNow, Key, Moment, one_of

NOTICE_KINDS = (
    "lesson_published",
    "video_ready",
    "video_failed",
    "needs_attention",
    "video_deleted",
    "alarm",
    "account",
    "upload_again",
    "lesson_given",
    "lesson_revoked",
    "publication_time",
    "lesson_new_video",
    "lesson_withdrawn",
    "course_new_lesson",
)
# Of these students may turn each off.
MAY_BE_MUTED = ("lesson_new_video", "lesson_withdrawn", "course_new_lesson")
# What students are told: of a lesson that is another person's.
TO_STUDENTS = ("lesson_given", "lesson_revoked", *MAY_BE_MUTED)


# How long an announcement may stand still before its job counts as lost.
SILENT_SECONDS = 10


class Announcement(Base):
    """What happened that students are to be told of, until the last of them was."""

    __tablename__ = "announcements"

    id: Mapped[Key]
    kind: Mapped[str] = mapped_column(Text)
    # without a reference: a lesson that is deleted meanwhile waits for no batch
    lesson_id: Mapped[uuid.UUID]
    course_id: Mapped[uuid.UUID | None]
    # as in the notices that are made of it
    gathered_as: Mapped[str] = mapped_column(Text)
    several: Mapped[bool] = mapped_column(Boolean, server_default=false(), default=False)
    # the key of the account up to which all were told
    told_up_to: Mapped[uuid.UUID | None]
    attempts: Mapped[int] = mapped_column(Integer, server_default="0", default=0)
    due_at: Mapped[CreatedNow]
    created_at: Mapped[CreatedNow]

    __table_args__ = (
        one_of("kind", MAY_BE_MUTED),
        Index("ix_announcements_gathered_as", "kind", "gathered_as", "id"),
    )


class Notification(Base):
    """At most one of a kind for an upload, and for what it is gathered as; the mail columns say whether it also left by mail."""

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
    created_at: Mapped[CreatedNow]
    read_at: Mapped[Moment | None]
    mail_wanted: Mapped[bool] = mapped_column(Boolean, server_default=true(), default=True)
    mailed_at: Mapped[Moment | None]
    mail_attempts: Mapped[int] = mapped_column(Integer, server_default="0", default=0)
    mail_due_at: Mapped[CreatedNow]
    mail_error: Mapped[str | None] = mapped_column(Text)
    # where the mail goes if not to the account's address; emptied when it has left
    mail_to: Mapped[str | None] = mapped_column(Text)
    # the lesson or course and the day: a later one of these takes the place of this one
    gathered_as: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (
        one_of("kind", NOTICE_KINDS),
        Index("uq_notifications_tracking_id_kind", "tracking_id", "kind", unique=True),
        Index(
            "uq_notifications_gathered_as",
            *("user_id", "kind", "gathered_as"),
            unique=True,
            postgresql_where=text("gathered_as IS NOT NULL"),
        ),
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
