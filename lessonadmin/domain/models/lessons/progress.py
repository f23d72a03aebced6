"""How far a user has watched a lesson."""

import uuid

from sqlalchemy import CheckConstraint, Float, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from lessonadmin.db import Base
from lessonadmin.domain.models.columns import Moment


class LessonProgress(Base):
    """Where a user is in the video of a lesson, and since when it is done. It goes with the lesson and with the account.

    `duration` is the length of the video that `seconds` is about; 0: none was watched.
    """

    __tablename__ = "lesson_progress"

    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    lesson_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("lessons.id", ondelete="CASCADE"), primary_key=True
    )
    seconds: Mapped[float] = mapped_column(Float)
    duration: Mapped[float] = mapped_column(Float)
    done_at: Mapped[Moment | None]
    updated_at: Mapped[Moment]

    __table_args__ = (
        CheckConstraint("seconds BETWEEN 0 AND duration", name="seconds_inside"),
        Index("ix_lesson_progress_lesson_id_user_id", "lesson_id", "user_id"),
        Index(
            "ix_lesson_progress_unfinished", "user_id", "updated_at", postgresql_where=text("done_at IS NULL")
        ),
    )
