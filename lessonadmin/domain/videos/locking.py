"""A lesson or course under its lock, with every upload that was ever made for it: where all work on a video begins.

Every change of a video locks it here first, so everything about one video happens in one order. A caller that locks
several, because they share an asset, takes them in one order, too (`lock_all`). This module reads and locks; it changes
nothing.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, func, select

from lessonadmin.db import db, remember_transaction_time
from lessonadmin.domain import permissions
from lessonadmin.domain.errors import Missing
from lessonadmin.domain.models import Kind, Owner, Tracking, owners
from lessonadmin.domain.videos.conditions import is_askable


@dataclass
class LockedVideo:
    """A lesson or course under its lock, with every upload that was ever made for it, oldest first."""

    owner: Owner
    uploads: list[Tracking]

    @property
    def current(self) -> list[Tracking]:
        return [upload for upload in self.uploads if upload.is_current]

    @property
    def playing(self) -> Tracking | None:
        return next((upload for upload in self.current if upload.status == "ready"), None)

    @property
    def on_its_way(self) -> Tracking | None:
        return next((upload for upload in self.current if upload.is_open), None)

    @property
    def deleting(self) -> Tracking | None:
        return next((upload for upload in reversed(self.current) if upload.status == "deleting"), None)

    # Which upload matters has two answers, and they are these: what people see, and what Mux is to be asked about.

    @property
    def shown(self) -> Tracking | None:
        """What people see: what plays, else what is coming, else what is being deleted, else how the last one ended."""
        last = self.current[-1] if self.current else None
        return self.playing or self.on_its_way or self.deleting or last

    @property
    def watched(self) -> Tracking | None:
        """What may still change, and is asked about and compared with Mux: what is coming, else what is shown."""
        return self.on_its_way or self.shown

    @property
    def to_ask(self) -> list[Tracking]:
        """Every upload worth a question: what is coming and what plays, else how the last one ended."""
        uploads = [upload for upload in (self.on_its_way, self.playing) if upload is not None]
        if not uploads:
            uploads = [upload for upload in self.current if upload.status == "error"][-1:]
        return [upload for upload in uploads if is_askable(upload)]

    def upload(self, tracking_id: uuid.UUID) -> Tracking | None:
        return next((upload for upload in self.uploads if upload.id == tracking_id), None)

    def of_asset(self, asset_id: str) -> Tracking | None:
        return next((upload for upload in reversed(self.uploads) if upload.mux_asset_id == asset_id), None)


def find_owner(kind: Kind, owner_id: uuid.UUID, *, lock: bool = False) -> Owner | None:
    """A lesson or a course as it stands in the database now."""
    found: Owner | None = db.session.get(
        owners.MODELS[kind], owner_id, populate_existing=True, with_for_update=lock or None
    )
    return found


def _locking(model: Any) -> Select[Any]:
    found = select(model, func.clock_timestamp()).where(model.id == bindparam("owner_id")).with_for_update()
    return found.execution_options(populate_existing=True)


def _uploads(column: Any) -> Select[Tracking]:
    found = select(Tracking).where(column == bindparam("owner_id")).order_by(Tracking.created_at, Tracking.id)
    return found.execution_options(populate_existing=True)


# Put together once: every webhook locks a video, and these two questions are always the same. They stay two, since only
# a statement that begins when the lock is held sees what the one who held it before has written.
LOCK: dict[Kind, Select[Any]] = {kind: _locking(model) for kind, model in owners.MODELS.items()}
UPLOADS = {kind: _uploads(column) for kind, column in owners.COLUMNS.items()}


def _locked(kind: Kind, owner_id: uuid.UUID) -> Owner | None:
    """The same under its lock, and what time it is then, in one query."""
    found = db.session.execute(LOCK[kind], {"owner_id": owner_id}).first()
    if found is None:
        return None
    owner: Owner = found[0]
    remember_transaction_time(found[1])
    return owner


def lock_video(kind: Kind, owner_id: uuid.UUID) -> LockedVideo | None:
    """Lock a lesson or a course and read its uploads; None if it is gone."""
    owner = _locked(kind, owner_id)
    if owner is None:
        return None
    return LockedVideo(owner, list(db.session.scalars(UPLOADS[kind], {"owner_id": owner_id})))


def read_video(owner: Owner) -> LockedVideo:
    """The same without a lock: to be read, never to be changed."""
    return LockedVideo(owner, list(db.session.scalars(UPLOADS[owner.kind], {"owner_id": owner.id})))


def lock_video_of(owner: Owner) -> LockedVideo:
    """The same for an owner that is at hand; raises Missing if it vanished meanwhile, or if the person that this
    transaction acts for may not change it any more."""
    permissions.acting_user()
    found = lock_video(owner.kind, owner.id)
    if found is None:
        raise Missing()
    permissions.still_theirs(found.owner)
    return found


def lock_video_of_upload(tracking_id: uuid.UUID) -> tuple[LockedVideo, Tracking] | None:
    """The locked video of one upload, and that upload as it is under the lock."""
    target = target_of(Tracking.id == tracking_id)
    video = lock_video(*target) if target is not None else None
    upload = video.upload(tracking_id) if video is not None else None
    return (video, upload) if video is not None and upload is not None else None


def target_of(*conditions: ColumnElement[bool]) -> tuple[Kind, uuid.UUID] | None:
    """Which lesson or course an upload belongs to; of several uploads the current one counts."""
    ids = db.session.execute(
        select(Tracking.lesson_id, Tracking.course_id)
        .where(*conditions)
        .order_by(Tracking.superseded_at.desc().nulls_first())
        .limit(1)
    ).first()
    if ids is None:
        return None
    lesson_id, course_id = ids
    if lesson_id is not None:
        return "lesson", lesson_id
    return ("course", course_id) if course_id is not None else None


def uploads_by_asset(asset_id: str) -> Sequence[Tracking]:
    return db.session.scalars(select(Tracking).where(Tracking.mux_asset_id == asset_id)).all()


def owners_with_asset(asset_id: str) -> list[tuple[Kind, uuid.UUID]]:
    """Every lesson and course that an asset is not yet gone from, in the order in which they are locked: those that use
    it (`outbox.users_of`), and those that gave it up or replaced it and have a row that waits for its end."""
    uploads = uploads_by_asset(asset_id)
    found = {(upload.target_type, upload.target_id) for upload in uploads if upload.status != "deleted"}
    for kind, model in owners.MODELS.items():
        naming = select(model.id).where(model.mux_asset_id == asset_id)
        found |= {(kind, one) for one in db.session.scalars(naming)}
    return sorted(found)


def lock_all(
    targets: set[tuple[Kind, uuid.UUID]], assets: set[str]
) -> dict[tuple[Kind, uuid.UUID], LockedVideo]:
    """These lessons and courses and all that these assets are not yet gone from, locked in the same order by every caller."""
    wanted = targets.union(*(owners_with_asset(asset_id) for asset_id in assets))
    opened = {owner: lock_video(*owner) for owner in sorted(wanted)}
    return {owner: video for owner, video in opened.items() if video is not None}
