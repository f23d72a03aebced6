"""What is said in the video of a lesson."""

import uuid

from sqlalchemy import Boolean, CheckConstraint, Computed, ForeignKey, Index, Text
from sqlalchemy.dialects.postgresql import JSONB, TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from lessonadmin.db import Base
from lessonadmin.domain.models.columns import CreatedNow


class Transcript(Base):
    """The words of one track of captions, for reading and for searches. It is shown while its asset is the one that the lesson plays, and
    goes with its track or its upload."""

    __tablename__ = "transcripts"

    track_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("caption_tracks.id", ondelete="CASCADE"), primary_key=True
    )
    lesson_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("lessons.id", ondelete="CASCADE"))
    mux_asset_id: Mapped[str] = mapped_column(Text)
    is_own: Mapped[bool] = mapped_column(Boolean)  # a person wrote it
    language: Mapped[str | None] = mapped_column(Text)
    # pairs of the moment in milliseconds and what is said from there on
    lines: Mapped[list[list[int | str]]] = mapped_column(JSONB)
    words: Mapped[str] = mapped_column(Text, deferred=True)  # each once, as many as an index bears
    search: Mapped[str] = mapped_column(
        TSVECTOR, Computed("to_tsvector('simple', words)", persisted=True), deferred=True
    )
    created_at: Mapped[CreatedNow]

    __table_args__ = (
        CheckConstraint("jsonb_array_length(lines) BETWEEN 1 AND 2000", name="lines_bounded"),
        CheckConstraint("length(words) <= 60000", name="words_bounded"),
        Index("ix_transcripts_lesson_id", "lesson_id"),
        Index("ix_transcripts_search", "search", postgresql_using="gin"),
    )
