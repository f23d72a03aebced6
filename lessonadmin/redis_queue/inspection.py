"""What RQ itself says about queues, workers and failed jobs, and trying or forgetting a failed job. Redis may be away."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from redis.exceptions import RedisError
from rq.exceptions import InvalidJobOperation, NoSuchJobError
from rq.serializers import JSONSerializer

from lessonadmin import queue
from lessonadmin.domain.errors import Conflict, Unavailable
from lessonadmin.observability import logs
from lessonadmin.redis_queue.job_list import QUEUES
from lessonadmin.redis_queue.listed_jobs import ListedJob, ListedQueue
from lessonadmin.text.texts import plain

MAX_SHOWN = 50
MAX_ERROR_LENGTH = 2_000
WORKERS, WORKER = "rq:workers", b"rq:worker:"


@dataclass(frozen=True)
class Worker:
    """A worker."""

    name: str
    state: str
    queues: str
    seen: datetime | None
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
    listed: bool


@dataclass(frozen=True)
class JobsOverview:
    """Everything of one moment; `away` if Redis did not answer."""

    away: bool
    counts: dict[str, dict[str, int]]
    workers: tuple[Worker, ...] = ()
    failures: tuple[Failure, ...] = ()
    waited: float | None = None


def look() -> JobsOverview:
    try:
        counts = queue.counts()
        if not counts:
            return JobsOverview(True, {})
        return JobsOverview(False, counts, tuple(_workers()), tuple(_failures()), queue.max_wait_seconds())
    except RedisError:
        return JobsOverview(True, {})


def _workers() -> list[Worker]:
    """The workers, read here: RQ's own reading stops at the first one that it does not understand."""
    connection = queue.connection()
    names: Any = connection.smembers(WORKERS)
    keys = sorted(one for one in names if one.startswith(WORKER))[:MAX_SHOWN]
    with connection.pipeline(transaction=False) as pipeline:
        for key in keys:
            pipeline.hgetall(key)
        found = pipeline.execute(raise_on_error=False)
    return [_hand(key, raw) for key, raw in zip(keys, found, strict=True) if isinstance(raw, dict) and raw]


def _hand(key: bytes, raw: dict[bytes, bytes]) -> Worker:
    fields = {_words(name): _words(value) for name, value in raw.items()}
    return Worker(
        _words(key.removeprefix(WORKER)),
        fields.get("state", "?"),
        fields.get("queues", "").replace(",", ", "),
        _moment(fields.get("last_heartbeat", "")),
        _number(fields.get("successful_job_count", "")),
        _number(fields.get("failed_job_count", "")),
    )


def _words(raw: bytes) -> str:
    return plain(raw.decode(errors="replace"), max_length=100)


def _number(told: str) -> int:
    return int(told) if told.isdecimal() and len(told) < 16 else 0


def _moment(told: str) -> datetime | None:
    try:
        return datetime.fromisoformat(told.removesuffix("Z")).replace(tzinfo=UTC)
    except ValueError:
        return None


def _failures() -> list[Failure]:
    found = []
    for name in QUEUES:
        one = queue.queue(name)
        ids = list(_failed_ids(one, MAX_SHOWN))
        for job_id, job in zip(
            ids, one.job_class.fetch_many(ids, one.connection, JSONSerializer), strict=True
        ):
            if job is not None:
                found.append(_failure(name, job_id, job))
    oldest = datetime.min.replace(tzinfo=UTC)
    return sorted(found, key=lambda one: one.ended or oldest, reverse=True)[:MAX_SHOWN]


def _failed_ids(one: ListedQueue, most: int = 0) -> dict[str, bytes]:
    """The ids of failed jobs, the newest first, each with the bytes that Redis knows it by."""
    members: Any = one.connection.zrange(one.failed_job_registry.key, 0, most - 1, desc=True)
    return {member.decode(errors="replace"): member for member in members}


def _failure(name: str, job_id: str, job: ListedJob) -> Failure:
    error = logs.scrubbed_trace(job.why_failed()).strip()[-MAX_ERROR_LENGTH:]
    if job.refusal is not None:
        return Failure(
            job_id, name, "unreadable job", "", job.ended_at, error or f"Refused: {job.refusal}", False
        )
    arguments = plain(", ".join(job.args), max_length=200)
    what = (job.func_name or "").rpartition(".")[2].replace("_", " ")
    return Failure(job_id, name, what, arguments, job.ended_at, error, True)


def retry(job_id: str) -> None:
    """Put a failed job back into its queue."""
    with _redis_answers():
        one, job = _failed(job_id)
        if job is None or job.refusal is not None:
            raise Conflict("unreadable", "This is not a job of Lessonadmin, so it cannot be tried again.")
        one.failed_job_registry.requeue(job)


def forget(job_id: str) -> None:
    """Delete a failed job. What it should have done stands in the database, so a sweep does it anyway."""
    with _redis_answers():
        one, job = _failed(job_id)
        one.connection.zrem(one.failed_job_registry.key, _failed_ids(one)[job_id])
        if job is not None:
            job.forget()


def retry_all() -> int:
    """Put every failed job back that can be run; how many."""
    count = 0
    with _redis_answers():
        for name in QUEUES:
            one = queue.queue(name)
            for job in one.job_class.fetch_many(_failed_ids(one), one.connection, JSONSerializer):
                if job is not None and job.refusal is None:
                    with suppress(NoSuchJobError, InvalidJobOperation):
                        one.failed_job_registry.requeue(job)
                        count += 1
    return count


def _failed(job_id: str) -> tuple[ListedQueue, ListedJob | None]:
    """The queue in which this job has failed, and the job if it is still there."""
    for name in QUEUES:
        one = queue.queue(name)
        if job_id in _failed_ids(one):
            (job,) = one.job_class.fetch_many([job_id], one.connection, JSONSerializer)
            return one, job
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
