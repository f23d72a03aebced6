"""Writing down a batch and its rows, and sending a worker off to it. The rows come first, the nudge after the commit."""

import uuid
from collections.abc import Mapping

from sqlalchemy import Text, Uuid, cast, func, literal, select
from sqlalchemy.dialects.postgresql import insert

from lessonadmin import queue
from lessonadmin.db import actor, after_commit, db, new_id
from lessonadmin.domain.audit import audit_log
from lessonadmin.domain.batches import leases, preview
from lessonadmin.domain.batches.preview import Source
from lessonadmin.domain.batches.registry import Action
from lessonadmin.domain.errors import Invalid
from lessonadmin.domain.models import Batch, BatchItem

MAX_REASON_LENGTH = 500
RUN_BATCH = "lessonadmin.jobs.batches.run_batch"


def create(
    action: Action,
    source: Source,
    *,
    reason: str = "",
    options: Mapping[str, object] | None = None,
    undoes_id: uuid.UUID | None = None,
    nudge: bool = True,
) -> Batch:
    """Write down a batch and its rows, however many, inside the open transaction; a worker is nudged after it.

    A choice that matches nothing makes a batch that is done at once.
    """
    reason = _checked(reason or actor().reason or "")
    batch = Batch(
        id=new_id(),
        action=action.name,
        target_type=action.target,
        reason=reason,
        options=dict(options or {}),
        undoes_id=undoes_id,
        created_by=actor().id if actor().type == "user" else None,
    )
    db.session.add(batch)
    db.session.flush()
    batch.total = _write_items(batch.id, source)
    if batch.total == 0:
        batch.status, batch.finished_at = "done", func.clock_timestamp()
    db.session.flush()
    _write_down(batch)
    if batch.total and nudge:
        nudge_worker(batch.id)
    return batch


def _write_down(batch: Batch) -> None:
    audit_log.record_for(
        "batch.created",
        "batch",
        batch.id,
        bulk_action=f"{batch.target_type}.{batch.action}",
        total=batch.total,
        undoes=str(batch.undoes_id) if batch.undoes_id else None,
        reason=batch.reason or None,
    )


def _checked(reason: str) -> str:
    reason = reason.strip()
    if len(reason) > MAX_REASON_LENGTH:
        raise Invalid.field("reason", f"Write down the reason in at most {MAX_REASON_LENGTH} characters.")
    return reason


def _write_items(batch_id: uuid.UUID, source: Source) -> int:
    """One statement for all rows. Their ids count upwards, so the order of the choice is the order of the work."""
    chosen = preview.as_select(source).subquery()
    numbered = select(
        next(iter(chosen.c)).label("target"), func.row_number().over().label("number")
    ).subquery()
    tail = batch_id.hex[16:]
    number = func.lpad(func.to_hex(numbered.c.number), 16, "0")
    item_id = cast(func.concat(literal(tail, Text), number), Uuid)
    rows = select(item_id, literal(batch_id, Uuid), numbered.c.target).order_by(numbered.c.number)
    written = db.session.execute(
        insert(BatchItem)
        .from_select(["id", "batch_id", "target_id"], rows)
        .on_conflict_do_nothing(index_elements=["batch_id", "target_id"])
        .execution_options(preserve_rowcount=True)
    )
    return int(written.rowcount)  # type: ignore[attr-defined]  # asked for above


def nudge_worker(batch_id: uuid.UUID) -> None:
    """Appoint a chain of jobs for this batch, unless there is one, and send it off once this transaction is safe."""
    turn = leases.appoint(batch_id)
    if turn is not None:
        after_commit(lambda: send(batch_id, turn))


def send(batch_id: uuid.UUID, turn: uuid.UUID) -> bool:
    """Queue the job that has this turn. If Redis is away the turn is over, and the next sweep appoints anew."""
    if queue.enqueue(RUN_BATCH, str(batch_id), str(turn), job_id=str(turn)):
        return True
    leases.end(batch_id, turn)
    return False
