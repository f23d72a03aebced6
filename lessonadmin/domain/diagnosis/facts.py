"""Everything the local database says about the video of one lesson or course, gathered for its diagnosis in a few queries."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, func, literal, select, union_all

from lessonadmin.db import db
from lessonadmin.domain.captions import learning
from lessonadmin.domain.diagnosis.mux_comparison import Look
from lessonadmin.domain.models import AssetDeletion, MuxCall, MuxEvent, Owner, Tracking, User, owners
from lessonadmin.domain.models.lessons import OPEN_STATUSES
from lessonadmin.domain.uploads import upload_again
from lessonadmin.domain.uploads.upload_again import Asked
from lessonadmin.domain.videos import conditions, outbox
from lessonadmin.domain.videos.locking import LockedVideo
from lessonadmin.domain.videos.observations import upload_observation
from lessonadmin.domain.videos.state_machine import State, VideoEvent, is_withdrawn, state_of
from lessonadmin.text.durations import in_words

MAX_EVENTS = 20
JUST_NOW = 5.0
UNKNOWN = "A user whose account is deleted"


@dataclass(frozen=True)
class Withdrawn:
    """An upload whose starter had lost the right to it, and who that was."""

    upload: Tracking
    began: str

    @property
    def is_held(self) -> bool:
        return state_of(self.upload.status, self.upload.error_type) is State.HELD

    @property
    def since(self) -> str:
        return (
            f"{self.upload.withdrawn_at:%-d %B %Y}"
            if self.upload.withdrawn_at is not None
            else "a day unknown"
        )


@dataclass(frozen=True)
class VideoFacts:
    """What is known. Times are by the database's clock."""

    owner: Owner
    shown: Tracking | None  # what people see
    coming: Tracking | None
    watched: Tracking | None  # what Mux is asked about
    deletion: AssetDeletion | None
    waiting_events: tuple[uuid.UUID, ...]
    heard: bool  # a message of Mux about the file of `watched` has come
    now: datetime
    look: Look | None
    withdrawn: tuple["Withdrawn", ...] = ()
    not_begun: "NotBegun | None" = None
    asked: Asked | None = None  # to upload again
    instructor: str = "The instructor"
    captions_error: str = ""  # Mux's words, where it made none

    @property
    def status(self) -> str:
        return self.owner.video_processing_status

    @property
    def moving(self) -> bool:
        """What Mux is asked about is on its way, alone or beside a video that plays."""
        return self.watched_status in OPEN_STATUSES

    @property
    def is_replacement(self) -> bool:
        """A new video is on its way beside the one that plays: that is what Mux is asked about."""
        return self.coming is not None and self.coming is not self.shown

    @property
    def watched_status(self) -> str:
        """The local status of what Mux is asked about."""
        return self.coming.status if self.coming is not None and self.is_replacement else self.status

    @property
    def noun(self) -> str:
        return "new video" if self.is_replacement else "video"

    @property
    def temporary(self) -> bool:
        return self.owner.has_temporary_id

    @property
    def stuck(self) -> bool:
        """As lists and sweep say it, also of a new video beside one that plays."""
        uploads = [self.watched] if self.watched is not None else []
        return conditions.is_stuck(self.owner, uploads, self.now)

    @property
    def expired(self) -> bool:
        return (
            self.watched is not None
            and self.watched.expires_at is not None
            and self.watched.expires_at < self.now
        )

    @property
    def answer(self) -> "Answer | None":
        """What Mux said when it was last asked."""
        if self.look is not None and self.look.upload is not None:
            return Answer(upload_observation(self.look.upload, found_by="manual", seen=True).video_event, 0.0)
        upload = self.watched
        if upload is None or upload.last_answer is None or upload.last_answer_at is None:
            return None
        return Answer(VideoEvent(upload.last_answer), (self.now - upload.last_answer_at).total_seconds())

    @property
    def no_file_at_mux(self) -> "Answer | None":
        """Mux's answer that it waits for the file, given since the browser said that everything is sent, if it did."""
        answer, upload = self.answer, self.watched
        if answer is None or upload is None or answer.said is not VideoEvent.UPLOAD_WAITING:
            return None
        sent = upload.bytes_in_at
        return answer if sent is None or answer.seconds < (self.now - sent).total_seconds() else None

    @property
    def age(self) -> str:
        return _since(self.now, self.watched.created_at if self.watched is not None else None)

    @property
    def since_bytes(self) -> str:
        return _since(self.now, self.watched.bytes_in_at if self.watched is not None else None)

    @property
    def progress(self) -> int | None:
        asset = self.look.asset if self.look is not None else None
        if asset is not None and asset.progress is not None:
            return asset.progress
        return self.watched.progress if self.watched is not None else None

    @property
    def in_grace(self) -> bool:
        return self.deletion is not None and self.deletion.due_at > self.now

    @property
    def last_look_error(self) -> tuple[str, str] | None:
        """Category and words of the last failed look, while no later one went well."""
        return self.watched.last_look_failure if self.watched is not None else None


@dataclass(frozen=True)
class Answer:
    """What Mux said about an upload when it was asked, and how many seconds ago."""

    said: VideoEvent
    seconds: float

    @property
    def asked(self) -> str:
        """`Asked 1 minute ago.`"""
        return "Asked just now." if self.seconds < JUST_NOW else f"Asked {in_words(self.seconds)} ago."


@dataclass(frozen=True)
class NotBegun:
    """The newest upload, for which Mux gave no address; `category` is how the call ended, if that is still known."""

    upload: Tracking
    category: str | None


def _since(now: datetime, moment: datetime | None) -> str:
    return in_words((now - moment).total_seconds()) if moment is not None else "some time"


def read_facts(owner: Owner, look: Look | None, uploads: "Uploads | None" = None) -> VideoFacts:
    """Read what is known now. `uploads`: if they are at hand already."""
    kind = owner.kind
    found = uploads or uploads_of(owner)
    video = LockedVideo(owner, list(found.all))
    deletion = db.session.scalar(
        select(AssetDeletion)
        .where(outbox.open_deletions_of(kind, owner.id))
        .order_by(AssetDeletion.requested_at.desc())
        .limit(1)
        .execution_options(populate_existing=True)
    )
    waiting, heard = _events(owner, video)
    plays = owner.video_processing_status == "ready" and video.in_question is video.playing
    instructor = db.session.get(User, owner.owner_id)
    return VideoFacts(
        owner,
        video.shown,
        video.on_its_way,
        video.watched,
        deletion,
        waiting,
        heard,
        found.now,
        look,
        _withdrawn(found),
        _not_begun(owner, video),
        None if plays else upload_again.asked(owner, video.in_question),
        (instructor.name or instructor.email) if instructor is not None else "The instructor",
        _captions_error(video.playing),
    )


def _captions_error(upload: Tracking | None) -> str:
    if upload is None or upload.captions != "failed":
        return ""
    failed = (one.error for one in learning.of_upload(upload) if one.state == "failed" and one.error)
    return next(failed, learning.NEVER_MADE)


def _not_begun(owner: Owner, video: LockedVideo) -> NotBegun | None:
    upload = video.not_begun
    if upload is None:
        return None
    category = db.session.scalar(
        select(MuxCall.outcome)
        .where(MuxCall.target_id == owner.id, MuxCall.operation == "create_upload")
        .order_by(MuxCall.at.desc())
        .limit(1)
    )
    return NotBegun(upload, category)


def _withdrawn(found: "Uploads") -> tuple[Withdrawn, ...]:
    return tuple(
        Withdrawn(upload, starter or UNKNOWN)
        for upload, starter in zip(found.all, found.starters, strict=True)
        if is_withdrawn(upload.status, upload.error_type)
    )


@dataclass(frozen=True)
class Uploads:
    """Every upload of a lesson or course, oldest first, the address of who started each, and when they were read, by the
    database's clock."""

    all: tuple[Tracking, ...]
    starters: tuple[str | None, ...]
    now: datetime


def uploads_of(owner: Owner) -> Uploads:
    """With the clock in one statement, also where there are none."""
    column = owners.COLUMNS[owner.kind]
    clock = select(func.clock_timestamp().label("now")).subquery()
    rows = db.session.execute(
        select(Tracking, User.email, clock.c.now)
        .select_from(clock)
        .outerjoin(Tracking, column == owner.id)
        .outerjoin(User, User.id == Tracking.started_by)
        .order_by(Tracking.created_at, Tracking.id)
        .execution_options(populate_existing=True)
    ).all()
    found = [row for row in rows if row[0] is not None]
    return Uploads(tuple(row[0] for row in found), tuple(row[1] for row in found), rows[0][2])


def _events(owner: Owner, video: LockedVideo) -> tuple[tuple[uuid.UUID, ...], bool]:
    """Events about it that are parked or could not be applied; and whether any came about the file that Mux is asked about.
    One statement for both."""
    waiting = (
        select(literal("waiting"), MuxEvent.id, MuxEvent.received_at)
        .where(
            conditions.events_about(owner.id, video.current), MuxEvent.outcome.in_(("failed", "unmatched"))
        )
        .order_by(MuxEvent.received_at)
        .limit(MAX_EVENTS)
    )
    parts = [waiting] if video.watched is None else [waiting, _heard(owner, video.watched)]
    rows = db.session.execute(union_all(*parts)).all()
    ids = [(at, key) for found, key, at in rows if found == "waiting"]
    return tuple(key for _, key in sorted(ids)), len(ids) < len(rows)


def _heard(owner: Owner, upload: Tracking) -> Select[str, uuid.UUID, datetime]:
    return (
        select(literal("heard"), MuxEvent.id, MuxEvent.received_at)
        .where(
            conditions.events_about(owner.id, [upload]),
            MuxEvent.received_at >= upload.created_at,
            MuxEvent.type != "video.upload.created",  # it comes before the file
        )
        .limit(1)
    )
