"""Sections of a course."""

import uuid

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, Text
from sqlalchemy.orm import Mapped, mapped_column

from lessonadmin.db import Base
from lessonadmin.domain.models.columns import CreatedNow, Key


class CourseSection(Base):
    """A named part of a course, in an order. Its lessons name it, in `lessons.section_id`."""

    __tablename__ = "course_sections"

    id: Mapped[Key]
    course_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("courses.id", ondelete="CASCADE"))
    title: Mapped[str] = mapped_column(Text)
    position: Mapped[int] = mapped_column(Integer, server_default="0", default=0)
    created_at: Mapped[CreatedNow]

    __table_args__ = (
        CheckConstraint("length(title) BETWEEN 1 AND 200", name="title_length"),
        Index("ix_course_sections_course_id", "course_id", "position", "id"),
    )
