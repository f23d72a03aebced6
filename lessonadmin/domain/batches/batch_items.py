"""The rows of a batch and its counters: taking a row by lease, finishing it, putting it back. Nothing is done to lessons.

A row is finished only by whoever holds its lease, in the transaction that also moves the counters, so they are right
after any crash and with any number of workers. The running time is counted in the same place: what a killed worker did
after its last row is not counted, and neither is the time until the next one comes. Locks are taken in one order everywhere: lesson, item, batch.
"""

import uuid
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement, case, exists, func, select, update

from lessonadmin.db import db, later, new_id
from lessonadmin.domain.batches.row_results import Result
from lessonadmin.domain.models import Batch, BatchItem

LEASE_SECONDS = 60.0
ACTIVE = ("open", "running")
UNFINISHED = ("open", "running")
MAX_NOTE_LENGTH = 500


@dataclass(frozen=True)
class Lease:
    """The right to finish one row, until it runs out."""

    item_id: uuid.UUID
    batch_id: uuid.UUID
    target_id: uuid.UUID
    token: uuid.UUID
    attempts: int


def claim(item_id: uuid.UUID) -> Lease | None:
    """Take a row that is due; None if it is finished, waiting, in other hands, or its batch is stopped."""
    token = new_id()
    active = exists().where(Batch.id == BatchItem.batch_id, Batch.status.in_(ACTIVE))
    row = db.session.execute(
        update(BatchItem)
        .where(
            BatchItem.id == item_id,
            BatchItem.status.in_(UNFINISHED),
            BatchItem.due_at <= func.clock_timestamp(),
            active,
        )
        .values(
            status="running",
            lease_token=token,
            attempts=BatchItem.attempts + 1,
            due_at=later(LEASE_SECONDS),
        )
        .returning(BatchItem.batch_id, BatchItem.target_id, BatchItem.attempts)
    ).first()
    return Lease(item_id, row[0], row[1], token, row[2]) if row is not None else None


def finish(lease: Lease, result: Result) -> bool:
    """Write down how a row ended; False (and nothing is written) if the lease is not ours any more."""
    written = db.session.execute(
        update(BatchItem)
        .where(
            BatchItem.id == lease.item_id,
            BatchItem.status == "running",
            BatchItem.lease_token == lease.token,
        )
        .values(**_ending(result))
        .returning(BatchItem.id)
    ).first()
    if written is None:
        return False
    _count(lease.batch_id, Counter([result.status]))
    return True


def finish_locked(batch_id: uuid.UUID, results: Mapping[uuid.UUID, Result]) -> None:
    """The same for open rows that this transaction has locked."""
    alike: dict[tuple[str, str], list[uuid.UUID]] = {}
    for item_id, result in results.items():
        alike.setdefault((result.status, result.note), []).append(item_id)
    for (status, note), ids in sorted(alike.items()):
        ending = _ending(Result(status, note))  # type: ignore[arg-type]  # came out of a Result
        db.session.execute(
            update(BatchItem)
            .where(BatchItem.id.in_(ids))
            .values(attempts=BatchItem.attempts + 1, **ending)
            .execution_options(synchronize_session=False)
        )
    _count(batch_id, Counter(result.status for result in results.values()))


def _ending(result: Result) -> dict[str, object]:
    return {
        "status": result.status,
        "error": None if result.status == "done" else result.note[:MAX_NOTE_LENGTH],
        "lease_token": None,
        "finished_at": func.clock_timestamp(),
    }


def put_back(lease: Lease, why: str, *, seconds: float) -> bool:
    """Try this row again later; False if the lease is not ours any more."""
    put = db.session.execute(
        update(BatchItem)
        .where(BatchItem.id == lease.item_id, BatchItem.lease_token == lease.token)
        .values(status="open", lease_token=None, error=why[:MAX_NOTE_LENGTH], due_at=later(seconds))
        .returning(BatchItem.id)
    ).first()
    return put is not None


def free_expired(batch_id: uuid.UUID | None = None) -> None:
    """Rows whose worker fell silent are open again; what it may still finish is refused."""
    changing = update(BatchItem).where(
        BatchItem.status == "running", BatchItem.due_at <= func.clock_timestamp()
    )
    if batch_id is not None:
        changing = changing.where(BatchItem.batch_id == batch_id)
    db.session.execute(
        changing.values(status="open", lease_token=None).execution_options(synchronize_session=False)
    )


def running_begins(batch_id: uuid.UUID) -> None:
    """From now on the time counts. The caller commits."""
    _set(batch_id, running_since=func.clock_timestamp())


def running_ends(batch_id: uuid.UUID) -> None:
    """Nobody works on the batch for now. The caller commits."""
    _set(batch_id, running_seconds=_run_until_now(), running_since=None)


def _set(batch_id: uuid.UUID, **values: object) -> None:
    db.session.execute(
        update(Batch)
        .where(Batch.id == batch_id)
        .values(**values)
        .execution_options(synchronize_session=False)
    )


def _run_until_now() -> ColumnElement[float]:
    """More than a lease between two rows is no work: then a worker was killed, and another one came later."""
    since = func.extract("epoch", func.clock_timestamp() - Batch.running_since)
    return Batch.running_seconds + func.coalesce(func.least(since, LEASE_SECONDS), 0)


def _count(batch_id: uuid.UUID, observation: Counter[str]) -> None:
    """Move the counters; the batch is done with its last row, also when it was stopped meanwhile."""
    done, failed, skipped = (observation[name] for name in ("done", "failed", "skipped"))
    finished = Batch.done + Batch.failed + Batch.skipped + done + failed + skipped >= Batch.total
    _set(
        batch_id,
        done=Batch.done + done,
        failed=Batch.failed + failed,
        skipped=Batch.skipped + skipped,
        status=case((finished, "done"), (Batch.status == "stopped", "stopped"), else_="running"),
        finished_at=case((finished, func.clock_timestamp()), else_=None),
        running_seconds=_run_until_now(),
        running_since=case((Batch.running_since.is_not(None), func.clock_timestamp()), else_=None),
    )


@dataclass(frozen=True)
class Open:
    """A row that waits to be carried out."""

    id: uuid.UUID
    target_id: uuid.UUID


def next_open(batch_id: uuid.UUID, after: uuid.UUID | None, limit: int, *, lock: bool) -> list[Open]:
    """Open rows that are due, by key after the last one; locked rows belong to somebody else."""
    wanted = (
        select(BatchItem.id, BatchItem.target_id)
        .where(
            BatchItem.batch_id == batch_id,
            BatchItem.status == "open",
            BatchItem.due_at <= func.clock_timestamp(),
            exists().where(Batch.id == batch_id, Batch.status.in_(ACTIVE)),
        )
        .order_by(BatchItem.id)
        .limit(limit)
    )
    if after is not None:
        wanted = wanted.where(BatchItem.id > after)
    if lock:
        wanted = wanted.with_for_update(of=BatchItem, skip_locked=True)
    return [Open(*row) for row in db.session.execute(wanted)]


def has_due(batch_id: uuid.UUID) -> bool:
    """Is there anything to do now?"""
    found = next_open(batch_id, None, 1, lock=False)
    db.session.rollback()
    return bool(found)
