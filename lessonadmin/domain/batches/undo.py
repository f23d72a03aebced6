"""Undo of a batch: a second batch that gives each row back the state that it had, where nothing was changed since.

What a row was is written down with the change (`BatchItem.before`), and what was changed since is read from the audit
log. What the app did because of the batch (published when the video was ready) counts as the batch's change. Changes made
since by anything else are never reverted: such a row says who made them. Batches from before rows were written down
cannot be undone.
"""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    ColumnElement,
    DateTime,
    Integer,
    Select,
    Uuid,
    and_,
    cast,
    exists,
    func,
    or_,
    select,
    true,
)
from sqlalchemy.orm import aliased

from lessonadmin.db import actor, db
from lessonadmin.domain.batches import leases, own_lessons, registry, results
from lessonadmin.domain.batches.batches import MAX_REASON_LENGTH, action_of, create, get
from lessonadmin.domain.batches.results import Result
from lessonadmin.domain.errors import Conflict
from lessonadmin.domain.models import AuditLog, Batch, BatchItem, Lesson, User, in_trash

# Changes of the same kind: the batch's own, and any since.
PUBLICATION = (
    "lesson.published",
    "lesson.unpublished",
    "lesson.publish_requested",
    "lesson.publish_withdrawn",
    "lesson.times_changed",
)
VIDEO = (
    "video.upload_started",
    "video.ready",
    "video.replaced",
    "video.delete_requested",
    "video.deleted",
    "video.let_go",
    "video.restored",
)
EDITS = ("lesson.updated",)
TIMES = (Lesson.publish_not_before, Lesson.unpublish_at)


@dataclass(frozen=True)
class Kind:
    """What an undo gives back. `since`: the audit rows of changes of the same kind; of an edit only those of this `field` count.
    `differs` says of a row and what was written down of it whether there is anything to give back."""

    since: tuple[str, ...]
    differs: Callable[[Any], ColumnElement[bool]]
    field: str = ""
    in_trash: bool = False


KINDS = {
    "restore_publication": Kind(PUBLICATION, lambda before: _has_other_publication(before)),
    "restore": Kind(VIDEO, lambda _before: true()),  # its verdict says it
    "restore_price": Kind(
        EDITS, lambda before: Lesson.price_cents != cast(before["price_cents"].astext, Integer), "price_cents"
    ),
    "restore_place": Kind(
        EDITS,
        lambda before: Lesson.course_id.is_distinct_from(cast(before["course_id"].astext, Uuid)),
        "course_id",
    ),
    "trash": Kind(("lesson.deleted", *EDITS, *PUBLICATION), lambda _before: Lesson.deleted_at.is_(None)),
    "restore_from_trash": Kind(
        ("lesson.restored",), lambda _before: Lesson.deleted_at.is_not(None), in_trash=True
    ),
}


def can_undo(batch: Batch) -> bool:
    """May this batch be undone at all? `count_undoable` says how many items."""
    action = action_of(batch)
    if action.undone_by is None or batch.done == 0 or batch.undoes_id is not None:
        return False
    return action.undone_only_with is None or bool(batch.options.get(action.undone_only_with))


def was_recorded(batch_id: uuid.UUID) -> bool:
    """Is it known what its rows were before? Not so of a batch from before that was written down."""
    return bool(db.session.scalar(select(exists().where(*_recorded(batch_id, BatchItem)))))


def count_undoable(batch_id: uuid.UUID) -> tuple[int, int]:
    """How many items an undo would restore, and how many it leaves alone because they were changed since."""
    batch = get(batch_id)
    counted = select(func.count()).select_from(_restorable(batch).subquery())
    count = db.session.scalar(counted, execution_options=_reading(batch)) or 0
    return count, batch.done - count


def is_undoable(batch_id: uuid.UUID) -> bool:
    """Would an undo restore anything now?"""
    batch = get(batch_id)
    if batch.status in leases.ACTIVE or not can_undo(batch):
        return False
    return bool(db.session.scalar(select(_restorable(batch).exists()), execution_options=_reading(batch)))


def undo(batch_id: uuid.UUID, *, reason: str = "", enqueue_job: bool = True) -> Batch:
    """A batch that gives every row of this one back what it was; what was changed since is skipped, and says so."""
    batch = get(batch_id)
    if batch.status in leases.ACTIVE:
        raise Conflict("still_running", "Stop this bulk action before you undo it.")
    by = action_of(batch).undone_by
    if by is None or not can_undo(batch):
        raise Conflict("cannot_be_undone", "There is nothing here that could be undone.")
    if not was_recorded(batch_id):
        raise Conflict("not_recorded", results.SKIPPED["not_recorded"])
    rows = select(BatchItem.target_id).where(*_recorded(batch_id, BatchItem)).order_by(BatchItem.id)
    why = (
        reason or actor().reason or f"undo of {batch.reason or 'an earlier bulk action'}"[:MAX_REASON_LENGTH]
    )
    return create(
        registry.find(batch.target_type, by),
        rows,
        reason=why,
        options={registry.UNDOES: str(batch_id), **own_lessons.bound_of_undo(batch)},
        undoes_id=batch_id,
        enqueue_job=enqueue_job,
    )


def latest_undos(batch_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, Batch]:
    """The latest undo of each of these batches that has one."""
    found = db.session.scalars(select(Batch).where(Batch.undoes_id.in_(batch_ids)).order_by(Batch.id))
    return {batch.undoes_id: batch for batch in found if batch.undoes_id is not None}


def _recorded(batch_id: uuid.UUID, item: Any) -> tuple[ColumnElement[bool], ...]:
    return item.batch_id == batch_id, item.status == "done", item.before.is_not(None)


def _since(item: Any, kind: Kind) -> tuple[ColumnElement[bool], ...]:
    """Audit rows of changes by anything else since the batch held the row's lock."""
    return (
        AuditLog.target_id == item.target_id,
        AuditLog.action.in_(kind.since),
        AuditLog.detail["after"].has_key(kind.field) if kind.field else true(),
        AuditLog.at > cast(item.before["at"].astext, DateTime(timezone=True)),
        AuditLog.detail["batch"].astext.is_distinct_from(cast(item.batch_id, AuditLog.action.type)),
        AuditLog.detail["by_itself"].astext.is_distinct_from("true"),
    )


def _restorable(batch: Batch) -> Select[Any]:
    by = action_of(batch).undone_by or ""
    action, kind = registry.find(batch.target_type, by), KINDS[by]
    item, model = aliased(BatchItem), action.model
    untouched = ~exists().where(*_since(item, kind))
    possible = (
        action.verdict(registry.NO_OPTIONS) == "restores" if by == "restore" else kind.differs(item.before)
    )
    return (
        select(item.target_id)
        .join(model, model.id == item.target_id)
        .where(and_(*_recorded(batch.id, item), untouched, possible))
    )


def _reading(batch: Batch) -> dict[str, Any]:
    """The option of a statement about what can be restored: what an undo brings out of the trash is in there."""
    return in_trash.too() if KINDS[action_of(batch).undone_by or ""].in_trash else {}


def _has_other_publication(before: Any) -> ColumnElement[bool]:
    return or_(
        Lesson.status != before["status"].astext,
        Lesson.publish_on_ready != cast(before["publish_on_ready"].astext, Boolean),
        *(time.is_distinct_from(cast(before[time.name].astext, DateTime(timezone=True))) for time in TIMES),
    )


@dataclass(frozen=True)
class Judged:
    """What a row was before the batch that is undone; `refused` if something has changed it since."""

    before: Mapping[str, object]
    refused: Result | None


def judge(batch_id: uuid.UUID, by: str, target_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, Judged]:
    """Under the locks of the rows: what each was, or why it is left alone. Rows of which nothing was recorded are
    missing."""
    item = aliased(BatchItem)
    since = (
        select(AuditLog.action, AuditLog.at, AuditLog.actor_type, AuditLog.actor_id)
        .where(*_since(item, KINDS.get(by, KINDS["restore_publication"])))
        .order_by(AuditLog.at.desc(), AuditLog.id.desc())
        .limit(1)
        .lateral()
    )
    found = db.session.execute(
        select(item.target_id, item.before, since.c.action, since.c.at, since.c.actor_type, User.name)
        .select_from(item)
        .outerjoin(since, and_(True))
        .outerjoin(User, User.id == since.c.actor_id)
        .where(*_recorded(batch_id, item), item.target_id.in_(target_ids))
    ).all()
    return {row[0]: Judged(row[1], _refusal(*row[2:]) if row[2] else None) for row in found}


def _refusal(action: str, at: datetime, actor_type: str, name: str | None) -> Result:
    if action == "video.deleted":
        return results.of("too_late")
    by = f"by {name or 'a removed account'}" if actor_type == "user" else "automatically"
    when = f"{at.astimezone(UTC):%-d %b %Y, %H:%M} UTC"
    return results.of("changed_since", f"Changed since {by} on {when}, so it is left as it is.")
