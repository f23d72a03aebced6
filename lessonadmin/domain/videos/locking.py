"""A lesson or course under its lock, with every upload that was ever made for it: where all work on a video begins.

Every change of a video locks it here first, so everything about one video happens in one order. A caller that locks
several, because they share an asset, takes them in one order, too (`lock_all`). This module reads and locks; it changes
nothing.

A caller that goes through many of them one by one locks them all before, with a few queries (`lock_many`): until the
transaction ends `lock_video` returns what was read then, as the transaction has changed it since. A statement that rewrites
lessons, courses or uploads past these objects makes it read anew.
"""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, event, func, select
from sqlalchemy.orm import ORMExecuteState, Session

from lessonadmin.database import row_access
from lessonadmin.db import STATE, db, remember_transaction_time, transaction_state, transaction_time
from lessonadmin.domain import permissions
from lessonadmin.domain.errors import Missing
from lessonadmin.domain.models import Kind, Owner, Tracking, in_trash, owners
from lessonadmin.domain.videos.conditions import is_askable
from lessonadmin.domain.videos.state_machine import NOT_BEGUN

Target = tuple[Kind, uuid.UUID]


@dataclass
class LockedVideo:
    """A lesson or course under its lock, with every upload that was ever made for it, oldest first."""

    owner: Owner
    uploads: list[Tracking]

    @property
    def in_trash(self) -> bool:
        """It is deleted, and may come back: what Mux says of it is applied, and no person or bulk action reaches it."""
        return self.owner.deleted_at is not None

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
    def not_begun(self) -> Tracking | None:
        """The newest upload, if Mux gave no address for it."""
        last = self.uploads[-1] if self.uploads else None
        return last if last is not None and last.error_type == NOT_BEGUN else None

    @property
    def in_question(self) -> Tracking | None:
        """The upload that another one would stand in for, if an instructor is asked to upload again."""
        return self.not_begun or self.watched

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
    return found.execution_options(populate_existing=True, **in_trash.too())


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


def lock_video(kind: Kind, owner_id: uuid.UUID, *, in_trash_too: bool = False) -> LockedVideo | None:
    """Lock a lesson or a course and read its uploads; None if it is gone, or in the trash and that is not asked for."""
    video = _locked_before((kind, owner_id))
    if video is None:
        owner = _locked(kind, owner_id)
        if owner is None or (owner.deleted_at is not None and not in_trash_too):
            return None
        video = LockedVideo(owner, list(db.session.scalars(UPLOADS[kind], {"owner_id": owner_id})))
    return None if video.in_trash and not in_trash_too else video


@dataclass
class LockedMany:
    """Many videos under their locks. `held`: those that another transaction has locked; what is in neither is gone."""

    videos: dict[Target, LockedVideo] = field(default_factory=dict)
    held: set[Target] = field(default_factory=set)


def lock_many(targets: Iterable[Target], *, skip_locked: bool = False) -> LockedMany:
    """Lock many lessons and courses in the one order, also in the trash, and read all their uploads; for each of them `lock_video`
    asks nothing any more in this transaction. `skip_locked`: wait for none."""
    state = transaction_state()
    wanted = set(targets)
    known = {target: video for target in wanted if (video := _locked_before(target)) is not None}
    new: dict[Target, LockedVideo] = {}
    for kind, ids in _by_kind(wanted - known.keys()):
        new |= {(kind, owner.id): LockedVideo(owner, []) for owner in _lock_owners(kind, ids, skip_locked)}
    _read_uploads(new)
    transaction_time()  # read now, since later the query would be preceded by a flush of what has changed
    state.locked.update(new)
    found = known | new
    return LockedMany(found, _still_there(wanted - found.keys()) if skip_locked else set())


def _by_kind(targets: Iterable[Target]) -> list[tuple[Kind, list[uuid.UUID]]]:
    """In the order in which they are locked."""
    ids: dict[Kind, list[uuid.UUID]] = {}
    for kind, owner_id in sorted(targets):
        ids.setdefault(kind, []).append(owner_id)
    return list(ids.items())


def _lock_owners(kind: Kind, ids: list[uuid.UUID], skip_locked: bool) -> list[Owner]:
    """And what time it is then, in the same query."""
    model = owners.MODELS[kind]
    wanted = (
        select(model, func.clock_timestamp())
        .where(model.id.in_(ids))
        .order_by(model.id)
        .with_for_update(skip_locked=skip_locked)
    )
    found = db.session.execute(wanted.execution_options(populate_existing=True, **in_trash.too())).all()
    if found:
        remember_transaction_time(found[-1][1])
    return [owner for owner, _ in found]


def _read_uploads(videos: dict[Target, LockedVideo]) -> None:
    """A query of its own, since only one that begins when the locks are held sees what was written before."""
    for kind, ids in _by_kind(videos):
        column = owners.COLUMNS[kind]
        wanted = select(Tracking).where(column.in_(ids)).order_by(Tracking.created_at, Tracking.id)
        for upload in db.session.scalars(wanted.execution_options(populate_existing=True)):
            videos[kind, upload.target_id].uploads.append(upload)


def _still_there(targets: set[Target]) -> set[Target]:
    found: set[Target] = set()
    for kind, ids in _by_kind(targets):
        model = owners.MODELS[kind]
        there = select(model.id).where(model.id.in_(ids)).execution_options(**in_trash.too())
        found |= {(kind, one) for one in db.session.scalars(there)}
    return found


def _locked_before(target: Target) -> LockedVideo | None:
    """What `lock_many` has locked in this transaction, as a query would find it now."""
    state = db.session().info.get(STATE)
    video: LockedVideo | None = state.locked.get(target) if state is not None else None
    if video is None or video.owner not in db.session or video.owner in db.session.deleted:
        return None
    video.uploads.sort(
        key=lambda upload: (upload.created_at, upload.id)
    )  # a new one may be older than others
    return video


@event.listens_for(Session, "do_orm_execute")
def _read_anew(execution: ORMExecuteState) -> None:
    """A statement that rewrites rows may not reach the objects that stand for them."""
    if execution.is_select or STATE not in execution.session.info:
        return
    mapper = execution.bind_mapper
    if mapper is not None and mapper.class_ in (Tracking, *owners.MODELS.values()):
        execution.session.info[STATE].locked.clear()


def read_video(owner: Owner) -> LockedVideo:
    """The same without a lock: to be read, never to be changed."""
    return LockedVideo(owner, list(db.session.scalars(UPLOADS[owner.kind], {"owner_id": owner.id})))


def lock_video_of(owner: Owner, *, in_trash_too: bool = False) -> LockedVideo:
    """The same for an owner that is at hand; raises Missing if it vanished or was deleted meanwhile, or if the person that this
    transaction acts for may not change it any more."""
    permissions.acting_user()
    found = lock_video(owner.kind, owner.id, in_trash_too=in_trash_too)
    if found is None:
        raise Missing()
    permissions.still_theirs(found.owner, in_trash_too=in_trash_too)
    return found


def lock_video_of_upload(tracking_id: uuid.UUID) -> tuple[LockedVideo, Tracking] | None:
    """The locked video of one upload, and that upload as it is under the lock; also of a lesson or course in the trash."""
    target = target_of(Tracking.id == tracking_id)
    video = lock_video(*target, in_trash_too=True) if target is not None else None
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


def targets_by_upload_id(upload_ids: set[str]) -> dict[str, Target]:
    """Which lesson or course each of these uploads belongs to, by the ids that Mux gave them."""
    return _targets_by(Tracking.upload_id, upload_ids) if upload_ids else {}


def targets_by_asset_id(asset_ids: set[str]) -> dict[str, Target]:
    """The same by assets. A lesson or course from before tracking names its asset itself."""
    if not asset_ids:
        return {}
    found = _targets_by(Tracking.mux_asset_id, asset_ids)
    for kind, model in owners.MODELS.items():
        naming = select(model.mux_asset_id, model.id).where(model.mux_asset_id.in_(asset_ids - found.keys()))
        for asset_id, owner_id in db.session.execute(
            naming.order_by(model.id), execution_options=in_trash.too()
        ):
            found.setdefault(asset_id, (kind, owner_id))
    return found


def _targets_by(column: Any, ids: set[str]) -> dict[str, Target]:
    """Of several uploads with one id the current one counts."""
    rows = db.session.execute(
        select(column, Tracking.lesson_id, Tracking.course_id)
        .where(column.in_(ids))
        .order_by(Tracking.superseded_at.desc().nulls_first())
    )
    found: dict[str, Target] = {}
    for key, lesson_id, course_id in rows:
        found.setdefault(key, ("lesson", lesson_id) if lesson_id is not None else ("course", course_id))
    return found


def uploads_by_asset(asset_id: str) -> Sequence[Tracking]:
    return db.session.scalars(select(Tracking).where(Tracking.mux_asset_id == asset_id)).all()


def owners_with_asset(asset_id: str) -> list[tuple[Kind, uuid.UUID]]:
    """Every lesson and course that an asset is not yet gone from, in the order in which they are locked: those that use
    it (`outbox.users_of`), and those that gave it up or replaced it and have a row that waits for its end."""
    with row_access.everything():
        uploads = uploads_by_asset(asset_id)
        found = {(upload.target_type, upload.target_id) for upload in uploads if upload.status != "deleted"}
        for kind, model in owners.MODELS.items():
            naming = (
                select(model.id).where(model.mux_asset_id == asset_id).execution_options(**in_trash.too())
            )
            found |= {(kind, one) for one in db.session.scalars(naming)}
    return sorted(found)


def lock_all(
    targets: set[tuple[Kind, uuid.UUID]], assets: set[str]
) -> dict[tuple[Kind, uuid.UUID], LockedVideo]:
    """These lessons and courses and all that these assets are not yet gone from, in the trash or not, locked in the same order
    by every caller."""
    wanted = targets.union(*(owners_with_asset(asset_id) for asset_id in assets))
    opened = {owner: lock_video(*owner, in_trash_too=True) for owner in sorted(wanted)}
    return {owner: video for owner, video in opened.items() if video is not None}
