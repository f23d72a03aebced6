"""Which lessons, courses and uploads somebody should look at: conditions for lists, each answered by an index."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, select

from lessonadmin import config
from lessonadmin.db import later
from lessonadmin.domain.models import AssetDeletion, Lesson, MuxEvent, Tracking, owners


def _today() -> datetime:
    now = datetime.now(UTC)
    return now.replace(hour=0, minute=0, second=0, microsecond=0)


def stuck_uploads() -> ColumnElement[bool]:
    """Open for longer than a video should take."""
    return and_(
        Tracking.is_current,
        Tracking.is_open,
        Tracking.created_at <= later(-config.current().stuck_after_seconds),
    )


def _column(model: type[Any]) -> Any:
    return owners.COLUMNS[model.kind]


def stuck(model: type[Any]) -> ColumnElement[bool]:
    column = _column(model)
    found: ColumnElement[bool] = model.id.in_(select(column).where(stuck_uploads(), column.is_not(None)))
    return found


def stuck_in(model: type[Any]) -> Select[Any]:
    """One row for each lesson (or course) that is stuck: quicker to count, for at most one upload is on its way."""
    return select(Tracking.id).where(stuck_uploads(), _column(model).is_not(None))


def failed_uploads_today() -> ColumnElement[bool]:
    return and_(Tracking.status == "error", Tracking.updated_at >= _today())


def failed_today(model: type[Any]) -> ColumnElement[bool]:
    """Its video is in error, and became so today (by UTC)."""
    column = _column(model)
    which = select(column).where(failed_uploads_today(), Tracking.is_current, column.is_not(None))
    return and_(model.video_processing_status == "error", model.id.in_(which))


def needs_attention() -> ColumnElement[bool]:
    return Lesson.needs_attention_at.is_not(None)


def failed_events() -> ColumnElement[bool]:
    return MuxEvent.outcome == "failed"


def pending_deletions() -> ColumnElement[bool]:
    return AssetDeletion.done_at.is_(None)


def troubled_deletions() -> ColumnElement[bool]:
    """Tried, and not done."""
    return and_(AssetDeletion.done_at.is_(None), AssetDeletion.last_error.is_not(None))
