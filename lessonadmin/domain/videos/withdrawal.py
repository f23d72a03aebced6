"""A user who loses the right to a lesson or course loses the uploads that they began for it, in the same transaction.

Each whose file is not at Mux yet is withdrawn: at Mux by a row of `outbox`, here at once, with an audit row. What Mux
has already goes on. What arrives nevertheless is held. An upload that another user began stays, and a right
that comes back revives nothing.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, exists, func, or_, select, update

from lessonadmin.database import row_access
from lessonadmin.db import actor, db, later, transaction_time
from lessonadmin.domain import permissions
from lessonadmin.domain.audit import audit_log
from lessonadmin.domain.errors import Conflict
from lessonadmin.domain.models import Kind, Tracking, User, owners
from lessonadmin.domain.models.accounts import ROLES, STAFF
from lessonadmin.domain.videos import locking, outbox, transitions
from lessonadmin.domain.videos.locking import LockedVideo
from lessonadmin.domain.videos.observations import Observation
from lessonadmin.domain.videos.state_machine import KEPT_BACK, VideoEvent, is_withdrawn

TIMED_OUT = "upload_timed_out"
# Lessonadmin gives an upload up a little before Mux does; a day after that nothing comes of it any more.
MARGIN_SECONDS = 86_400


def _awaited() -> ColumnElement[bool]:
    """Its file is not at Mux as far as is known, and may still come. One that has no upload id yet is being issued."""
    counts = or_(Tracking.is_current, Tracking.upload_id.is_(None))
    ran_out = and_(
        Tracking.status == "error",
        Tracking.error_type == TIMED_OUT,
        Tracking.expires_at > later(-MARGIN_SECONDS),
    )
    return and_(Tracking.mux_asset_id.is_(None), counts, or_(Tracking.status == "uploading", ran_out))


def _is_awaited(upload: Tracking) -> bool:
    """The same under the lock."""
    counts = upload.is_current or upload.upload_id is None
    waits = upload.status == "uploading" or (upload.status == "error" and upload.error_type == TIMED_OUT)
    return upload.mux_asset_id is None and counts and waits


def _begun_by(user_id: uuid.UUID) -> ColumnElement[bool]:
    """Of an upload from before that was written down, its instructor is taken for the one who began it."""
    unknown = and_(Tracking.started_by.is_(None), Tracking.owner_id == user_id)
    return or_(Tracking.started_by == user_id, unknown)


@dataclass(frozen=True)
class Losses:
    """How many uploads that have not arrived would be withdrawn, by what might happen to an account."""

    by_disabling: int
    by_role: Mapping[str, int]
    by_handing_over: int


def preview(user: User) -> Losses:
    """Count them, for the question before the press."""
    every, own = db.session.execute(
        select(func.count(), func.count().filter(Tracking.owner_id == user.id)).where(
            _begun_by(user.id), _awaited()
        )
    ).one()
    lost = {"student": every, "instructor": every - own}
    by_role: dict[str, int] = {role: lost.get(role, 0) for role in ROLES if role != user.role}
    return Losses(every, by_role, 0 if user.role in STAFF else own)


def record_starter(user: User, *, course_id: uuid.UUID | None = None) -> None:
    """Write down for uploads from before that this teacher began them, while they are still the teacher: of one course,
    or of everything that is theirs. The caller has locked that."""
    old = update(Tracking).where(Tracking.started_by.is_(None), Tracking.owner_id == user.id, _awaited())
    if course_id is not None:
        old = old.where(Tracking.course_id == course_id)
    now = {"started_by": user.id, "updated_at": Tracking.updated_at}
    db.session.execute(old.values(now).execution_options(synchronize_session=False))


@row_access.everything()
def withdraw_uploads_of(user: User, *, why: str) -> int:
    """Withdraw what this person began and may not change any more; how many. To be called after the change.

    With all rows: what they began may stand in a lesson that is another's now.
    """
    db.session.flush()
    found: set[tuple[Kind, uuid.UUID]] = set()
    for kind, column in owners.COLUMNS.items():
        ids = select(column).where(_begun_by(user.id), _awaited(), column.is_not(None))
        found |= {(kind, owner_id) for owner_id in db.session.scalars(ids)}
    withdrawn = 0
    for target in sorted(found):
        video = locking.lock_video(*target, in_trash_too=True)
        if video is None or (user.active and permissions.owns(user, video.owner)):
            continue
        for upload in [upload for upload in video.uploads if _is_awaited(upload)]:
            if (upload.started_by or upload.owner_id) == user.id:
                withdraw(video, upload, began=user, why=why)
                withdrawn += 1
    return withdrawn


def withdraw(
    video: LockedVideo, upload: Tracking, *, began: User | None, why: str, upload_id: str | None = None
) -> None:
    """Take one upload away from its starter. `upload_id`: the id that Mux has just given it."""
    if not is_withdrawn(upload.status, upload.error_type):
        outbox.request_cancellation(upload)
        upload.started_by = upload.started_by or (began.id if began is not None else None)
        upload.withdrawn_at = transaction_time()
        reason = actor().reason
        audit_log.record(
            "video.upload_cancelled",
            video.owner,
            upload_id=upload.upload_id or upload_id,
            started_by=str(began.id) if began is not None else None,
            reason=f"{why}: {reason}" if reason else why,
        )
    transitions.apply(video, upload, Observation(video_event=VideoEvent.WITHDRAW, upload_id=upload_id))


# Files that arrived for an upload after its starter had lost the right to it: held until staff decide.
#
# No page shows such a file and nothing is published by it. Staff take it over, and then it goes the way of every upload
# of the lesson or course; or they delete it at Mux (“clear asset” of the upload). No other way leads out of here.


def is_kept_back(
    *, asset_id: str | None = None, upload_id: str | None = None, tracking_id: uuid.UUID | None = None
) -> bool:
    """Is this asset, or the one that an upload makes, one that no lesson may take without a decision of staff?"""
    named = or_(
        and_(Tracking.mux_asset_id == asset_id, Tracking.mux_asset_id.is_not(None)),
        and_(Tracking.upload_id == upload_id, Tracking.upload_id.is_not(None)),
        Tracking.id == tracking_id,
    )
    words = list(KEPT_BACK.values())
    query = select(exists().where(named, Tracking.status == "cancelled", Tracking.error_type.in_(words)))
    with row_access.everything():
        return bool(db.session.scalar(query))


def refuse_kept_back(asset_id: str, upload_id: str | None) -> None:
    """No other way than the decision makes it the video of anything."""
    if is_kept_back(asset_id=asset_id, upload_id=upload_id):
        raise Conflict(
            "held",
            "This file came from an upload whose starter had lost the right to it, so it is held. Take it over or"
            " delete it on the page of its upload.",
        )
