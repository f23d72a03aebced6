"""What the school sells: courses, lessons, purchases, and what staff noted about them.

A lesson and a course both own a video. The columns for it (`VideoOwner`) are a projection of the tracking rows and
are written by `domain.videos.transitions` alone.
"""

import uuid
from typing import Any, ClassVar, Literal

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    ColumnElement,
    Computed,
    Float,
    ForeignKey,
    Index,
    Integer,
    Text,
    and_,
    false,
    literal_column,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import JSONB, TSVECTOR
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, declared_attr, mapped_column, relationship

from lessonadmin.db import Base
from lessonadmin.domain.models.accounts import User
from lessonadmin.domain.models.columns import CreatedNow, Key, Moment, Stamped, WithMuxIds, one_of
from lessonadmin.domain.models.lessons.sections import CourseSection
from lessonadmin.text import temporary_ids

VIDEO_STATUSES = ("none", "uploading", "processing", "ready", "error", "deleting")
Kind = Literal["lesson", "course"]
# An upload in one of these is on its way.
OPEN_STATUSES = ("uploading", "processing")
# As the partial indexes have it: a condition that hands the words over as parameters may miss them.
OPEN = ", ".join(f"'{status}'" for status in OPEN_STATUSES)
LESSON_STATUSES = ("draft", "published")
# Another program wrote it with an id to play by, and did not say that its video plays; as the partial indexes have it.
UNTAKEN_LESSON = "video_processing_status = 'none' AND status = 'published' AND mux_playback_id IS NOT NULL"
UNTAKEN_COURSE = "video_processing_status = 'none' AND mux_preview_playback_id IS NOT NULL"
# The title once more with its signs taken out: PostgreSQL keeps "maths/algebra" as one word, people look for the second.
SEARCHED = "to_tsvector('simple', title || ' ' || description || ' ' || translate(title, '/.:-_@', '      '))"


def in_open_state(column: Any) -> ColumnElement[bool]:
    found: ColumnElement[bool] = column.in_([literal_column(f"'{status}'") for status in OPEN_STATUSES])
    return found


PICTURE_WHOLE = "num_nulls(picture_seconds, picture_asset_id) IN (0, 2) AND (picture_seconds IS NULL OR picture_seconds >= 0)"


class VideoOwner(WithMuxIds):
    """The state of the video that plays, or of the only upload while none plays."""

    kind: ClassVar[Kind]

    video_processing_status: Mapped[str] = mapped_column(Text, server_default="none", default="none")
    playback_policy: Mapped[str | None] = mapped_column(Text)
    video_duration: Mapped[float | None] = mapped_column(Float)
    video_error_type: Mapped[str | None] = mapped_column(Text)
    video_error_message: Mapped[str | None] = mapped_column(Text)
    version: Mapped[int] = mapped_column(Integer, server_default="1", default=1)
    # In the trash since; `in_trash` keeps it out of every result that does not ask for it.
    deleted_at: Mapped[Moment | None]

    @declared_attr
    def deleted_by(self) -> Mapped[uuid.UUID | None]:
        return mapped_column(ForeignKey("users.id", ondelete="SET NULL"))

    # The moment of its picture, and the asset in which that was chosen: of another one it would show anything.
    picture_seconds: Mapped[float | None] = mapped_column(Float)
    picture_asset_id: Mapped[str | None] = mapped_column(Text)

    @property
    def picture_at(self) -> float | None:
        """The moment of the video that plays whose still is its picture; None: Mux chooses."""
        return self.picture_seconds if self.picture_asset_id == self.mux_asset_id else None

    @hybrid_property
    def video_is_open(self) -> bool:
        """None plays, and one is on its way."""
        return self.video_processing_status in OPEN_STATUSES

    @video_is_open.inplace.expression
    @classmethod
    def _video_is_open(cls) -> ColumnElement[bool]:
        return in_open_state(cls.video_processing_status)

    @hybrid_property
    def is_playable(self) -> bool:
        """Published is never said of a lesson without a video that Mux confirmed."""
        confirmed = self.video_processing_status == "ready" and bool(self.mux_playback_id)
        return confirmed and not self.has_temporary_id

    @is_playable.inplace.expression
    @classmethod
    def _is_playable(cls) -> ColumnElement[bool]:
        has_id = and_(cls.mux_playback_id.is_not(None), cls.mux_playback_id != "")
        return and_(cls.video_processing_status == "ready", has_id, ~cls.has_temporary_id)

    @declared_attr
    def search(self) -> Mapped[str]:
        return mapped_column(TSVECTOR, Computed(SEARCHED, persisted=True), deferred=True)


class Course(VideoOwner, Stamped, Base):
    __tablename__ = "courses"
    kind = "course"

    id: Mapped[Key]
    title: Mapped[str] = mapped_column(Text)
    description: Mapped[str] = mapped_column(Text, server_default="", default="")
    instructor_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))
    language: Mapped[str | None] = mapped_column(Text)  # that is spoken in its videos; captions begin with it
    mux_asset_id: Mapped[str | None] = mapped_column("mux_preview_asset_id", Text)
    mux_playback_id: Mapped[str | None] = mapped_column("mux_preview_playback_id", Text)
    # The lesson whose picture was chosen. No foreign key: one that is gone, or in another course by now, chooses nothing.
    cover_lesson_id: Mapped[uuid.UUID | None]

    instructor: Mapped[User] = relationship(lazy="raise", foreign_keys=[instructor_id])

    __table_args__ = (
        one_of("video_processing_status", VIDEO_STATUSES),
        CheckConstraint(PICTURE_WHOLE, name="picture_whole"),
        CheckConstraint("length(title) BETWEEN 1 AND 200", name="title_length"),
        Index("ix_courses_instructor_id", "instructor_id", "id"),
        Index("ix_courses_search", "search", postgresql_using="gin"),
        Index("ix_courses_title", "title", "id"),
        Index("ix_courses_created_at", "created_at", "id"),
        Index("ix_courses_video_processing_status", "video_processing_status", "id"),
        Index("ix_courses_mux_preview_asset_id", "mux_preview_asset_id"),
        Index("ix_courses_mux_preview_playback_id", "mux_preview_playback_id"),
        Index("ix_courses_deleted_at", "deleted_at", postgresql_where=text("deleted_at IS NOT NULL")),
        Index("ix_courses_untaken", "id", postgresql_where=text(UNTAKEN_COURSE)),
        Index(
            "ix_courses_temporary_playback",
            "updated_at",
            postgresql_where=text(f"mux_preview_playback_id LIKE {temporary_ids.PATTERN}"),
        ),
    )

    @property
    def owner_id(self) -> uuid.UUID:
        return self.instructor_id

    def __str__(self) -> str:
        return self.title


class Lesson(VideoOwner, Stamped, Base):
    __tablename__ = "lessons"
    kind = "lesson"

    id: Mapped[Key]
    course_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("courses.id", ondelete="SET NULL"))
    # The course in the trash that it was in, and that it is in again once that is restored.
    trashed_course_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("courses.id", ondelete="SET NULL"))
    creator_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))
    # Of its course: another course's section, which a move outside the product may leave here, counts as none.
    section_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("course_sections.id", ondelete="SET NULL")
    )
    position: Mapped[int] = mapped_column(Integer, server_default="0", default=0)
    title: Mapped[str] = mapped_column(Text)
    description: Mapped[str] = mapped_column(Text, server_default="", default="")
    price_cents: Mapped[int] = mapped_column(Integer, server_default="0", default=0)
    status: Mapped[str] = mapped_column(Text, server_default="draft", default="draft")
    publish_on_ready: Mapped[bool] = mapped_column(Boolean, server_default=true(), default=True)
    published_at: Mapped[Moment | None]
    # kept when it is a draft again: students of its course are told of it once. Of lessons from before revision 0045 its day
    first_published_at: Mapped[Moment | None]
    # Its times, as long as they lie ahead: an intent is not fulfilled before the first, what is published is taken back at the second.
    publish_not_before: Mapped[Moment | None]
    unpublish_at: Mapped[Moment | None]
    # when its instructor was told that its video will hardly be ready in time
    publication_warned_at: Mapped[Moment | None]
    needs_attention_at: Mapped[Moment | None]
    # Begun with a video before its form was complete, and not saved since; untitled: its title is made of the file's name.
    is_unsaved: Mapped[bool] = mapped_column(Boolean, server_default=false(), default=False)
    is_untitled: Mapped[bool] = mapped_column(Boolean, server_default=false(), default=False)
    # Of the request that made it, by the client's own choice: the same request again makes no other lesson.
    client_key: Mapped[uuid.UUID | None]
    # The latest end of its editing holds, so that asking for it costs no query.
    held_until: Mapped[Moment | None]
    # Its publication as it was when it was deleted: see `domain.trash`.
    before_trash: Mapped[dict[str, object] | None] = mapped_column(JSONB(none_as_null=True))
    mux_asset_id: Mapped[str | None] = mapped_column(Text)
    mux_playback_id: Mapped[str | None] = mapped_column(Text)

    course: Mapped[Course | None] = relationship(lazy="raise", foreign_keys=[course_id])
    creator: Mapped[User] = relationship(lazy="raise", foreign_keys=[creator_id])
    section: Mapped[CourseSection | None] = relationship(
        lazy="raise",
        viewonly=True,
        primaryjoin=and_(section_id == CourseSection.id, course_id == CourseSection.course_id),
    )

    __table_args__ = (
        one_of("status", LESSON_STATUSES),
        one_of("video_processing_status", VIDEO_STATUSES),
        CheckConstraint(PICTURE_WHOLE, name="picture_whole"),
        CheckConstraint("length(title) BETWEEN 1 AND 200", name="title_length"),
        CheckConstraint("price_cents BETWEEN 0 AND 99999900", name="price_range"),
        CheckConstraint(
            "deleted_at IS NULL OR status = 'draft' AND NOT publish_on_ready", name="trash_is_draft"
        ),
        CheckConstraint("num_nonnulls(course_id, trashed_course_id) < 2", name="one_course"),
        Index("ix_lessons_deleted_at", "deleted_at", postgresql_where=text("deleted_at IS NOT NULL")),
        Index(
            "ix_lessons_trashed_course_id",
            "trashed_course_id",
            postgresql_where=text("trashed_course_id IS NOT NULL"),
        ),
        Index("ix_lessons_creator_id", "creator_id", "id"),
        Index(
            "uq_lessons_client_key",
            "creator_id",
            "client_key",
            unique=True,
            postgresql_where=text("client_key IS NOT NULL"),
        ),
        Index("ix_lessons_course_id", "course_id", "position", "id"),
        Index("ix_lessons_section_id", "section_id", postgresql_where=text("section_id IS NOT NULL")),
        Index("ix_lessons_status", "status", "id"),
        Index("ix_lessons_video_processing_status", "video_processing_status", "id"),
        Index("ix_lessons_created_at", "created_at", "id"),
        Index("ix_lessons_updated_at", "updated_at", "id"),
        Index("ix_lessons_title", "title", "id"),
        Index("ix_lessons_price_cents", "price_cents", "id"),
        Index(
            "ix_lessons_catalog",
            text("published_at DESC"),
            text("id DESC"),
            postgresql_where=text("status = 'published' AND mux_playback_id IS NOT NULL"),
        ),
        Index(
            "ix_lessons_free",
            "title",
            "id",
            postgresql_where=text("status = 'published' AND price_cents = 0 AND mux_playback_id IS NOT NULL"),
        ),
        Index("ix_lessons_held_until", "held_until", postgresql_where=text("held_until IS NOT NULL")),
        Index(
            "ix_lessons_publish_not_before",
            "publish_not_before",
            postgresql_where=text("publish_not_before IS NOT NULL"),
        ),
        Index("ix_lessons_unpublish_at", "unpublish_at", postgresql_where=text("unpublish_at IS NOT NULL")),
        Index(
            "ix_lessons_open_video",
            "id",
            postgresql_include=["created_at"],
            postgresql_where=text(f"video_processing_status IN ({OPEN})"),
        ),
        Index(
            "ix_lessons_temporary", "id", postgresql_where=text(f"mux_asset_id LIKE {temporary_ids.PATTERN}")
        ),
        Index("ix_lessons_untaken", "id", postgresql_where=text(UNTAKEN_LESSON)),
        Index(
            "ix_lessons_temporary_playback",
            "updated_at",
            postgresql_where=text(f"mux_playback_id LIKE {temporary_ids.PATTERN}"),
        ),
        Index(
            "ix_lessons_video_error_type",
            "video_error_type",
            "id",
            postgresql_where=text("video_error_type IS NOT NULL"),
        ),
        Index("ix_lessons_playback_policy", "playback_policy", "id", postgresql_include=["created_at"]),
        Index("ix_lessons_mux_asset_id", "mux_asset_id"),
        Index("ix_lessons_mux_playback_id", "mux_playback_id"),
        Index("ix_lessons_search", "search", postgresql_using="gin"),
    )

    @property
    def owner_id(self) -> uuid.UUID:
        return self.creator_id

    def __str__(self) -> str:
        return self.title


class EditingHold(Base):
    """An open page with unsaved changes of a lesson: until it expires the lesson is not published without a person's word."""

    __tablename__ = "editing_holds"

    lesson_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("lessons.id", ondelete="CASCADE"), primary_key=True
    )
    page_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    expires_at: Mapped[Moment]


# a purchase in force that a student paid for: by these indexes sales are added up
SALES: dict[str, Any] = {
    "postgresql_include": ["lesson_id", "price_cents"],
    "postgresql_where": text("revoked_at IS NULL AND given_by IS NULL AND price_cents > 0"),
}


class Purchase(Base):
    """What opens a lesson to a student: bought, or given by support. A revoked one opens nothing and stays for the history."""

    __tablename__ = "purchases"

    id: Mapped[Key]
    # none once the lesson is deleted, which only a revoked purchase outlives
    lesson_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("lessons.id", ondelete="RESTRICT"))
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))
    # whose lesson it is: a trigger keeps it true, also when the lesson changes hands
    owner_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))
    price_cents: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[CreatedNow]
    given_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))
    give_reason: Mapped[str | None] = mapped_column(Text)
    revoked_at: Mapped[Moment | None]
    revoked_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))
    revoke_reason: Mapped[str | None] = mapped_column(Text)
    # what the lesson was called when this was revoked
    lesson_title: Mapped[str | None] = mapped_column(Text)
    # in force again since
    restored_at: Mapped[Moment | None]

    lesson: Mapped[Lesson | None] = relationship(lazy="raise")
    user: Mapped[User] = relationship(lazy="raise", foreign_keys=[user_id])

    __table_args__ = (
        CheckConstraint("price_cents >= 0", name="price_range"),
        CheckConstraint("num_nulls(given_by, give_reason) IN (0, 2)", name="given_whole"),
        CheckConstraint("given_by IS NULL OR price_cents = 0", name="given_free"),
        CheckConstraint("num_nulls(revoked_at, revoke_reason, lesson_title) IN (0, 3)", name="revoked_whole"),
        CheckConstraint("lesson_id IS NOT NULL OR revoked_at IS NOT NULL", name="lesson_or_revoked"),
        Index(
            "uq_purchases_in_force",
            "lesson_id",
            "user_id",
            unique=True,
            postgresql_where=text("revoked_at IS NULL"),
        ),
        Index("ix_purchases_lesson_id", "lesson_id", "id"),
        Index("ix_purchases_given", "id", postgresql_where=text("given_by IS NOT NULL")),
        Index("ix_purchases_revoked", "id", postgresql_where=text("revoked_at IS NOT NULL")),
        Index("ix_purchases_user_id", "user_id", "id"),
        Index("ix_purchases_owner_id", "owner_id", "id"),
        Index("ix_purchases_created_at", "created_at", "id"),
        Index("ix_purchases_sales_of_owner", "owner_id", "created_at", **SALES),
        Index("ix_purchases_sales", "created_at", **SALES),
    )

    @hybrid_property
    def is_in_force(self) -> bool:
        """Does it open the lesson? All who ask whether a lesson was bought ask for this, too."""
        return self.revoked_at is None

    @is_in_force.inplace.expression
    @classmethod
    def _is_in_force(cls) -> ColumnElement[bool]:
        return cls.revoked_at.is_(None)

    @property
    def state(self) -> str:
        if self.revoked_at is not None:
            return "revoked"
        return "bought" if self.given_by is None else "given"

    @property
    def title(self) -> str:
        """Of the lesson, also of one that is deleted."""
        found = self.lesson_title if self.lesson_id is None or self.lesson is None else self.lesson.title
        return found or ""


class StaffNote(Base):
    """What support wrote down about a lesson for the next colleague."""

    __tablename__ = "staff_notes"

    id: Mapped[Key]
    lesson_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("lessons.id", ondelete="CASCADE"), index=True)
    author_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    text: Mapped[str] = mapped_column(Text)
    created_at: Mapped[CreatedNow]

    author: Mapped[User | None] = relationship(lazy="raise")


Owner = Lesson | Course
