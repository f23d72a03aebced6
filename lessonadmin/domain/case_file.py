"""Everything our database says about the video of one lesson or course, gathered for its diagnosis in four queries."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select

from lessonadmin import config
from lessonadmin.db import db
from lessonadmin.domain import event_lookup
from lessonadmin.domain.comparing import Look
from lessonadmin.domain.models import AssetDeletion, MuxEvent, Owner, Tracking, owners

MOST_EVENTS = 20


@dataclass(frozen=True)
class CaseFile:
    """What is known. Times are by the database's clock."""

    owner: Owner
    row: Tracking | None
    coming: Tracking | None
    deletion: AssetDeletion | None
    waiting_events: tuple[uuid.UUID, ...]
    now: datetime
    look: Look | None

    @property
    def status(self) -> str:
        return self.owner.video_processing_status

    @property
    def moving(self) -> bool:
        return self.owner.video_is_open

    @property
    def temporary(self) -> bool:
        return self.owner.has_temporary_asset

    @property
    def stuck(self) -> bool:
        stuck_after = timedelta(seconds=config.current().stuck_after_seconds)
        return self.row is not None and self.row.is_open and self.now - self.row.created_at >= stuck_after

    @property
    def expired(self) -> bool:
        return self.row is not None and self.row.expires_at is not None and self.row.expires_at < self.now

    @property
    def age(self) -> str:
        return in_words(self.now - self.row.created_at) if self.row is not None else "some time"

    @property
    def since_bytes(self) -> str:
        sent = self.row.bytes_in_at if self.row is not None else None
        return in_words(self.now - sent) if sent is not None else "some time"

    @property
    def progress(self) -> int | None:
        asset = self.look.asset if self.look is not None else None
        if asset is not None and asset.progress is not None:
            return asset.progress
        return self.row.progress if self.row is not None else None

    @property
    def in_grace(self) -> bool:
        return self.deletion is not None and self.deletion.due_at > self.now

    @property
    def last_look_error(self) -> tuple[str, str] | None:
        """Category and words of the last failed look, while no later one went well."""
        if self.row is None or not self.row.last_look_error:
            return None
        category, _, message = self.row.last_look_error.partition(": ")
        return category, message


def in_words(span: timedelta) -> str:
    """A time span as people say it, in its largest unit."""
    seconds = max(0, int(span.total_seconds()))
    for name, size in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= size:
            count = seconds // size
            return f"{count} {name}{'s' if count > 1 else ''}"
    return f"{seconds} second{'' if seconds == 1 else 's'}"


def open_case(owner: Owner, look: Look | None, uploads: "Uploads | None" = None) -> CaseFile:
    """Read what is known now. `uploads`: if they are at hand already."""
    kind = owner.kind
    found = uploads or uploads_of(owner)
    now, rows = found.now, [row for row in found.rows if row.is_current]
    coming = next((row for row in rows if row.is_open), None)
    playing = next((row for row in rows if row.status == "ready"), None)
    row = playing or coming or (rows[-1] if rows else None)
    deletion = db.session.scalar(
        select(AssetDeletion)
        .where(
            AssetDeletion.target_type == kind,
            AssetDeletion.target_id == owner.id,
            AssetDeletion.done_at.is_(None),
        )
        .order_by(AssetDeletion.requested_at.desc())
        .limit(1)
        .execution_options(populate_existing=True)
    )
    return CaseFile(owner, row, coming, deletion, _waiting_events(owner, rows), now, look)


@dataclass(frozen=True)
class Uploads:
    """Every upload of a lesson or course, oldest first, and when they were read, by the database's clock."""

    rows: tuple[Tracking, ...]
    now: datetime


def uploads_of(owner: Owner) -> Uploads:
    column = owners.COLUMNS[owner.kind]
    found = db.session.execute(
        select(Tracking, func.clock_timestamp())
        .where(column == owner.id)
        .order_by(Tracking.created_at, Tracking.id)
        .execution_options(populate_existing=True)
    ).all()
    now: datetime = found[0][1] if found else db.session.scalars(select(func.clock_timestamp())).one()
    return Uploads(tuple(row for row, _ in found), now)


def _waiting_events(owner: Owner, rows: list[Tracking]) -> tuple[uuid.UUID, ...]:
    """Events about it that are parked or could not be applied."""
    return tuple(
        db.session.scalars(
            select(MuxEvent.id)
            .where(event_lookup.about(owner.id, rows), MuxEvent.outcome.in_(("failed", "unmatched")))
            .order_by(MuxEvent.received_at)
            .limit(MOST_EVENTS)
        )
    )
