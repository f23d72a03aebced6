"""The audit trail: one row for each change. Rows are added, never changed."""

import uuid

from sqlalchemy import (
    Index,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from lessonadmin.db import Base
from lessonadmin.domain.models.columns import CreatedNow, Key, one_of

ACTOR_TYPES = ("user", "webhook", "job", "cli")


class AuditLog(Base):
    """Append-only: a trigger dates every row, refuses every change, and every removal of a row younger than a year."""

    __tablename__ = "audit_log"

    id: Mapped[Key]
    at: Mapped[CreatedNow]
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
