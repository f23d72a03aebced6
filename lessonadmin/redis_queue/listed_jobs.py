"""RQ's job and queue for a Redis that is not believed: only what stands in the list of jobs is ever called.

RQ imports whatever name it finds in Redis: of a function, of callbacks, in the worker, its children and in web. A
`ListedJob` reads only what `queue.enqueue` writes. Anything else makes it a refused job: it has no function, no
arguments and no callbacks, is never run, and can be shown and put away. It never unpickles, and reads nothing of a size
that Redis decides. A job's time comes from the list, not from Redis.
"""

import json
import logging
import uuid
import zlib
from base64 import b64decode
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from redis import Redis
from redis.exceptions import ResponseError
from rq import Queue
from rq.exceptions import NoSuchJobError
from rq.job import JOB_ID_PATTERN, Job, JobStatus

from lessonadmin import metrics
from lessonadmin.redis_queue.job_list import JOB_SECONDS, JOBS, KEEP_FAILED_SECONDS, LONG_JOBS, QUEUES
from lessonadmin.text.texts import plain

log = logging.getLogger(__name__)

REFUSED = "refused"
MAX_DATA_BYTES = 16_384
MAX_ARGUMENT_LENGTH, MAX_ARGUMENTS = 1_000, 6
MAX_REASON_LENGTH = 8_192
# What `queue.enqueue` and a worker write; with anything else in it (callbacks, dependencies, retries, web addresses to
# call) RQ would do more than call one function.
FIELDS = frozenset(
    {
        "created_at", "data", "description", "ended_at", "enqueued_at", "exc_info", "failure_ttl", "last_heartbeat",
        "origin", "result_ttl", "started_at", "status", "timeout", "worker_name",
    }
)  # fmt: skip


class Refused(Exception):
    """The function of a job was asked for that is not on the list."""


class _Unreadable(Exception):
    """Why the fields of a job are not those of a listed one."""


class ListedJob(Job):
    """A job of the list, or a refused one: then `refusal` says why, in words that may be shown."""

    refusal: str | None = None

    @classmethod
    def fetch(cls, id: str, connection: Redis | None = None, serializer: Any = None) -> "ListedJob":  # noqa: A002 - RQ's name
        if connection is None:
            raise TypeError("A job is fetched from a Redis.")
        (found,) = cls.fetch_many([id], connection, serializer)
        if found is None:
            raise NoSuchJobError("There is no such job.")
        return found

    @classmethod
    def fetch_many(  # type: ignore[override]  # a list of ListedJob
        cls, job_ids: Iterable[str], connection: Redis, serializer: Any = None
    ) -> "list[ListedJob | None]":
        ids = [one.partition(":")[0] for one in job_ids]  # also "job:execution"
        with connection.pipeline(transaction=False) as pipeline:
            for one in ids:
                pipeline.hgetall(cls.key_for(one))
            found = pipeline.execute(raise_on_error=False)
        return [cls._made(one, raw, connection, serializer) for one, raw in zip(ids, found, strict=True)]

    @classmethod
    def _made(cls, job_id: str, raw: Any, connection: Redis, serializer: Any) -> "ListedJob | None":
        if JOB_ID_PATTERN.fullmatch(job_id) is None:
            return cls._refused(None, "its id is none that a job has", connection, serializer)
        if isinstance(raw, ResponseError) and str(raw).startswith("WRONGTYPE"):
            return cls._refused(job_id, "it is no job at all", connection, serializer)
        if isinstance(raw, Exception):
            raise raw
        if not raw:
            return None
        job = cls(job_id, connection=connection, serializer=serializer)
        job.restore(raw)
        return job

    @classmethod
    def _refused(cls, job_id: str | None, why: str, connection: Redis, serializer: Any) -> "ListedJob":
        job = cls(job_id or str(uuid.uuid4()), connection=connection, serializer=serializer)
        job.restore({})
        job.refusal = why
        return job

    def restore(self, raw_data: Mapping[bytes | str, bytes]) -> None:
        """Take over the fields of a listed job; never raises, whatever Redis holds."""
        fields = {_text(name): value for name, value in raw_data.items()}
        try:
            name, arguments = _listed(fields)
        except _Unreadable as why:
            self.refusal, name, arguments = str(why), REFUSED, []
        self.func_name, self.instance, self.args, self.kwargs = name, None, arguments, {}
        origin = _text(fields.get("origin", b""))
        self.origin = origin if origin in QUEUES else JOBS.get(name, QUEUES[-1])
        self.created_at = _moment(fields, "created_at") or datetime.now(UTC)
        self.enqueued_at, self.started_at = _moment(fields, "enqueued_at"), _moment(fields, "started_at")
        self.ended_at, self.last_heartbeat = _moment(fields, "ended_at"), _moment(fields, "last_heartbeat")
        self.worker_name = _text(fields.get("worker_name", b""))[:200] or None
        self._status = _status(_text(fields.get("status", b"")))
        self.timeout = LONG_JOBS.get(name, JOB_SECONDS)
        self.result_ttl, self.failure_ttl = 0, KEEP_FAILED_SECONDS

    @property
    def func(self) -> Any:
        if self.refusal is not None or self.func_name not in JOBS:
            raise Refused(self.refusal or "not on the list")
        return super().func

    @property
    def success_callback(self) -> None:
        return None

    @property
    def failure_callback(self) -> None:
        return None

    @property
    def stopped_callback(self) -> None:
        return None

    def why_failed(self) -> str:
        """The text that a worker left when this job failed, as far as it can be read."""
        try:
            found: Any = self.connection.xrevrange(_results_key(self.id), "+", "-", count=1)
            packed = found[0][1].get(b"exc_string", b"") if found else b""
            return _unpacked(b64decode(packed), MAX_REASON_LENGTH).decode(errors="replace")
        except (ResponseError, ValueError, zlib.error):
            return ""

    def put_away(self, queue_name: str) -> None:
        """Count and log this refused job, and keep of it only that it was refused, among the failed ones."""
        why = self.refusal or ""
        told_refused(why)
        self.origin = queue_name
        self.ended_at = datetime.now(UTC)
        self._status = JobStatus.FAILED
        with self.connection.pipeline() as pipeline:
            pipeline.delete(self.key, self.dependents_key, self.dependencies_key, _results_key(self.id))
            self._handle_failure(f"Refused: {why}", pipeline=pipeline)
            pipeline.execute()

    def forget(self) -> None:
        """Delete whatever Redis holds under this job's id."""
        self.connection.delete(self.key, self.dependents_key, self.dependencies_key, _results_key(self.id))


class ListedQueue(Queue):
    """A queue of listed jobs. No job waits for another one, so none is sent off by another one's end."""

    job_class = ListedJob

    @classmethod
    def dequeue_any(cls, *args: Any, **kwargs: Any) -> Any:
        while True:
            try:
                return super().dequeue_any(*args, **kwargs)
            except UnicodeDecodeError:  # it is out of the queue by now, and there is no job to put away
                told_refused("its id is no text")

    def enqueue_dependents(self, *args: Any, **kwargs: Any) -> None:
        return None


def told_refused(why: str) -> None:
    metrics.jobs_refused.inc()
    log.error("a job was refused: %s", why)


def _results_key(job_id: str) -> str:
    return f"rq:results:{job_id}"


def _listed(fields: Mapping[str, bytes]) -> tuple[str, list[str]]:
    """Name and arguments of a job of the list, exactly as `queue.enqueue` writes them."""
    name, instance, arguments, options = _call(fields.get("data", b""))
    if not isinstance(name, str) or name not in JOBS:
        shown = plain(name, max_length=80) if isinstance(name, str) else f"a {type(name).__name__}"
        raise _Unreadable(f"{shown} is not on the list of jobs")
    if instance is not None or options != {}:
        raise _Unreadable(f"{name} is called with texts only")
    if not isinstance(arguments, list) or len(arguments) > MAX_ARGUMENTS:
        raise _Unreadable(f"{name} has too many arguments")
    if not all(isinstance(one, str) and len(one) <= MAX_ARGUMENT_LENGTH for one in arguments):
        raise _Unreadable(f"{name} has an argument that is no short text")
    for field, value in fields.items():
        if field not in FIELDS and value:
            raise _Unreadable(f"{name} brings {plain(field, max_length=40)}, which no job has")
    return name, arguments


def _call(packed: bytes) -> tuple[Any, Any, Any, Any]:
    try:
        name, instance, arguments, options = json.loads(_unpacked(packed, MAX_DATA_BYTES))
    except (ValueError, TypeError, RecursionError, zlib.error):
        raise _Unreadable("it cannot be read") from None
    return name, instance, arguments, options


def _unpacked(packed: bytes, most: int) -> bytes:
    """What zlib made small, and never more than this of it."""
    return zlib.decompressobj().decompress(packed, most) if packed else b""


def _text(raw: bytes | str) -> str:
    return raw if isinstance(raw, str) else raw.decode(errors="replace")


def _moment(fields: Mapping[str, bytes], name: str) -> datetime | None:
    try:
        return datetime.fromisoformat(_text(fields.get(name, b"")).removesuffix("Z")).replace(tzinfo=UTC)
    except ValueError:
        return None


def _status(told: str) -> JobStatus:
    try:
        return JobStatus(told)
    except ValueError:
        return JobStatus.CREATED
