"""Addresses that show one lesson to people who have no account, for a day."""

import uuid

from sqlalchemy import ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from lessonadmin.db import Base
from lessonadmin.domain.models.columns import CreatedNow, Key, Moment


class PreviewLink(Base):
    """An address that shows a lesson as its buyers see it, also while it is a draft. Of its secret only the hash is stored.

    It goes with its lesson, and with the account of the instructor or member of staff who made it.
    """

    __tablename__ = "preview_links"

    id: Mapped[Key]
    lesson_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("lessons.id", ondelete="CASCADE"))
    made_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    secret_hash: Mapped[str] = mapped_column(Text, unique=True)
    created_at: Mapped[CreatedNow]
    expires_at: Mapped[Moment]
    ended_at: Mapped[Moment | None]

    __table_args__ = (
        Index("ix_preview_links_lesson_id", "lesson_id", "id"),
        Index("ix_preview_links_made_by", "made_by"),
        Index("ix_preview_links_created_at", "created_at"),
    )
