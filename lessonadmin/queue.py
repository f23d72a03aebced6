"""The queue: one enqueue function, jobs by the names of `job_list`, JSON only.

A job only makes work quick: what must happen is a row, and a sweep finds it when a job is lost. So nothing in here waits
for Redis longer than half a second, retries, or raises. This module knows no rule and imports no job.
"""

import logging
from datetime import UTC, datetime
from functools import cache

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from rq.serializers import JSONSerializer

from lessonadmin import config
from lessonadmin.db import after_commit
from lessonadmin.redis_queue.job_list import (
    JOB_SECONDS,
    JOBS,
    KEEP_FAILED_SECONDS,
    LONG_JOBS,
    QUEUES,
    QueueName,
)
from lessonadmin.redis_queue.listed_jobs import ListedQueue

log = logging.getLogger(__name__)


@cache
def _connection(url: str) -> "Redis":
    return Redis.from_url(
        url,
        socket_timeout=0.5,
        socket_connect_timeout=0.5,
        retry=Retry(NoBackoff(), 0),
        retry_on_timeout=False,
    )


def connection() -> "Redis":
    """The impatient connection of the web: half a second, no retries."""
    return _connection(config.current().redis_url)


def queue(name: QueueName) -> ListedQueue:
    return ListedQueue(name, connection=connection(), serializer=JSONSerializer, default_timeout=JOB_SECONDS)


def enqueue(job: str, *args: str, job_id: str | None = None) -> bool:
    """Enqueue a job now; False if Redis is away (then the sweep does the work)."""
    try:
        queue(JOBS[job]).enqueue(
            job,
            *args,
            job_id=job_id,
            result_ttl=0,
            failure_ttl=KEEP_FAILED_SECONDS,
            job_timeout=LONG_JOBS.get(job, JOB_SECONDS),
        )
    except RedisError as error:
        log.warning("job %s not enqueued: %s", job, type(error).__name__)
        return False
    return True


def enqueue_after_commit(job: str, *args: str) -> None:
    """Enqueue a job once the open transaction is committed, so that the job never sees the rows of before."""
    after_commit(lambda: enqueue(job, *args))


def in_line(job: str, job_id: str) -> bool:
    """Does this job still wait for a worker? False also if Redis is away or has lost it."""
    try:
        return queue(JOBS[job]).get_job_position(job_id) is not None
    except RedisError:
        return False


def answers() -> bool:
    """Does Redis answer?"""
    try:
        return bool(connection().ping())
    except RedisError:
        return False


def counts() -> dict[str, dict[str, int]]:
    """How many jobs each queue has in each state; empty if Redis is away."""
    try:
        found = {name: queue(name) for name in QUEUES}
        return {
            name: {
                "queued": one.count,
                "started": one.started_job_registry.get_job_count(
                    cleanup=False
                ),  # cleaning up is for workers
                "failed": one.failed_job_registry.count,
                "scheduled": one.scheduled_job_registry.count,
            }
            for name, one in found.items()
        }
    except RedisError:
        return {}


def max_wait_seconds() -> float | None:
    """Seconds that the oldest waiting job has waited; None if none waits or Redis is away."""
    try:
        waits = [_waited(queue(name)) for name in QUEUES]
    except RedisError:
        return None
    return max((wait for wait in waits if wait is not None), default=None)


def _waited(one: ListedQueue) -> float | None:
    try:
        ids = one.get_job_ids(0, 1)
    except UnicodeDecodeError:
        return None  # a worker puts it away
    job = one.fetch_job(ids[0]) if ids else None
    if job is None or job.enqueued_at is None:
        return None
    return (datetime.now(UTC) - job.enqueued_at.astimezone(UTC)).total_seconds()
