"""Bringing a cleared video back while its asset still has its grace time: the undoing of “clear asset”.

The cleared upload stays as it ended; a new row takes over its asset, and Mux has the last word on whether it plays.
"""

import uuid

from sqlalchemy import ColumnElement, and_, case, exists, func, literal, select

from lessonadmin.db import db
from lessonadmin.domain import deletions, desks, outcomes, publication, videos
from lessonadmin.domain.models import AssetDeletion, AuditLog, Kind, Lesson, Tracking, owners
from lessonadmin.domain.outcomes import Result


def verdict(kind: Kind) -> ColumnElement[str]:
    model = owners.MODELS[kind]
    column = owners.COLUMNS[kind]
    waiting = exists().where(
        column == model.id,
        Tracking.is_current,
        Tracking.status == "deleting",
        AssetDeletion.mux_asset_id == Tracking.mux_asset_id,
        AssetDeletion.done_at.is_(None),
        AssetDeletion.lease_token.is_(None),
    )
    return case(
        (and_(model.video_processing_status == "deleting", waiting), "restores"), else_=literal("too_late")
    )


def restore(kind: Kind, target_id: uuid.UUID, *, cleared_by: str) -> Result:
    """Take the promise to delete back, and the asset with it; what was published before is to be so again."""
    desk = desks.open_desk(kind, target_id)
    if desk is None:
        return outcomes.of("missing")
    old = desk.deleting
    if old is None or old.mux_asset_id is None or desk.playing is not None or desk.on_its_way is not None:
        return outcomes.of("too_late")
    if not deletions.take_back(old.mux_asset_id):
        return outcomes.of("too_late")
    videos.take_again(desk, old)
    if isinstance(desk.owner, Lesson) and _was_out(target_id, cleared_by):
        publication.request(desk.owner)
    return outcomes.of("restores")


def _was_out(lesson_id: uuid.UUID, batch_id: str) -> bool:
    """Did the clearing take the lesson back to draft, or its promise away?"""
    taken = ("lesson.unpublished", "lesson.publish_withdrawn")
    found = db.session.scalar(
        select(func.count())
        .select_from(AuditLog)
        .where(
            AuditLog.target_id == lesson_id,
            AuditLog.action.in_(taken),
            AuditLog.detail["batch"].astext == batch_id,
        )
    )
    return bool(found)
