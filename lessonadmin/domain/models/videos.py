"""The way of a video: one tracking row an upload, its captions, one deletion row an asset that must go at Mux.

`owner_id` is who the lesson or course belongs to; a trigger keeps it true, also when a lesson changes hands.
"""

import re
import uuid

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ColumnElement,
    Float,
    ForeignKey,
    Index,
    Integer,
    Text,
    and_,
    literal_column,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lessonadmin import config
from lessonadmin.db import Base
from lessonadmin.domain.models.columns import CreatedNow, Key, Moment, Stamped, WithMuxIds, one_of
from lessonadmin.domain.models.lessons import OPEN, OPEN_STATUSES, Course, Kind, Lesson, in_open_state
from lessonadmin.text.temporary_ids import PATTERN, is_temporary

CAPTIONS_STATUSES = ("none", "preparing", "ready", "failed", "skipped")
TRACKING_STATUSES = ("uploading", "processing", "ready", "error", "cancelled", "deleting", "deleted")
TRACK_STATES = ("asked", "preparing", "ready", "failed", "skipped", "deleting", "deleted")
TRACK_SOURCES = ("generated", "own")
CURRENT_AND_OPEN = f"superseded_at IS NULL AND status IN ({OPEN})"
MIGRATED = "migrated"
ANY_POLICY = "any"
CATEGORY = re.compile("[a-z_]+")  # of a failed call, as it stands before its words


class Tracking(WithMuxIds, Stamped, Base):
    __tablename__ = "mux_asset_tracking"

    id: Mapped[Key]
    lesson_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("lessons.id", ondelete="CASCADE"))
    course_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("courses.id", ondelete="CASCADE"))
    owner_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))
    upload_id: Mapped[str | None] = mapped_column(Text)
    temp_asset_id: Mapped[str | None] = mapped_column(Text)
    mux_asset_id: Mapped[str | None] = mapped_column(Text)
    mux_playback_id: Mapped[str | None] = mapped_column(Text)
    playback_policy: Mapped[str | None] = mapped_column(Text)
    asked_policy: Mapped[str | None] = mapped_column("wanted_policy", Text)
    status: Mapped[str] = mapped_column(Text, server_default="uploading", default="uploading")
    error_type: Mapped[str | None] = mapped_column(Text)
    error_message: Mapped[str | None] = mapped_column(Text)

    filename: Mapped[str] = mapped_column(Text, server_default="", default="")
    content_type: Mapped[str] = mapped_column(Text, server_default="", default="")
    size: Mapped[int | None] = mapped_column(BigInteger)
    caption_language: Mapped[str | None] = mapped_column(Text)  # that captions were asked for in
    # How its captions stand, and in which language (`captions.learning` alone writes both); empty: nothing is known of any.
    captions: Mapped[str | None] = mapped_column(Text)
    captions_language: Mapped[str | None] = mapped_column(Text)
    progress: Mapped[int | None] = mapped_column(Integer)
    duration: Mapped[float | None] = mapped_column(Float)

    attempts: Mapped[int] = mapped_column(Integer, server_default="0", default=0)
    last_look_error: Mapped[str | None] = mapped_column(Text)
    last_look_at: Mapped[Moment | None]
    last_answer: Mapped[str | None] = mapped_column(
        Text
    )  # a VideoEvent: what Mux said when it was last asked
    last_answer_at: Mapped[Moment | None]
    next_check_at: Mapped[Moment | None]
    handed_over_at: Mapped[Moment | None]  # to the workers, by the clock; empty again after any event or look
    expires_at: Mapped[Moment | None]
    bytes_in_at: Mapped[Moment | None]
    resumed_at: Mapped[Moment | None]  # when its browser asked last for its URL again, to go on with it
    asset_seen_at: Mapped[Moment | None]
    ready_at: Mapped[Moment | None]
    ready_found_by: Mapped[str | None] = mapped_column(Text)
    attention_at: Mapped[Moment | None]
    started_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    withdrawn_at: Mapped[Moment | None]  # when the user who started it lost the right to it
    # What its lesson was when a person removed this video, for as long as that can be undone: see `videos.restoring`.
    before_removal: Mapped[dict[str, object] | None] = mapped_column(JSONB(none_as_null=True))
    superseded_at: Mapped[Moment | None]
    superseded_by: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("mux_asset_tracking.id", ondelete="SET NULL")
    )

    lesson: Mapped[Lesson | None] = relationship(lazy="raise")
    course: Mapped[Course | None] = relationship(lazy="raise")

    __table_args__ = (
        one_of("status", TRACKING_STATUSES),
        one_of("captions", CAPTIONS_STATUSES),
        CheckConstraint("num_nonnulls(lesson_id, course_id) = 1", name="one_owner"),
        CheckConstraint("progress BETWEEN 0 AND 100", name="progress_range"),
        CheckConstraint("status <> 'ready' OR mux_asset_id IS NOT NULL", name="ready_has_asset"),
        *(
            Index(
                f"uq_mux_asset_tracking_{kind}_{owner}",
                f"{owner}_id",
                unique=True,
                postgresql_where=text(f"superseded_at IS NULL AND status IN ({states})"),
            )
            for owner in ("lesson", "course")
            for kind, states in (("playing", "'ready'"), ("on_its_way", OPEN))
        ),
        Index(
            "uq_mux_asset_tracking_upload_id",
            "upload_id",
            unique=True,
            postgresql_where=text("upload_id <> 'migrated'"),
        ),
        Index("ix_mux_asset_tracking_lesson_id", "lesson_id", "created_at"),
        Index("ix_mux_asset_tracking_course_id", "course_id", "created_at"),
        Index("ix_mux_asset_tracking_owner_id", "owner_id", "created_at"),
        Index("ix_mux_asset_tracking_mux_asset_id", "mux_asset_id"),
        Index("ix_mux_asset_tracking_mux_playback_id", "mux_playback_id"),
        Index("ix_mux_asset_tracking_temp_asset_id", "temp_asset_id"),
        Index("ix_mux_asset_tracking_superseded_by", "superseded_by"),
        Index(
            "ix_mux_asset_tracking_started_by",
            "started_by",
            postgresql_where=text("started_by IS NOT NULL"),
        ),
        Index(
            "ix_mux_asset_tracking_due",
            "next_check_at",
            postgresql_where=text("next_check_at IS NOT NULL"),
        ),
        Index(
            "ix_mux_asset_tracking_open",
            "created_at",
            postgresql_include=["lesson_id", "course_id"],
            postgresql_where=text(CURRENT_AND_OPEN),
        ),
        # Most uploads are ready: they are found by their time, and cost no entry here.
        Index(
            "ix_mux_asset_tracking_status",
            "status",
            "created_at",
            "id",
            postgresql_where=text("status <> 'ready'"),
        ),
        Index("ix_mux_asset_tracking_failed", "updated_at", postgresql_where=text("status = 'error'")),
        Index(
            "ix_mux_asset_tracking_error_type",
            "error_type",
            "created_at",
            "id",
            postgresql_where=text("error_type IS NOT NULL"),
        ),
        Index("ix_mux_asset_tracking_playback_policy", "playback_policy", "created_at", "id"),
        Index("ix_mux_asset_tracking_created_at", "created_at", "id"),
        Index("ix_mux_asset_tracking_updated_at", "updated_at", "id"),
        Index("ix_mux_asset_tracking_ready_at", "ready_at"),
        Index(
            "ix_mux_asset_tracking_temporary_playback",
            "updated_at",
            postgresql_where=text(f"mux_playback_id LIKE {PATTERN}"),
        ),
    )

    @property
    def wanted_policy(self) -> str:
        """The policy that the video must have to be published. Of an old video that was not requested with a policy
        any will do; any other row without one was asked for with what is configured."""
        known = self.asked_policy or self.playback_policy
        old = self.upload_id == MIGRATED or is_temporary(self.mux_playback_id)
        return known or (ANY_POLICY if old else config.current().playback_policy)

    @wanted_policy.setter
    def wanted_policy(self, policy: str | None) -> None:
        self.asked_policy = policy

    @property
    def real_asset_id(self) -> str | None:
        """The asset that Mux has for this upload: uploads of an older program may hold an id that it had made up."""
        return None if self.has_temporary_asset else self.mux_asset_id

    @property
    def last_look_failure(self) -> tuple[str, str] | None:
        """Why the last check with Mux failed: the category of the failed call and its words; an answer that was not
        believed has no category."""
        if not self.last_look_error:
            return None
        category, _, words = self.last_look_error.partition(": ")
        return (category, words) if CATEGORY.fullmatch(category) else ("", self.last_look_error)

    @property
    def last_look_words(self) -> str:
        """The same for people."""
        return self.last_look_failure[1] if self.last_look_failure else ""

    @property
    def target_type(self) -> Kind:
        """Is its owner a lesson or a course?"""
        return "lesson" if self.lesson_id is not None else "course"

    @property
    def target_id(self) -> uuid.UUID:
        """The lesson or the course."""
        found = self.lesson_id or self.course_id
        assert found is not None  # noqa: S101  # the table has a constraint for it # nosec B101
        return found

    @hybrid_property
    def is_open(self) -> bool:
        """It is on its way: its file is awaited, or Mux works on it."""
        return self.status in OPEN_STATUSES

    @is_open.inplace.expression
    @classmethod
    def _is_open(cls) -> ColumnElement[bool]:
        return in_open_state(cls.status)

    @hybrid_property
    def is_current(self) -> bool:
        """No other upload took its place: what Mux says about it reaches its lesson or course."""
        return self.superseded_at is None

    @is_current.inplace.expression
    @classmethod
    def _is_current(cls) -> ColumnElement[bool]:
        return cls.superseded_at.is_(None)

    @property
    def aside(self) -> str:
        """Why it does not count for its lesson or course any more, in one word; empty while it does."""
        if self.superseded_at is None:
            return ""
        kept_back = {"right_lost": "withdrawn", "held": "held"} if self.status == "cancelled" else {}
        return kept_back.get(self.error_type or "", "superseded")

    @hybrid_property
    def plays(self) -> bool:
        """It is the video that people see."""
        return self.superseded_at is None and self.status == "ready"

    @plays.inplace.expression
    @classmethod
    def _plays(cls) -> ColumnElement[bool]:
        return and_(cls.superseded_at.is_(None), cls.status == literal_column("'ready'"))


class CaptionTrack(Stamped, Base):
    """A text track that the asset of an upload has at Mux, is to have (no id of Mux yet), or had: the row stays when its track is
    deleted, so that an event which comes late brings nothing back. `due_at`: a call to Mux is to be made for it, the outbox."""

    __tablename__ = "caption_tracks"

    id: Mapped[Key]
    tracking_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("mux_asset_tracking.id", ondelete="CASCADE"))
    mux_track_id: Mapped[str | None] = mapped_column(Text)
    source: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text)
    language: Mapped[str | None] = mapped_column(Text)
    label: Mapped[str | None] = mapped_column(Text)
    error: Mapped[str | None] = mapped_column(Text)
    due_at: Mapped[Moment | None]
    attempts: Mapped[int] = mapped_column(Integer, server_default="0", default=0)
    checked_at: Mapped[Moment | None]  # by a person who has read them
    checked_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    webvtt: Mapped[str | None] = mapped_column(
        Text, deferred=True
    )  # captions of one's own, which Mux fetches
    warning: Mapped[str | None] = mapped_column(Text)  # what its writer should look at
    transcribed_at: Mapped[Moment | None]  # its text was fetched, or is not to be had
    # the track that this one takes the place of when it is ready
    replaces_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("caption_tracks.id", ondelete="SET NULL")
    )

    __table_args__ = (
        one_of("state", TRACK_STATES),
        one_of("source", TRACK_SOURCES),
        Index("uq_caption_tracks_track", "tracking_id", "mux_track_id", unique=True),
        Index("ix_caption_tracks_due", "due_at", postgresql_where=text("due_at IS NOT NULL")),
        Index(
            "ix_caption_tracks_replaces_id", "replaces_id", postgresql_where=text("replaces_id IS NOT NULL")
        ),
        Index(
            "ix_caption_tracks_untranscribed",
            "due_at",
            postgresql_where=text("state = 'ready' AND transcribed_at IS NULL"),
        ),
        Index("ix_caption_tracks_checked_by", "checked_by", postgresql_where=text("checked_by IS NOT NULL")),
    )


class AssetDeletion(Base):
    """Outbox: an asset that must be deleted at Mux; a job does it and verifies that it is gone."""

    __tablename__ = "asset_deletions"

    id: Mapped[Key]
    mux_asset_id: Mapped[str] = mapped_column(Text, unique=True)
    reason: Mapped[str] = mapped_column(Text, server_default="", default="")
    requested_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    tracking_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("mux_asset_tracking.id", ondelete="SET NULL"), index=True
    )
    target_type: Mapped[str | None] = mapped_column(Text)
    target_id: Mapped[uuid.UUID | None]
    attempts: Mapped[int] = mapped_column(Integer, server_default="0", default=0)
    last_error: Mapped[str | None] = mapped_column(Text)
    requested_at: Mapped[CreatedNow]
    due_at: Mapped[CreatedNow]
    lease_token: Mapped[uuid.UUID | None]
    done_at: Mapped[Moment | None]

    __table_args__ = (
        Index("ix_asset_deletions_due", "due_at", postgresql_where=text("done_at IS NULL")),
        Index("ix_asset_deletions_requested_at", "requested_at", "id"),
        Index("ix_asset_deletions_target_id", "target_id"),
    )


class UploadCancellation(Base):
    """An upload that must be cancelled at Mux. It outlives its lesson, so a late asset of it is still known as unwanted."""

    __tablename__ = "upload_cancellations"

    id: Mapped[Key]
    upload_id: Mapped[str] = mapped_column(Text, unique=True)
    target_type: Mapped[str] = mapped_column(Text)
    target_id: Mapped[uuid.UUID]
    attempts: Mapped[int] = mapped_column(Integer, server_default="0", default=0)
    last_error: Mapped[str | None] = mapped_column(Text)
    requested_at: Mapped[CreatedNow]
    due_at: Mapped[CreatedNow]
    lease_token: Mapped[uuid.UUID | None]
    done_at: Mapped[Moment | None]

    __table_args__ = (
        Index("ix_upload_cancellations_due", "due_at", postgresql_where=text("done_at IS NULL")),
        Index("ix_upload_cancellations_requested_at", "requested_at"),
    )
