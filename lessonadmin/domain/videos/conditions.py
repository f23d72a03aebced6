"""Rules about videos that lists, sweep, pages and figures share, as conditions for queries, each answered by an index.

Stuck is written here and nowhere else, for Python (`upload_is_stuck`, `is_stuck`) and for queries (`stuck_uploads`,
`stuck`), always by the database's clock. An upload is stuck while it is current and on its way for STUCK_AFTER_SECONDS
or longer; a lesson or course is while one of its uploads is, also beside a video that plays: its new video is late. One
from before there were uploads has no row that could tell its age: its own stands for it. Changes nothing.
"""

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    case,
    except_,
    exists,
    func,
    literal_column,
    or_,
    select,
    union,
    union_all,
)
from sqlalchemy.orm import aliased

from lessonadmin import config
from lessonadmin.db import later
from lessonadmin.domain.models import AssetDeletion, Lesson, MuxEvent, Owner, Tracking, owners
from lessonadmin.domain.models.lessons import OPEN_STATUSES
from lessonadmin.domain.models.videos import MIGRATED
from lessonadmin.domain.videos.state_machine import VideoEvent

# An hour without a byte is nothing: a laptop is closed, a line is slow. After a day two are left to go on with it.
NO_FILE_SECONDS = 86_400


def _stuck_since(now: datetime) -> datetime:
    return now - timedelta(seconds=config.current().stuck_after_seconds)


def upload_is_stuck(upload: Tracking, now: datetime) -> bool:
    """It is on its way for longer than a video should take."""
    return upload.is_current and upload.is_open and upload.created_at <= _stuck_since(now)


def has_no_file(upload: Tracking, now: datetime) -> bool:
    """It is stuck because its file was not sent, or not all of it: Mux said so when it was asked, and the browser has not
    said that it sent everything. Only the person who has the file can change that."""
    waits = upload.status == "uploading" and upload.last_answer == VideoEvent.UPLOAD_WAITING.value
    return waits and upload.bytes_in_at is None and upload_is_stuck(upload, now)


def no_file_uploads() -> ColumnElement[bool]:
    """The same as `has_no_file`, of what is not in the trash."""
    return and_(stuck_uploads(), _without_file())


def _without_file() -> ColumnElement[bool]:
    is_uploading = Tracking.status == literal_column("'uploading'")
    return and_(is_uploading, Tracking.bytes_in_at.is_(None), _mux_waits())


def _mux_waits() -> ColumnElement[bool]:
    """By Mux's last answer; never unknown, so that it can be denied."""
    said: ColumnElement[bool] = func.coalesce(Tracking.last_answer, "") == VideoEvent.UPLOAD_WAITING.value
    return said


def to_be_told() -> ColumnElement[bool]:
    """Uploads that are stuck, and of which it is time to say so. Without a file, a day after its browser was last heard
    of. Where the file has come late, it is given as long as any other."""
    waited = func.coalesce(Tracking.resumed_at, Tracking.created_at) <= later(-NO_FILE_SECONDS)
    came = func.coalesce(Tracking.asset_seen_at, Tracking.bytes_in_at)
    has_just_come = and_(_mux_waits(), came.is_not(None), came > _limit())
    return and_(stuck_uploads(), case((_without_file(), waited), else_=~has_just_come))


def is_stuck(owner: Owner, uploads: Iterable[Tracking], now: datetime) -> bool:
    """One of the uploads of this lesson or course is stuck. `uploads`: all that are current."""
    current = [upload for upload in uploads if upload.is_current]
    if not current:
        return owner.video_is_open and owner.created_at <= _stuck_since(now)
    return any(upload_is_stuck(upload, now) for upload in current)


def in_trash() -> ColumnElement[bool]:
    """Of an upload: its lesson or course is in the trash, so that it needs no person. By the tables themselves, since in what is
    read of the models nothing in the trash is found."""
    return or_(
        *(
            exists().where(
                model.__table__.c.id == owners.COLUMNS[kind], model.__table__.c.deleted_at.is_not(None)
            )
            for kind, model in owners.MODELS.items()
        )
    )


def stuck_uploads() -> ColumnElement[bool]:
    """The same as `upload_is_stuck`, of what is not in the trash."""
    return and_(_late(), ~in_trash())


def _late() -> ColumnElement[bool]:
    return and_(Tracking.is_current, Tracking.is_open, Tracking.created_at <= _limit())


def _limit() -> ColumnElement[object]:
    return later(-config.current().stuck_after_seconds)


def stuck_ids(model: type[Any]) -> Select[Any]:
    """The id of each lesson (or course) that is stuck, once: at most one of its uploads is on its way."""
    column = owners.COLUMNS[model.kind]
    uploads = select(column.label("id")).where(stuck_uploads(), column.is_not(None))
    found = union_all(uploads, _stuck_without_upload(model)).subquery()
    return select(found.c.id)


def _stuck_without_upload(model: type[Any]) -> Select[Any]:
    """Nearly every video that is on its way has an upload that is. Two small indexes side by side leave those that have
    none, and only of these is it asked, one by one, whether they have any upload."""
    column = owners.COLUMNS[model.kind]
    owner = aliased(model)
    left = except_(
        select(owner.id).where(owner.video_is_open, owner.created_at <= _limit()),
        select(column).where(Tracking.is_current, Tracking.is_open, column.is_not(None)),
    ).subquery()
    tracked = exists().where(column == left.c.id, Tracking.is_current)
    return select(left.c.id).where(~tracked)


def stuck(model: type[Any]) -> ColumnElement[bool]:
    """The same as `is_stuck`."""
    found: ColumnElement[bool] = model.id.in_(stuck_ids(model))
    return found


def not_stuck(model: type[Any]) -> ColumnElement[bool]:
    """The contrary of `stuck`, asked of one lesson (or course) after the other: nearly all are not stuck, so that a page
    of them needs no list of all that are."""
    column = owners.COLUMNS[model.kind]
    late = exists().where(column == model.id, _late())
    # An EXISTS here, PostgreSQL may answer by a list of all current uploads.
    upload = select(Tracking.id).where(column == model.id, Tracking.is_current).limit(1).scalar_subquery()
    return and_(~late, or_(~model.video_is_open, model.created_at > _limit(), upload.is_not(None)))


def current(model: type[Any], *conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """It has a current upload of which all this is true."""
    return exists().where(owners.COLUMNS[model.kind] == model.id, Tracking.is_current, *conditions)


def has_real_id(model: type[Any]) -> ColumnElement[bool]:
    """It names an asset that Mux may know."""
    return and_(model.mux_asset_id.is_not(None), ~model.has_temporary_asset)


# Uploads that Mux can be asked about: not given up, and known there by an id.
ASKED_ABOUT = (*OPEN_STATUSES, "ready", "error")
ASKABLE = and_(
    Tracking.status.in_(ASKED_ABOUT),
    or_(has_real_id(Tracking), func.coalesce(Tracking.upload_id, MIGRATED) != MIGRATED),
)


def is_askable(upload: Tracking) -> bool:
    """The same as ASKABLE."""
    known = upload.real_asset_id is not None
    return upload.status in ASKED_ABOUT and (known or upload.upload_id not in (None, MIGRATED))


def temporary_ids() -> ColumnElement[bool]:
    """Lessons that no student can play until Mux has told their true ids."""
    return and_(Lesson.has_temporary_id)


def failed_events() -> ColumnElement[bool]:
    return MuxEvent.outcome == "failed"


def events_about(target_id: uuid.UUID, uploads: Sequence[Tracking]) -> ColumnElement[bool]:
    """A condition on MuxEvent. Three small look-ups by index, so that no order or limit makes the planner walk the
    whole table."""
    upload_ids = [upload.upload_id for upload in uploads if upload.upload_id and upload.upload_id != MIGRATED]
    asset_ids = [upload.mux_asset_id for upload in uploads if upload.mux_asset_id]
    found = [select(MuxEvent.id).where(MuxEvent.target_id == target_id)]
    if upload_ids:
        found.append(select(MuxEvent.id).where(MuxEvent.upload_id.in_(upload_ids)))
    if asset_ids:
        found.append(select(MuxEvent.id).where(MuxEvent.asset_id.in_(asset_ids)))
    return MuxEvent.id.in_(union(*found))


def pending_deletions() -> ColumnElement[bool]:
    return AssetDeletion.done_at.is_(None)


def troubled_deletions() -> ColumnElement[bool]:
    """Tried, and not done."""
    return and_(AssetDeletion.done_at.is_(None), AssetDeletion.last_error.is_not(None))


def replaced_by(old: Tracking, upload: Tracking) -> bool:
    """Did this one play until that one took its place? Not so an attempt that was overtaken before it was ready."""
    return old.superseded_by == upload.id and old.status == "ready" and old.ready_at is not None


def can_undo(uploads: list[Tracking]) -> bool:
    """Is there a replaced video to bring back?"""
    playing = next((upload for upload in uploads if upload.plays), None)
    return playing is not None and any(replaced_by(upload, playing) for upload in uploads)
