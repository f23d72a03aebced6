"""The product's worker in the process of a test: its checks and its records are the real ones, only nothing forks."""

from typing import Any

from flask import Flask
from rq.serializers import JSONSerializer
from rq.timeouts import TimerDeathPenalty

from lessonadmin import queue
from lessonadmin.db import db
from lessonadmin.jobs.worker import LessonWorker
from lessonadmin.redis_queue.job_list import QUEUES


class WorkerHere(LessonWorker):
    death_penalty_class = TimerDeathPenalty

    def fork_work_horse(self, job: Any, queue: Any) -> None:
        self.perform_job(job, queue)

    def monitor_work_horse(self, job: Any, queue: Any) -> None:
        """It is done by now."""

    def _leave_heartbeat(self) -> None:
        """No test asks whether it lives."""


def work_off(app: Flask) -> WorkerHere:
    """Do all that waits."""
    queues = [queue.queue(name) for name in QUEUES]
    worker = WorkerHere(queues, connection=queue.connection(), serializer=JSONSerializer)  # type: ignore[arg-type]  # a list is invariant
    worker.application = app
    worker.work(burst=True, logging_level="ERROR")
    db.session.rollback()
    return worker
