"""Batches and their rows for pages: how far, what became of each row, by whom. Only reads."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from lessonadmin.db import db
from lessonadmin.domain import mux_budget
from lessonadmin.domain.batches import batch_items, preview, registry
from lessonadmin.domain.batches.registry import Action
from lessonadmin.domain.errors import Missing
from lessonadmin.domain.models import Batch, BatchItem, User


@dataclass(frozen=True)
class Line:
    """One row of a batch, for a list."""

    item_id: uuid.UUID
    target_id: uuid.UUID
    name: str | None
    status: str
    note: str
    attempts: int
    finished_at: datetime | None


@dataclass(frozen=True)
class Progress:
    """How far a batch is, from its own counters alone."""

    id: uuid.UUID
    status: str
    total: int
    done: int
    failed: int
    skipped: int
    created_at: datetime
    finished_at: datetime | None
    rows_per_second: float | None  # while it was really worked on
    paused_seconds: float

    @property
    def left(self) -> int:
        return max(0, self.total - self.done - self.failed - self.skipped)

    @property
    def percent(self) -> int:
        return 100 if not self.total else int(100 * (self.total - self.left) / self.total)

    @property
    def finished(self) -> bool:
        return self.status == "done"


def get(batch_id: uuid.UUID) -> Batch:
    batch = db.session.get(Batch, batch_id, populate_existing=True)
    if batch is None:
        raise Missing()
    return batch


def action_of(batch: Batch) -> Action:
    return registry.find(batch.target_type, batch.action)


def progress(batch_id: uuid.UUID) -> Progress:
    """One row of one table, whatever the size of the batch."""
    batch = get(batch_id)
    finished = batch.done + batch.failed + batch.skipped
    pause = mux_budget.left()[1] if batch.status in batch_items.ACTIVE and action_of(batch).asks_mux else 0.0
    return Progress(
        id=batch.id,
        status=batch.status,
        total=batch.total,
        done=batch.done,
        failed=batch.failed,
        skipped=batch.skipped,
        created_at=batch.created_at,
        finished_at=batch.finished_at,
        rows_per_second=finished / batch.running_seconds if finished and batch.running_seconds else None,
        paused_seconds=pause,
    )


def lines(
    batch_id: uuid.UUID, *, status: str | None = None, after: uuid.UUID | None = None, limit: int = 50
) -> list[Line]:
    """Rows of a batch in their order, by key after the last one shown, with the names that they have now."""
    wanted = select(BatchItem).where(BatchItem.batch_id == batch_id).order_by(BatchItem.id).limit(limit)
    if status is not None:
        wanted = wanted.where(BatchItem.status == status)
    if after is not None:
        wanted = wanted.where(BatchItem.id > after)
    items = list(db.session.scalars(wanted.execution_options(populate_existing=True)))
    names = preview.names_of(action_of(get(batch_id)), [item.target_id for item in items])
    return [
        Line(
            item.id,
            item.target_id,
            names.get(item.target_id),
            item.status,
            item.error or "",
            item.attempts,
            item.finished_at,
        )
        for item in items
    ]


def author_of(batch: Batch) -> User | None:
    return db.session.get(User, batch.created_by) if batch.created_by else None
