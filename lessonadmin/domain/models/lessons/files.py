"""Files that students download with a lesson."""

import uuid

from sqlalchemy import Boolean, CheckConstraint, ForeignKey, Index, Integer, LargeBinary, Text, false, text
from sqlalchemy.orm import Mapped, mapped_column

from lessonadmin.db import Base
from lessonadmin.domain.models.columns import CreatedNow, Key, Moment


class LessonFile(Base):
    """A file of a lesson. Its bytes are in `lesson_file_parts`, or under its id in the file store.

    One whose lesson is gone has none any more, and is removed by the sweep together with its bytes.
    """

    __tablename__ = "lesson_files"

    id: Mapped[Key]
    lesson_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("lessons.id", ondelete="SET NULL"))
    name: Mapped[str] = mapped_column(Text)
    size: Mapped[int] = mapped_column(Integer)
    added_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[CreatedNow]
    finished_at: Mapped[Moment | None]
    removed_at: Mapped[Moment | None]
    in_store: Mapped[bool] = mapped_column(Boolean, server_default=false(), default=False)

    __table_args__ = (
        CheckConstraint("size > 0", name="size_positive"),
        CheckConstraint("NOT in_store OR finished_at IS NOT NULL", name="finished_before_store"),
        Index("ix_lesson_files_lesson_id", "lesson_id", "id"),
        Index("ix_lesson_files_added_by", "added_by"),
        # what the sweep looks for: the others are many and stay as they are
        Index("ix_lesson_files_removed_at", "removed_at", postgresql_where=text("removed_at IS NOT NULL")),
        Index("ix_lesson_files_unfinished", "created_at", postgresql_where=text("finished_at IS NULL")),
        Index("ix_lesson_files_to_store", "finished_at", postgresql_where=text("NOT in_store")),
        Index("ix_lesson_files_without_lesson", "id", postgresql_where=text("lesson_id IS NULL")),
    )


class LessonFilePart(Base):
    """A part of a file, in the order of the numbers; all but the last have the same length."""

    __tablename__ = "lesson_file_parts"

    file_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("lesson_files.id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    data: Mapped[bytes] = mapped_column(LargeBinary)
