"""The worker: leaves heartbeats at its pace, goes on without the database, and says so when Redis is away."""

import os

import pytest
from click import ClickException
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from lessonadmin.db import db
from lessonadmin.domain import heartbeats
from lessonadmin.domain.models import Heartbeat
from lessonadmin.jobs import worker
from lessonadmin.redis_queue.job_list import QUEUES
from tests.settings import overridden


@pytest.fixture
def made(app: Flask, session: object, redis_url: str) -> worker.LessonWorker:
    one = worker._make(app)
    one.pid = os.getpid()
    return one


def seen() -> int:
    db.session.rollback()
    beats = select(func.count()).select_from(Heartbeat).where(Heartbeat.name.startswith(heartbeats.WORKER))
    return db.session.scalar(beats) or 0


def test_it_listens_to_the_queues_of_the_list_in_their_order(made: worker.LessonWorker) -> None:
    assert made.queue_names() == list(QUEUES)


def test_its_heartbeats_come_at_its_pace(made: worker.LessonWorker, monkeypatch: pytest.MonkeyPatch) -> None:
    names: list[str] = []
    monkeypatch.setattr(heartbeats, "record", names.append)
    made._leave_heartbeat()
    made._leave_heartbeat()
    assert len(names) == 1
    assert names[0].endswith(f":{os.getpid()}")
    made.heartbeat_at -= worker.HEARTBEAT_SECONDS
    made._leave_heartbeat()
    assert len(names) == 2


def test_a_child_leaves_none(made: worker.LessonWorker) -> None:
    made.pid = os.getpid() + 1
    made._leave_heartbeat()
    assert seen() == 0


def test_it_goes_on_without_the_database(
    made: worker.LessonWorker, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def away(_: str) -> None:
        raise OperationalError("SELECT 1", {}, ConnectionError("gone"))

    monkeypatch.setattr(heartbeats, "record", away)
    made._leave_heartbeat()
    assert "OperationalError" in caplog.text


def test_a_burst_without_redis_ends_in_one_line(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker.signal, "signal", lambda *_: None)
    with overridden(redis_url="redis://127.0.0.1:1/0"), pytest.raises(ClickException) as ended:
        worker.run(app, burst=True)
    assert "Redis does not answer" in ended.value.message
