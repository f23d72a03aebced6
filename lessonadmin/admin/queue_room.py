"""What RQ itself says about queues, workers and failed jobs, and trying or forgetting a failed job. Redis may be away."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from redis.exceptions import RedisError
from rq import Worker
from rq.exceptions import InvalidJobOperation, NoSuchJobError
from rq.job import Job
from rq.serializers import JSONSerializer

from lessonadmin import queue
from lessonadmin.domain.errors import Conflict, Unavailable

MOST_SHOWN = 50
LONGEST_ERROR = 2_000


@dataclass(frozen=True)
class Hand:
    """A worker."""

    name: str
    state: str
    queues: str
    seen: datetime | None
    job: str | None
    done: int
    failed: int


@dataclass(frozen=True)
class Failure:
    """A job that failed for good."""

    id: str
    queue: str
    what: str
    arguments: str
    ended: datetime | None
    error: str


@dataclass(frozen=True)
class Room:
    """Everything of one moment; `away` if Redis did not answer."""

    away: bool
    counts: dict[str, dict[str, int]]
    hands: tuple[Hand, ...] = ()
    failures: tuple[Failure, ...] = ()
    waited: float | None = None


def look() -> Room:
    try:
        counts = queue.counts()
        if not counts:
            return Room(True, {})
        workers = Worker.all(connection=queue.connection(), serializer=JSONSerializer)
        hands = tuple(sorted(map(_hand, workers), key=lambda one: one.name))
        return Room(False, counts, hands, tuple(_failures()), queue.longest_wait())
    except RedisError:
        return Room(True, {})


def _hand(worker: Any) -> Hand:
    job_id = worker.get_current_job_id()
    return Hand(
        worker.name,
        str(worker.get_state()),
        ", ".join(worker.queue_names()),
        _utc(worker.last_heartbeat),
        job_id,
        worker.successful_job_count or 0,
        worker.failed_job_count or 0,
    )


def _failures() -> list[Failure]:
    found = []
    for name in queue.QUEUES:
        one = queue.queue(name)
        ids = one.failed_job_registry.get_job_ids(0, MOST_SHOWN - 1, desc=True)
        for job in Job.fetch_many(ids, connection=queue.connection(), serializer=JSONSerializer):
            if job is not None:
                found.append(_failure(name, job))
    oldest = datetime.min.replace(tzinfo=UTC)
    return sorted(found, key=lambda one: one.ended or oldest, reverse=True)[:MOST_SHOWN]


def _failure(name: str, job: Any) -> Failure:
    result = job.latest_result()
    error = (result.exc_string if result is not None else "") or job.exc_info or ""
    arguments = ", ".join(str(one) for one in job.args)[:200]
    what = job.func_name.rpartition(".")[2].replace("_", " ")
    return Failure(job.id, name, what, arguments, _utc(job.ended_at), error.strip()[-LONGEST_ERROR:])


def _utc(moment: datetime | None) -> datetime | None:
    if moment is None:
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def retry(job_id: str) -> None:
    """Put a failed job back into its queue."""
    with _redis_answers():
        _registry_of(job_id)[0].requeue(job_id)


def forget(job_id: str) -> None:
    """Delete a failed job. What it should have done stands in the database, so a sweep does it anyway."""
    with _redis_answers():
        registry, job = _registry_of(job_id)
        registry.remove(job, delete_job=True)


def retry_all() -> int:
    """Put every failed job back; how many."""
    count = 0
    with _redis_answers():
        for name in queue.QUEUES:
            registry = queue.queue(name).failed_job_registry
            for job_id in registry.get_job_ids():
                with suppress(NoSuchJobError, InvalidJobOperation):
                    registry.requeue(job_id)
                    count += 1
    return count


def _registry_of(job_id: str) -> tuple[Any, Any]:
    for name in queue.QUEUES:
        registry = queue.queue(name).failed_job_registry
        if job_id and job_id in registry:
            return registry, Job.fetch(job_id, connection=queue.connection(), serializer=JSONSerializer)
    raise Conflict("not_failed", "This job has not failed, or is not there any more.")


@contextmanager
def _redis_answers() -> Iterator[None]:
    try:
        yield
    except (NoSuchJobError, InvalidJobOperation) as error:
        raise Conflict("not_failed", "This job has not failed, or is not there any more.") from error
    except RedisError as error:
        raise Unavailable(
            "redis_unavailable", "Redis does not answer right now. Nothing was changed."
        ) from error
