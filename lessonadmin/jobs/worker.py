"""`flask worker`: RQ's worker with the app loaded before it forks, so that a job costs no import.

It runs the jobs of the list and nothing else that may stand in Redis, leaves heartbeats in the database, stops
gracefully on SIGTERM, and comes back by itself when Redis was away. It takes no orders from Redis: it listens to no
channel. It decides nothing about jobs.
"""

import logging
import os
import random
import signal
import socket
import sys
import threading
import time
from datetime import UTC, datetime
from typing import Any

import click
from flask import Flask, current_app
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from rq import Worker
from rq.serializers import JSONSerializer
from sqlalchemy.exc import SQLAlchemyError

from lessonadmin import config
from lessonadmin.db import db
from lessonadmin.domain import heartbeats
from lessonadmin.jobs import own_connections
from lessonadmin.observability import error_reports, traces
from lessonadmin.redis_queue.job_list import QUEUES
from lessonadmin.redis_queue.listed_jobs import ListedJob, ListedQueue
from lessonadmin.security import security_events

log = logging.getLogger(__name__)

# RQ looks for abandoned jobs only between two waits, so the waits are short.
WORKER_TTL = 30
MAINTENANCE_SECONDS = 10
MONITORING_SECONDS = 5
HEARTBEAT_SECONDS = 10
MAX_WAIT_FOR_REDIS_SECONDS = 5.0


class LessonWorker(Worker):
    """RQ's forking worker: each job in a child with an application context and connections of its own."""

    job_class = ListedJob
    queue_class = ListedQueue
    max_connection_wait_time = MAX_WAIT_FOR_REDIS_SECONDS
    application: Flask
    heartbeat_at = 0.0

    def heartbeat(self, timeout: int | None = None, pipeline: Any = None) -> None:
        super().heartbeat(timeout, pipeline)
        self._leave_heartbeat()

    def _leave_heartbeat(self) -> None:
        if time.monotonic() - self.heartbeat_at < HEARTBEAT_SECONDS or os.getpid() != self.pid:
            return
        self.heartbeat_at = time.monotonic()
        try:
            with self.application.app_context():
                heartbeats.record(f"{heartbeats.WORKER}{socket.gethostname()}:{os.getpid()}")
                security_events.write_due()
        except SQLAlchemyError as error:
            log.warning("the heartbeat could not be written: %s", type(error).__name__)

    def execute_job(self, job: Any, queue: Any) -> None:
        if job.refusal is None:
            super().execute_job(job, queue)
        else:
            security_events.record("job_refused", reason=job.refusal)
            job.put_away(queue.name)

    def clean_registries(self) -> None:
        """RQ's housekeeping; what cannot be read there stops no work."""
        try:
            super().clean_registries()  # type: ignore[no-untyped-call]  # RQ has none
        except RedisConnectionError:
            raise
        except Exception as error:  # RQ raises many kinds for entries it cannot read
            log.warning("what is left of old jobs could not be cleaned up: %s", type(error).__name__)
            self.last_cleaned_at = datetime.now(UTC)  # type: ignore[assignment]  # RQ says None only

    def _set_ip_address(self, connection: Any) -> None:
        """Its address is of no use, and to ask for it is to ask who else is there."""
        connection.client_setname(self.name)
        self.ip_address = "unknown"

    def subscribe(self) -> None:
        """No message in Redis may stop this worker or its job."""

    def handle_job_failure(
        self, job: Any, queue: Any, started_job_registry: Any = None, exc_string: str = ""
    ) -> None:
        """What went wrong is kept in Redis without a value: its kind, and where it happened."""
        error = sys.exc_info()[1]
        kept = exc_string if error is None else traces.told(error)
        super().handle_job_failure(job, queue, started_job_registry, kept)

    def handle_exception(self, job: Any, *exc_info: Any) -> None:
        log.error("the job %s failed", job.func_name, exc_info=exc_info)
        error_reports.flush()  # RQ ends this child at once

    def main_work_horse(self, job: Any, queue: Any) -> None:
        with self.application.app_context():
            db.engine.dispose(close=False)  # the parent's connections are the parent's
            random.seed()
            super().main_work_horse(job, queue)


def _connection() -> Redis:
    """The worker's own connection: it waits for work, so it is patient, but it notices a dead server."""
    return Redis.from_url(config.current().redis_url, socket_connect_timeout=3, health_check_interval=15)


def _make(application: Flask) -> LessonWorker:
    connection = _connection()
    queues = [ListedQueue(name, connection=connection, serializer=JSONSerializer) for name in QUEUES]
    worker = LessonWorker(
        queues,
        connection=connection,
        serializer=JSONSerializer,
        worker_ttl=WORKER_TTL,
        maintenance_interval=MAINTENANCE_SECONDS,
        job_monitoring_interval=MONITORING_SECONDS,
        log_job_description=False,
    )
    worker.application = application
    return worker


def run(application: Flask, *, burst: bool) -> None:
    """Work until the process is told to stop; a Redis that does not answer is waited for."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    while not stop.is_set():
        try:
            worker = _make(application)
            worker.work(burst=burst, logging_level="WARNING")
            if burst or worker._stop_requested or worker._shutdown_requested_date is not None:
                return
        except RedisError as error:
            if burst:
                raise click.ClickException(
                    "Redis does not answer, so there is nothing to work on."
                ) from error
            log.warning("Redis does not answer (%s), trying again", type(error).__name__)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        stop.wait(1 + random.random() * 2)  # noqa: S311  # only so that workers do not all come back at once # nosec B311


@click.command("worker")
@click.option("--burst", is_flag=True, help="Stop when the queues are empty.")
def command(burst: bool) -> None:
    """Work on jobs until stopped."""
    own_connections.required()
    application: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # the real one, for forks
    run(application, burst=burst)
