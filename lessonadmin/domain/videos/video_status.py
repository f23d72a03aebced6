"""How the video of a lesson or course stands, as a person is to see it: for JSON, pages and fragments alike.

Read from the owner's own columns and its uploads, for one or for a whole page of owners with one query. Nothing is
changed or asked here, and who may see the ids is decided by the page that shows them.
"""

import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import func, or_, select
from sqlalchemy.orm import aliased

from lessonadmin.db import db
from lessonadmin.domain.models import AssetDeletion, Lesson, Owner, Tracking
from lessonadmin.domain.models.owners import COLUMNS
from lessonadmin.domain.models.videos import MIGRATED
from lessonadmin.domain.videos import conditions, wording
from lessonadmin.domain.videos.locking import LockedVideo
from lessonadmin.domain.videos.state_machine import NOT_BEGUN

FIRST_POLL_MS = 5000
SLOWEST_POLL_MS = 30_000
POLL_GROWTH = 1.5
# silence of Mux after the browser has sent everything
UNCONFIRMED_AFTER = timedelta(seconds=20)
Late = Literal["", "stuck", "no_file"]
WITH_IDS = ("uploading", "processing", "ready", "error")


@dataclass(frozen=True, kw_only=True)
class Failure:
    """Why it failed: a type for programs, Mux's own words (or local ones), and what to do."""

    type: str
    message: str
    advice: str


@dataclass(frozen=True, kw_only=True)
class Replacement:
    """A new video beside one that plays: on its way, or the latest that failed."""

    status: str
    upload_id: str | None
    progress: int | None
    stuck: bool
    filename: str
    error: Failure | None


@dataclass(frozen=True, kw_only=True)
class LastLook:
    """When Mux was last asked about the upload that is on its way; did it answer? What it said is how the upload stands."""

    at: datetime
    answered: bool


@dataclass(frozen=True, kw_only=True)
class WaitingUpload:
    """The upload that waits for its file, or the rest of it: the browser that began it can go on with it, unless Mux ends it."""

    upload_id: str
    since: datetime
    until: datetime | None


@dataclass(frozen=True, kw_only=True)
class KeptVideo:
    """What the current video replaced, until it is deleted. `is_newer`: the current video was restored, and the one that is kept had replaced it."""

    replaced_at: datetime
    until: datetime
    is_newer: bool


@dataclass(frozen=True, kw_only=True)
class Captions:
    """How the captions stand of what is shown: "none", "preparing", "ready", "failed" or "skipped"; "auto" is a language that
    Mux has not found out yet."""

    status: str = "none"
    language: str | None = None
    tracking_id: uuid.UUID | None = field(
        default=None, compare=False
    )  # of the upload whose captions they are

    @property
    def sentence(self) -> str:
        return wording.captions_sentence(self.status, self.language)


@dataclass(frozen=True, kw_only=True)
class VideoStatus:
    """What plays; else what is coming; else how the last one ended."""

    status: str
    upload_id: str | None
    asset_id: str | None
    playback_id: str | None
    playback_policy: str | None
    progress: int | None
    duration: float | None
    late: Late
    filename: str
    bytes_in: bool
    unconfirmed: bool
    waiting: WaitingUpload | None
    look: LastLook | None
    needs_attention: bool
    can_undo: bool
    temporary: bool
    error: Failure | None
    captions: Captions
    replacement: Replacement | None

    @property
    def stuck(self) -> bool:
        return bool(self.late)

    @property
    def no_file(self) -> bool:
        """It is stuck for want of its file."""
        return self.late == "no_file"

    @property
    def settled(self) -> bool:
        """Nothing is on its way: a page need not ask again."""
        coming = self.replacement.status if self.replacement is not None else "none"
        moving = ("uploading", "processing", "deleting")
        return self.status not in moving and coming not in moving


def of(owner: Owner) -> VideoStatus:
    return of_many([owner])[owner.id]


def of_many(owners: Sequence[Owner]) -> dict[uuid.UUID, VideoStatus]:
    """The same for a page of lessons, or of courses, with one query."""
    uploads: dict[uuid.UUID, list[Tracking]] = defaultdict(list)
    found, now = _uploads(owners)
    for upload in found:
        uploads[upload.target_id].append(upload)
    return {owner.id: _video_status(LockedVideo(owner, uploads[owner.id]), now) for owner in owners}


def _uploads(owners: Sequence[Owner]) -> tuple[list[Tracking], datetime | None]:
    """With the database's time; None if nothing needs it."""
    if not owners:
        return [], None
    column = COLUMNS[owners[0].kind]
    found = db.session.execute(
        select(Tracking, func.clock_timestamp())
        .where(
            column.in_([owner.id for owner in owners]),
            or_(
                Tracking.is_current,
                Tracking.status.in_(("error", "ready", "cancelled")),
                Tracking.error_type.is_not(
                    None
                ),  # what failed beside a video that plays and is deleted by now
            ),
            # never left here: Mux refused to make an upload of it
            or_(Tracking.error_type.is_(None), Tracking.error_type != NOT_BEGUN),
        )
        .order_by(Tracking.created_at, Tracking.id)
        .execution_options(populate_existing=True)
    ).all()
    now = found[0][1] if found else None
    if now is None and any(owner.video_is_open for owner in owners):
        now = db.session.scalar(select(func.clock_timestamp()))
    return [upload for upload, _ in found], now


def _video_status(video: LockedVideo, now: datetime | None) -> VideoStatus:
    owner, upload = video.owner, video.shown
    coming = video.on_its_way
    is_late = late(video, now) if now is not None else ""
    status = owner.video_processing_status
    if status == "none" and coming is not None:
        status = coming.status  # written by another program: the next observation shows it on the owner too
    temporary = status == "ready" and owner.has_temporary_id
    if temporary:
        status = "processing"  # nothing plays until Mux has told the true id
    known = upload is not None and status == upload.status and status in WITH_IDS
    return VideoStatus(
        status=status,
        upload_id=_upload_id(upload) if known else None,
        asset_id=owner.mux_asset_id,
        playback_id=None if temporary else owner.mux_playback_id,
        playback_policy=owner.playback_policy,
        progress=_progress(status, upload if known else None),
        duration=owner.video_duration,
        late=is_late,
        filename=upload.filename if upload is not None and known else "",
        bytes_in=upload is not None and known and upload.bytes_in_at is not None,
        unconfirmed=known and _is_unconfirmed(upload, now),
        waiting=_waiting(coming),
        look=_last_look(coming),
        needs_attention=isinstance(owner, Lesson) and owner.needs_attention_at is not None,
        can_undo=conditions.can_undo(video.uploads),
        temporary=temporary,
        error=failure(owner.video_error_type, owner.video_error_message) if status == "error" else None,
        captions=captions_of(upload),
        replacement=_replacement(video, bool(is_late)) if status == "ready" else None,
    )


def late(video: LockedVideo, now: datetime) -> Late:
    """Is anything of it stuck, and is that for want of a file?"""
    coming = video.on_its_way
    if coming is not None and conditions.has_no_file(coming, now):
        return "no_file"
    return "stuck" if conditions.is_stuck(video.owner, video.uploads, now) else ""


def captions_of(upload: Tracking | None) -> Captions:
    """Those that were asked for with an upload are being made from then on."""
    if upload is None or upload.status in ("error", "cancelled", "deleting", "deleted"):
        return Captions()
    if upload.captions is None and upload.caption_language is not None and upload.is_open:
        return Captions(status="preparing", language=upload.caption_language)
    return Captions(
        status=upload.captions or "none", language=upload.captions_language, tracking_id=upload.id
    )


def _is_unconfirmed(upload: Tracking | None, now: datetime | None) -> bool:
    """The browser has sent everything, and Mux has said nothing for a while."""
    if upload is None or now is None or upload.status != "uploading" or upload.bytes_in_at is None:
        return False
    return now - upload.bytes_in_at >= UNCONFIRMED_AFTER


def _waiting(upload: Tracking | None) -> WaitingUpload | None:
    upload_id = _upload_id(upload)
    if upload is None or upload_id is None or upload.status != "uploading" or upload.bytes_in_at is not None:
        return None
    return WaitingUpload(upload_id=upload_id, since=upload.created_at, until=upload.expires_at)


def _last_look(upload: Tracking | None) -> LastLook | None:
    """None also when Mux was heard of since: its answer is no longer true then."""
    if upload is None or upload.last_look_at is None:
        return None
    if upload.asset_seen_at is not None and upload.asset_seen_at > upload.last_look_at:
        return None
    return LastLook(at=upload.last_look_at, answered=upload.last_look_error is None)


def _upload_id(upload: Tracking | None) -> str | None:
    return upload.upload_id if upload is not None and upload.upload_id != MIGRATED else None


def _progress(status: str, upload: Tracking | None) -> int | None:
    if status == "ready":
        return 100
    return upload.progress if upload is not None and upload.is_open else None


def failure(error_type: str | None, message: str | None) -> Failure:
    """A failure with Mux's own words where there are any, else with local ones."""
    advice = wording.why_failed(error_type, message)
    return Failure(
        type=error_type or "asset_errored", message=(message or "").strip() or advice, advice=advice
    )


def _replacement(video: LockedVideo, stuck: bool) -> Replacement | None:
    upload = video.on_its_way or _failed_beside(video)
    if upload is None:
        return None
    failed = not upload.is_open
    return Replacement(
        status="error" if failed else upload.status,
        upload_id=_upload_id(upload),
        progress=upload.progress if upload.is_open else None,
        stuck=stuck,
        filename=upload.filename,
        error=failure(upload.error_type, upload.error_message) if failed else None,
    )


def _failed_beside(video: LockedVideo) -> Tracking | None:
    """The latest attempt, if it failed while the present video played; its asset is deleted soon, its failure stays."""
    playing, last = video.playing, video.uploads[-1] if video.uploads else None
    if playing is None or last is None or last.error_type is None:
        return None
    return last if last.superseded_by == playing.id else None


def kept_beside(owner: Owner) -> KeptVideo | None:
    """The video that the current one replaced, while it can be restored; None too if its asset is being deleted at Mux."""
    kept, playing = aliased(Tracking), aliased(Tracking)
    column = COLUMNS[owner.kind].key
    found = db.session.execute(
        select(kept.superseded_at, AssetDeletion.due_at, kept.created_at > playing.created_at)
        .join(playing, playing.id == kept.superseded_by)
        .join(AssetDeletion, AssetDeletion.mux_asset_id == kept.mux_asset_id)
        .where(
            getattr(kept, column) == owner.id,
            kept.status == "ready",
            kept.ready_at.is_not(None),
            playing.plays,
            AssetDeletion.done_at.is_(None),
            AssetDeletion.lease_token.is_(None),
        )
        .order_by(kept.created_at.desc())
        .limit(1)
    ).first()
    if found is None or found[0] is None:
        return None
    return KeptVideo(replaced_at=found[0], until=found[1], is_newer=found[2])


def next_poll_ms(attempt: int) -> int:
    """How long to wait before asking the database again: 5 s, growing by half, at most 30 s."""
    steps = min(max(attempt, 0), 60)
    return int(min(FIRST_POLL_MS * POLL_GROWTH**steps, SLOWEST_POLL_MS))


def sentence(video: VideoStatus) -> str:
    """One sentence about the video, for the person who just asked."""
    if video.error is not None:
        return video.error.advice
    coming = video.replacement
    if coming is not None and coming.error is not None:
        return f"The new video failed, the old one still plays. {coming.error.advice}"
    if coming is not None:
        return f"The video is ready. {wording.REPLACEMENT_SENTENCES[coming.status]}"
    if video.temporary:
        return wording.TEMPORARY
    return wording.STATUS_SENTENCES.get(video.status, "")
