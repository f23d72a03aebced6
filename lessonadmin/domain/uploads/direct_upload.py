"""From "I have a file" to an upload URL: starting, hearing that the bytes are in, cancelling, adopting.

A create is never repeated: the row is committed before Mux is asked and stays outside the lesson until Mux has
answered, so a refusal or a crash leaves the lesson as it was. The URL is a secret that only the answer carries.
"""

import logging
import uuid
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select

from lessonadmin import config, mux
from lessonadmin.db import Actor, actor, db, later, transaction, transaction_time
from lessonadmin.domain import permissions
from lessonadmin.domain.accounts import rate_limits
from lessonadmin.domain.audit import audit_log
from lessonadmin.domain.captions import asking
from lessonadmin.domain.errors import Conflict, Missing, Problem, TooLarge, TooMany, Unavailable, WrongType
from lessonadmin.domain.models import Owner, Tracking, User, owners
from lessonadmin.domain.models.videos import MIGRATED
from lessonadmin.domain.polling import ask_mux
from lessonadmin.domain.videos import cleanup, locking, outbox, recheck_schedule, transitions, withdrawal
from lessonadmin.domain.videos.locking import LockedVideo
from lessonadmin.domain.videos.observations import Observation, upload_observation
from lessonadmin.domain.videos.state_machine import VideoEvent, is_withdrawn
from lessonadmin.domain.webhooks import inbox

log = logging.getLogger(__name__)

TYPES_BY_EXTENSION = {
    "mp4": "video/mp4",
    "m4v": "video/mp4",
    "mov": "video/quicktime",
    "qt": "video/quicktime",
    "webm": "video/webm",
    "mkv": "video/x-matroska",
    "mpg": "video/mpeg",
    "mpeg": "video/mpeg",
    "avi": "video/x-msvideo",
}


# In place of a language: that of the course, if it has one.
OF_COURSE = "course"
# A row without an upload id this long after its start was interrupted between the commit and Mux's answer.
NEVER_ISSUED_SECONDS = 300


@dataclass(frozen=True, kw_only=True)
class File:
    """What the browser says about a file: advice, not proof. `caption_language`: in which captions are made; None: none are."""

    name: str
    size: int | None = None
    content_type: str | None = None
    caption_language: str | None = OF_COURSE


@dataclass(frozen=True, repr=False)
class IssuedUpload:
    """An upload URL and what belongs to it."""

    upload_id: str
    upload_url: str
    expires_at: datetime


def check_file(file: File) -> str:
    """Refuse what cannot become a lesson before the first byte; returns the type."""
    settings = config.current()
    ending = file.name.rsplit(".", 1)[-1].lower() if "." in file.name else ""
    stated = (file.content_type or "").split(";")[0].strip().lower()
    kind = (
        stated if stated and stated != "application/octet-stream" else TYPES_BY_EXTENSION.get(ending, stated)
    )
    if kind and kind not in settings.upload_types:
        names = ", ".join(
            sorted({e.upper() for e, t in TYPES_BY_EXTENSION.items() if t in settings.upload_types})
        )
        raise WrongType("unsupported_type", f"This file type cannot be used. Choose one of: {names}.")
    if not kind and ending:
        raise WrongType("unsupported_type", f"A .{ending[:10]} file cannot be used.")
    if file.size is not None and file.size > settings.upload_max_mb * 1024 * 1024:
        raise TooLarge("too_large", f"The file is larger than {settings.upload_max_mb} MB.")
    if file.size == 0:
        raise WrongType("empty_file", "The file is empty. Please choose the video itself.")
    return kind


def start(owner: Owner, file: File, *, actor: Actor) -> IssuedUpload:
    """A new upload. The one before stays in force until Mux has given a URL."""
    content_type = check_file(file)
    if file.caption_language == OF_COURSE:
        file = replace(file, caption_language=asking.language_of(owner))
    with transaction(actor):
        if actor.id is not None:
            rate_limits.ask_for_upload(actor.id)
        tracking_id = _prepare(locking.lock_video_of(owner), file, content_type)
    passthrough = mux.Passthrough(
        **{owners.COLUMNS[owner.kind].key: owner.id},
        tracking_id=tracking_id,
    )
    try:
        mux_upload = mux.create_upload(
            passthrough=passthrough,
            external_id=str(tracking_id),
            policy=config.current().playback_policy,
            caption_language=file.caption_language,
        )
    except mux.MuxError as error:
        with transaction(actor):
            _not_created(tracking_id, error)
        raise _refusal(error) from error
    if not mux_upload.url:
        raise Unavailable("mux_unavailable", "Mux gave no address to upload to. Please try again.")
    with transaction(actor):
        expires_at = _issue(tracking_id, mux_upload, file)
        if expires_at is None:  # deleted or lost meanwhile; the address is given to no client
            outbox.request_cancellation_by_id(mux_upload.id, (owner.kind, owner.id))
    if expires_at is None:
        raise Missing()
    return IssuedUpload(mux_upload.id, mux_upload.url, expires_at)


def _prepare(video: LockedVideo, file: File, content_type: str) -> uuid.UUID:
    transitions.ensure_tracked(video)
    upload = transitions.add_upload(
        video,
        wanted_policy=config.current().playback_policy,
        filename=file.name[:255],
        content_type=content_type,
        size=file.size,
        caption_language=file.caption_language,
        outside=True,  # until Mux has answered
        started_by=_starter(),
        expires_at=later(config.current().upload_timeout_seconds),
        next_check_at=later(NEVER_ISSUED_SECONDS),
    )
    return upload.id


def _starter() -> uuid.UUID | None:
    """The user that the open transaction acts for: with their right to the lesson or course they lose this upload."""
    by = actor()
    return by.id if by.type == "user" else None


def _not_created(tracking_id: uuid.UUID, error: mux.MuxError) -> None:
    found = locking.lock_video_of_upload(tracking_id)
    if found is None:
        return  # its lesson was deleted meanwhile
    video, upload = found
    audit_log.record_mux_call(
        video.owner.kind, video.owner.id, "create_upload", error.category, error.message
    )
    transitions.fail_before_upload(video, upload, message=error.message)


def _refusal(error: mux.MuxError) -> Problem:
    if error.category == "quota":
        return Conflict("quota", error.message)
    if error.kind == "refused" and error.category != "auth_error":
        return Conflict("mux_refused", f"Mux refused the upload: {error.message}")
    return ask_mux.unavailable(error, what="Uploads are")


def _issue(tracking_id: uuid.UUID, mux_upload: mux.Upload, file: File) -> datetime | None:
    """Mux has answered: now the attempt takes its place, before the URL leaves. None if its lesson is gone, or the right
    to it."""
    person = permissions.acting_user()
    found = locking.lock_video_of_upload(tracking_id)
    if found is None:
        return None
    video, upload = found
    if video.in_trash:
        cancelled = Observation(video_event=VideoEvent.CANCEL, upload_id=mux_upload.id)
        transitions.apply(video, upload, cancelled)
        return None
    if is_withdrawn(upload.status, upload.error_type) or not permissions.is_theirs(video.owner):
        withdrawal.withdraw(video, upload, began=person, why="the right was lost", upload_id=mux_upload.id)
        return None
    make_current(video, upload, upload_id=mux_upload.id)
    audit_log.record(
        "video.upload_started", video.owner, upload_id=mux_upload.id, filename=file.name, size=file.size
    )
    audit_log.record_mux_call(video.owner.kind, video.owner.id, "create_upload", "ok", mux_upload.id)
    db.session.flush()
    if upload.expires_at is None:
        raise RuntimeError("an upload without an end was issued")
    return upload.expires_at


def bytes_are_in(owner: Owner, upload_id: str, *, temp_asset_id: str | None, actor: Actor) -> str:
    """The browser says that everything is sent. That is a hint: it shortens the silence, nothing else."""
    if upload_id == MIGRATED:  # stands for many old videos, so it names none
        raise Missing()
    if not _is_known(owner, upload_id):
        _adopt(owner, upload_id, actor=actor)
    with transaction(actor):
        video = locking.lock_video_of(owner)
        upload = next((upload for upload in video.uploads if upload.upload_id == upload_id), None)
        if upload is None:
            raise Missing()
        upload.temp_asset_id = temp_asset_id or upload.temp_asset_id
        if upload.is_open and upload.bytes_in_at is None:
            upload.bytes_in_at = transaction_time()
            recheck_schedule.schedule_next(upload)
        return upload.status


def _is_known(owner: Owner, upload_id: str) -> bool:
    column = owners.COLUMNS[owner.kind]
    found = db.session.scalar(
        select(Tracking.id).where(Tracking.upload_id == upload_id, column == owner.id).limit(1)
    )
    db.session.rollback()
    return found is not None


def _adopt(owner: Owner, upload_id: str, *, actor: Actor) -> None:
    """Take in an upload that was not issued here, if Mux says that it was made for this owner."""
    with transaction(actor):
        rate_limits.other_question(actor)
    try:
        mux_upload = mux.get_upload(upload_id, priority="high")
    except mux.Later as error:
        raise ask_mux.unavailable(error) from error
    except mux.MuxError as error:
        raise Missing() from error
    named = mux_upload.passthrough
    if named is None or owner.id not in (named.lesson_id, named.course_id):
        raise Missing()
    kept_back = withdrawal.is_kept_back(upload_id=mux_upload.id, tracking_id=named.tracking_id)
    db.session.rollback()
    if kept_back:
        raise Missing()
    with transaction(actor):
        video = locking.lock_video_of(owner)
        if any(upload.upload_id == upload_id for upload in video.uploads):
            return
        transitions.ensure_tracked(video)
        _add_adopted(video, mux_upload)


def _add_adopted(video: LockedVideo, mux_upload: mux.Upload) -> None:
    upload = transitions.add_upload(
        video,
        upload_id=mux_upload.id,
        wanted_policy=config.current().playback_policy,
        outside=True,
        started_by=_starter(),
        expires_at=later(mux_upload.timeout or config.current().upload_timeout_seconds),
    )
    make_current(video, upload)
    audit_log.record("video.upload_started", video.owner, upload_id=mux_upload.id, adopted=True)
    transitions.apply(video, upload, upload_observation(mux_upload, found_by="manual", seen=True))
    if upload.is_open:
        recheck_schedule.schedule_now(upload)


def make_current(video: LockedVideo, upload: Tracking, *, upload_id: str | None = None) -> None:
    """This attempt is the one that counts from now on, and events that came too early for it are due."""
    transitions.make_current(video, upload, upload_id=upload_id)
    transitions.project(video)
    if upload.upload_id is not None:
        inbox.release_parked(upload.upload_id)


def cancel(upload_id: str, owner: Owner, *, actor: Actor) -> str:
    """A person gives an upload up: here at once, at Mux right after."""
    with transaction(actor):
        video = locking.lock_video_of(owner)
        upload = next((upload for upload in video.uploads if upload.upload_id == upload_id), None)
        if upload is None:
            raise Missing()
        return _cancel(video, upload)


def cancel_current(owner: Owner, *, actor: Actor) -> bool:
    """A person gives up whatever is on its way to a lesson or course, if anything is; a video that plays stays."""
    with transaction(actor):
        video = locking.lock_video_of(owner)
        upload = video.on_its_way
        if upload is None or upload.upload_id is None:
            return False
        _cancel(video, upload)
        return True


def _cancel(video: LockedVideo, upload: Tracking) -> str:
    outbox.request_cancellation(upload)
    transitions.apply(video, upload, Observation(video_event=VideoEvent.CANCEL))
    return upload.status


def cancel_at_once(upload_id: str, owner: Owner, *, actor: Actor) -> str:
    """A person gives an upload up and Mux is told in the same request; if Mux is away, the outbox tells it later."""
    status = cancel(upload_id, owner, actor=actor)
    cancellation_id = cleanup.open_cancellation_id(upload_id)
    if cancellation_id is None:
        return status
    try:
        with transaction(actor):
            rate_limits.other_question(actor)
        cleanup.finish_cancellation(cancellation_id, actor=actor, priority="high")
    except TooMany:
        log.warning("an upload is cancelled at Mux later: this user has reached the limit of checks")
    except mux.MuxError as error:
        log.warning("an upload is cancelled at Mux later: %s", error.category)
    return status


def owner_to_change(user: User, upload_id: str) -> Owner:
    """The lesson or course whose upload this is; Missing if it is not this user's, or no upload has this id."""
    target = locking.target_of(Tracking.upload_id == upload_id, Tracking.upload_id != MIGRATED)
    kind, owner_id = target or ("lesson", permissions.OF_NO_ROW)
    named = (
        {"lesson_id": owner_id, "course_id": None}
        if kind == "lesson"
        else {"lesson_id": None, "course_id": owner_id}
    )
    return permissions.owner_to_change(user, **named)
