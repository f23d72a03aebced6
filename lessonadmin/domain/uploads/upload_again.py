"""Staff ask an instructor to upload a video again: a notice with its mail about the upload that came to nothing.

Once for an upload; once more only if staff say so, and then the one notice is new and unread again. Every time leaves an
audit row. The upload itself is left as it is: the next one takes its place.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, select

from lessonadmin.database import row_access
from lessonadmin.db import Actor, db, transaction
from lessonadmin.domain import permissions
from lessonadmin.domain.audit import audit_log
from lessonadmin.domain.errors import Conflict, Forbidden
from lessonadmin.domain.models import Course, Lesson, Notification, Owner, Tracking, User
from lessonadmin.domain.videos import locking, transitions, wording
from lessonadmin.domain.videos.locking import LockedVideo

KIND = "upload_again"
# States of the upload in question in which another one helps.
CURED_BY_AN_UPLOAD = ("uploading", "error", "cancelled", "deleted")


@dataclass(frozen=True)
class Asked:
    """Who was asked to upload again, and when."""

    name: str
    at: datetime


def asked(owner: Owner, upload: Tracking | None) -> Asked | None:
    """Whether the instructor was asked because of this upload (or, without one, because of this lesson)."""
    wanted = (
        select(Notification.created_at, User.name, User.email)
        .join(User, User.id == Notification.user_id)
        .where(_about(owner, upload))
        .order_by(Notification.created_at.desc())
        .limit(1)
    )
    with row_access.everything():
        found = db.session.execute(wanted).first()
    return Asked(found.name or found.email, found.created_at) if found is not None else None


def _about(owner: Owner, upload: Tracking | None) -> ColumnElement[bool]:
    if upload is not None:
        return and_(Notification.tracking_id == upload.id, Notification.kind == KIND)
    column = Notification.lesson_id if isinstance(owner, Lesson) else Notification.course_id
    return and_(column == owner.id, Notification.tracking_id.is_(None), Notification.kind == KIND)


def ask(owner: Owner, *, again: bool, actor: Actor) -> Asked | None:
    """Ask now. None if that was done already and not wanted again; raises Conflict where an upload would cure nothing."""
    with transaction(actor):
        by = permissions.acting_user()
        if by is not None and not by.is_staff:
            raise Forbidden("forbidden", "Only staff ask for another upload.")
        video = locking.lock_video_of(owner)
        transitions.ensure_tracked(video)
        upload = video.in_question
        if upload is not None and upload.status not in CURED_BY_AN_UPLOAD:
            raise Conflict("not_needed", "Its video needs no other upload any more.")
        before = asked(video.owner, upload)
        if before is not None and not again:
            return None
        _ask(video, upload, repeated=before is not None)
        db.session.flush()
    return asked(owner, upload)


def _ask(video: LockedVideo, upload: Tracking | None, *, repeated: bool) -> None:
    owner = video.owner
    if repeated:
        db.session.execute(delete(Notification).where(_about(owner, upload)))
    audit_log.record(
        "video.upload_again_asked",
        owner,
        upload_id=upload.upload_id if upload is not None else None,
        repeated=repeated or None,
    )
    audit_log.notify(KIND, owner, _message(owner, upload), tracking=upload)


def _message(owner: Lesson | Course, upload: Tracking | None) -> str:
    why = wording.why_again(upload.status, upload.error_type) if upload is not None else ""
    said = f"Support asks you to upload the video of “{owner.title}” again."
    return f"{said} {why} Open the {owner.kind} and choose the file once more.".replace("  ", " ")
