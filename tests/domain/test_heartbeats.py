"""Who is there, by the heartbeats of workers and clocks: one reading for /readyz, the panel, the doctor and alarms."""

from datetime import timedelta

import pytest
from sqlalchemy import func, text, update
from sqlalchemy.orm import Session

from lessonadmin import config
from lessonadmin.db import db
from lessonadmin.domain import heartbeats
from lessonadmin.domain.diagnosis.outages import background_work_findings
from lessonadmin.domain.diagnosis.signals import read_signals
from lessonadmin.domain.health import dashboard
from lessonadmin.domain.health.doctor import database_checks
from lessonadmin.domain.health.doctor.examination import DoctorContext
from lessonadmin.domain.heartbeats import CLOCK, WORKER
from lessonadmin.domain.models import Heartbeat


def seen(name: str, *, seconds_ago: float = 0) -> None:
    heartbeats.record(name)
    at = func.clock_timestamp() - timedelta(seconds=seconds_ago)
    db.session.execute(update(Heartbeat).where(Heartbeat.name == name).values(at=at))
    db.session.commit()


@pytest.mark.parametrize(
    ("seconds_ago", "there"),
    [(0, True), (heartbeats.FRESH_SECONDS - 5, True), (heartbeats.FRESH_SECONDS + 1, False)],
)
def test_alive_is_who_was_seen_within_the_last_minute(
    session: Session, seconds_ago: float, there: bool
) -> None:
    seen("worker:one:1", seconds_ago=seconds_ago)
    seen("clock", seconds_ago=seconds_ago)
    assert heartbeats.worker_and_clock() == {"worker": there, "clock": there}
    assert heartbeats.age(WORKER) == pytest.approx(seconds_ago, abs=4)
    assert (len(heartbeats.alive(heartbeats.ages(WORKER), WORKER)) == 1) == there


def test_no_process_was_ever_seen(session: Session) -> None:
    heartbeats.record("mux.answered")
    assert heartbeats.worker_and_clock() == {"worker": False, "clock": False}
    assert heartbeats.age(WORKER) is heartbeats.age(CLOCK) is None
    assert heartbeats.ages(WORKER, CLOCK) == {}


def test_all_pages_say_the_same_of_workers(session: Session) -> None:
    seen("worker:one:1")
    seen("worker:two:2")
    seen("worker:dead:3", seconds_ago=3600)
    seen("clock", seconds_ago=3600)
    assert heartbeats.worker_and_clock() == {"worker": True, "clock": False}
    assert dashboard.overview("24h").workers == 2
    workers, clock = database_checks.background_work(DoctorContext(db.engine, config.current()))
    assert workers.level == "ok"
    assert "2 alive (one:1, two:2)" in workers.says
    assert clock.level == "FAIL"
    assert (
        {"no_clock"}
        <= {one.cause for one in background_work_findings(read_signals())}
        <= {"no_clock", "redis_away"}
    )


def test_a_database_that_takes_no_changes_is_not_ready(session: Session) -> None:
    assert heartbeats.check()["database"] is True
    session.rollback()
    session.execute(text("SET TRANSACTION READ ONLY"))
    assert heartbeats.check()["database"] is False
    session.rollback()
