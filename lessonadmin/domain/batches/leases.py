"""Leases: on a batch, so that one chain of jobs works on it; on an item, so that it is finished once. Lessons are not touched.

An item is finished only by the holder of its lease, in the transaction that also moves the counters, so they are right
after any crash and with any number of workers. The running time is counted in the same place: what a killed worker did
after its last item is not counted, and neither is the time until the next one comes. Locks are taken in one order
everywhere: lesson, item, batch.

The lease on a batch is a heartbeat row with a token, and the token is also the id of the job that holds it. A job renews
its lease while it works and passes it on to the next job of the chain; when it falls silent (a killed worker) or its job
was lost before it started (an emptied Redis) the sweep gives the lease to another job. Items have leases of their own, so
a batch lease lost by mistake costs time and never an item.
"""

import json
import uuid
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement, case, delete, exists, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from lessonadmin.db import db, later, new_id
from lessonadmin.domain.batches.results import Result
from lessonadmin.domain.models import Batch, BatchItem, Heartbeat

LEASE_SECONDS = 60.0
ACTIVE = ("open", "running")
UNFINISHED = ("open", "running")
MAX_NOTE_LENGTH = 500
KEEP_BEFORE = text("""UPDATE batch_items SET before = CAST(given.state AS jsonb)
  FROM unnest(CAST(:ids AS uuid[]), CAST(:states AS text[])) AS given (target_id, state)
 WHERE batch_id = :batch_id AND batch_items.target_id = given.target_id AND before IS NULL""")


@dataclass(frozen=True)
class Lease:
    """The right to finish one item, until it runs out."""

    item_id: uuid.UUID
    batch_id: uuid.UUID
    target_id: uuid.UUID
    token: uuid.UUID
    attempts: int


def claim(item_id: uuid.UUID) -> Lease | None:
    """Lease an item that is due; None if it is finished, not due, leased already, or its batch is stopped."""
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
    """Record how an item ended; False (and nothing is written) if the lease was lost."""
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
    keep_before(lease.batch_id, {lease.target_id: result.before} if result.before else {})
    _count(lease.batch_id, Counter([result.status]))
    return True


def finish_locked(batch_id: uuid.UUID, results: Mapping[uuid.UUID, Result]) -> None:
    """The same for open items that this transaction has locked."""
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


def keep_before(batch_id: uuid.UUID, states: Mapping[uuid.UUID, Mapping[str, object]]) -> None:
    """Write down what rows were before the action. What the first try wrote down stays: a later one sees its changes."""
    if states:
        db.session.execute(
            KEEP_BEFORE,
            {
                "batch_id": batch_id,
                "ids": list(states),
                "states": [json.dumps(one) for one in states.values()],
            },
        )


def _ending(result: Result) -> dict[str, object]:
    return {
        "status": result.status,
        "error": None if result.status == "done" else result.note[:MAX_NOTE_LENGTH],
        "lease_token": None,  # no token any more # nosec B105
        "finished_at": func.clock_timestamp(),
    }


def put_back(lease: Lease, why: str, *, seconds: float) -> bool:
    """Retry this item later; False if the lease was lost."""
    put = db.session.execute(
        update(BatchItem)
        .where(BatchItem.id == lease.item_id, BatchItem.lease_token == lease.token)
        .values(status="open", lease_token=None, error=why[:MAX_NOTE_LENGTH], due_at=later(seconds))
        .returning(BatchItem.id)
    ).first()
    return put is not None


def free_expired(batch_id: uuid.UUID | None = None) -> None:
    """Reopen items whose worker fell silent; what that worker may still finish is refused."""
    changing = update(BatchItem).where(
        BatchItem.status == "running", BatchItem.due_at <= func.clock_timestamp()
    )
    if batch_id is not None:
        changing = changing.where(BatchItem.batch_id == batch_id)
    db.session.execute(
        changing.values(status="open", lease_token=None).execution_options(synchronize_session=False)
    )


def start_timing(batch_id: uuid.UUID) -> None:
    """The running time counts from now on. The caller commits."""
    _set(batch_id, running_since=func.clock_timestamp())


def stop_timing(batch_id: uuid.UUID) -> None:
    """No worker is on the batch for now. The caller commits."""
    _set(batch_id, running_seconds=_run_until_now(), running_since=None)


def _set(batch_id: uuid.UUID, **values: object) -> None:
    db.session.execute(
        update(Batch)
        .where(Batch.id == batch_id)
        .values(**values)
        .execution_options(synchronize_session=False)
    )


def _run_until_now() -> ColumnElement[float]:
    """More than a lease between two items is not work: a worker was killed, and another one came later."""
    since = func.extract("epoch", func.clock_timestamp() - Batch.running_since)
    return Batch.running_seconds + func.coalesce(func.least(since, LEASE_SECONDS), 0)


def _count(batch_id: uuid.UUID, ended: Counter[str]) -> None:
    """Move the counters; the batch is done with its last item, also when it was stopped meanwhile."""
    done, failed, skipped = (ended[name] for name in ("done", "failed", "skipped"))
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
class OpenItem:
    """An item that waits to be carried out."""

    id: uuid.UUID
    target_id: uuid.UUID


def next_open(batch_id: uuid.UUID, after: uuid.UUID | None, limit: int, *, lock: bool) -> list[OpenItem]:
    """Open items that are due, by key after the last one; items that another worker has locked are left out."""
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
    return [OpenItem(*row) for row in db.session.execute(wanted)]


def has_due(batch_id: uuid.UUID) -> bool:
    """Is any item due now?"""
    found = next_open(batch_id, None, 1, lock=False)
    db.session.rollback()
    return bool(found)


# The lease on a batch

SILENT_AFTER_SECONDS = 30.0
LOST_AFTER_SECONDS = 2.0  # enqueueing a job takes a second at most
PREFIX = "batch:"  # of the heartbeat's name


def _name(batch_id: uuid.UUID) -> str:
    return f"{PREFIX}{batch_id}"


@dataclass(frozen=True)
class BatchLease:
    """The lease that was given last and not released, expired or not.

    `may_be_lost`: its job has not started, and should be in the queue by now.
    """

    token: uuid.UUID
    may_be_lost: bool


def lease_batch(batch_id: uuid.UUID, *, begun: bool = False) -> uuid.UUID | None:
    """A new lease, or None while another one is held. `begun`: without a job, for a caller that does the work itself. The
    caller commits."""
    token = new_id()
    detail = {"turn": str(token), "begun": begun}
    row = insert(Heartbeat).values(name=_name(batch_id), at=func.clock_timestamp(), detail=detail)
    given = db.session.execute(
        row.on_conflict_do_update(
            index_elements=["name"],
            set_={"at": func.clock_timestamp(), "detail": row.excluded.detail},
            where=Heartbeat.at < later(-SILENT_AFTER_SECONDS),
        ).returning(Heartbeat.name)
    ).first()
    return token if given is not None else None


def batch_lease(batch_id: uuid.UUID) -> BatchLease | None:
    """The lease on this batch; None while there is none."""
    found = db.session.execute(
        select(Heartbeat.detail, Heartbeat.at <= later(-LOST_AFTER_SECONDS)).where(
            Heartbeat.name == _name(batch_id)
        )
    ).first()
    if found is None:
        return None
    detail, old = found
    return BatchLease(uuid.UUID(str(detail["turn"])), old and not detail.get("begun"))


def pass_on(batch_id: uuid.UUID, token: uuid.UUID) -> uuid.UUID | None:
    """The lease for the next job of the chain; None if another one was given meanwhile. Commits."""
    following = new_id()
    passed = db.session.execute(
        update(Heartbeat)
        .where(Heartbeat.name == _name(batch_id), Heartbeat.detail["turn"].astext == str(token))
        .values(at=func.clock_timestamp(), detail={"turn": str(following)})
        .returning(Heartbeat.name)
    ).first()
    db.session.commit()
    return following if passed is not None else None


def renew(batch_id: uuid.UUID, token: uuid.UUID, *, queued: bool = False) -> bool:
    """The work goes on, or (`queued`) its job still waits in the queue; False if another lease was given. Commits."""
    begun = {} if queued else {"detail": {"turn": str(token), "begun": True}}
    kept = db.session.execute(
        update(Heartbeat)
        .where(Heartbeat.name == _name(batch_id), Heartbeat.detail["turn"].astext == str(token))
        .values(at=func.clock_timestamp(), **begun)
        .returning(Heartbeat.name)
    ).first()
    db.session.commit()
    return kept is not None


def release(batch_id: uuid.UUID, token: uuid.UUID) -> None:
    """Nothing to do for now: the next sweep that finds work gives a new lease. Commits."""
    db.session.execute(
        delete(Heartbeat).where(
            Heartbeat.name == _name(batch_id), Heartbeat.detail["turn"].astext == str(token)
        )
    )
    db.session.commit()
