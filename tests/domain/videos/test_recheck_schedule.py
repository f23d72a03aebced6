"""When Mux is asked about an upload: after how long a silence, when its address runs out, or at once."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from redis import Redis
from rq import Queue
from rq.serializers import JSONSerializer

from lessonadmin.db import JOB, remember_transaction_time, transaction
from lessonadmin.domain.models import Tracking
from lessonadmin.domain.videos import recheck_schedule
from lessonadmin.redis_queue.job_list import JOBS
from tests.factories import make_lesson, make_tracking
from tests.settings import overridden

pytestmark = pytest.mark.usefixtures("session")
NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
HOUR, DAY = 3600, 86_400


def silence(row: Tracking) -> float:
    """After how many seconds without an observation Mux is asked."""
    with transaction(JOB):
        remember_transaction_time(NOW)
        recheck_schedule.schedule_next(row)
    assert row.next_check_at is not None
    return (row.next_check_at - NOW).total_seconds()


def upload(*, age: float = 0, status: str = "uploading", expires: float | None = None) -> Tracking:
    expires_at = None if expires is None else NOW + timedelta(seconds=expires)
    return Tracking(
        status=status, created_at=NOW - timedelta(seconds=age), expires_at=expires_at, handed_over_at=NOW
    )


@pytest.mark.parametrize(
    ("age", "seconds"),
    [(0, 60), (240, 60), (400, 100), (HOUR, 900), (2 * HOUR, 1800), (3 * HOUR, 1800), (9 * DAY, 1800)],
)
def test_the_silence_is_a_quarter_of_the_age_from_a_minute_to_half_an_hour(
    age: float, seconds: float
) -> None:
    with overridden(recheck_after_seconds=60):
        assert silence(upload(age=age)) == seconds


@pytest.mark.parametrize(("age", "seconds"), [(0, HOUR), (2 * HOUR, HOUR), (9 * DAY, HOUR)])
def test_a_longer_silence_that_is_set_holds_for_every_age(age: float, seconds: float) -> None:
    with overridden(recheck_after_seconds=HOUR):
        assert silence(upload(age=age)) == seconds


@pytest.mark.parametrize(
    ("status", "expires", "seconds"),
    [
        ("uploading", 30, 35),
        ("uploading", 54, 59),
        ("uploading", 56, 60),
        ("uploading", HOUR, 60),
        ("uploading", 0, 60),
        ("uploading", -30, 60),
        ("processing", 30, 60),
    ],
)
def test_an_upload_whose_address_runs_out_is_asked_about_just_after_that(
    status: str, expires: float, seconds: float
) -> None:
    with overridden(recheck_after_seconds=60):
        assert silence(upload(status=status, expires=expires)) == seconds


def calls_in_three_days(**row: object) -> tuple[int, int]:
    """How often Mux is asked about an upload of which nothing else is heard: in all, and on the last day."""
    age, asked = 0.0, []
    while age < 3 * DAY:
        waiting = upload(age=age)
        for name, value in row.items():
            setattr(waiting, name, value)
        age += silence(waiting)
        asked.append(age)
    return len(asked), len([at for at in asked if at > 2 * DAY])


def test_a_file_that_is_awaited_costs_a_few_calls_a_day() -> None:
    with overridden(recheck_after_seconds=60):
        assert calls_in_three_days() == (160, 49), "Mux has not said that it waits"
        assert calls_in_three_days(last_answer="upload_waiting") == (39, 5)
        failed = {"last_answer": "upload_waiting", "last_look_error": "timeout: no answer"}
        assert calls_in_three_days(**failed) == (160, 49)


@pytest.mark.parametrize("column", ["bytes_in_at", "resumed_at"])
def test_what_its_browser_does_makes_the_silence_short_again(column: str) -> None:
    with overridden(recheck_after_seconds=60):
        waiting = upload(age=DAY)
        waiting.last_answer = "upload_waiting"
        assert silence(waiting) == 6 * HOUR
        setattr(waiting, column, NOW - timedelta(minutes=1))
        assert silence(waiting) == 60


def test_an_observation_ends_the_wait_for_a_worker() -> None:
    row = upload()
    silence(row)
    assert row.handed_over_at is None


def test_what_does_not_fit_is_looked_at_as_soon_as_the_transaction_is_safe(redis_connection: Redis) -> None:
    row = make_tracking(make_lesson(), handed_over_at=NOW)
    queue = Queue(JOBS[recheck_schedule.CHECK_ASSET], connection=redis_connection, serializer=JSONSerializer)
    with transaction(JOB) as session:
        session.add(row)
        recheck_schedule.schedule_now(row)
        assert queue.get_jobs() == []
    assert [(job.func_name, job.args) for job in queue.get_jobs()] == [
        (recheck_schedule.CHECK_ASSET, [str(row.id)])
    ]
    assert row.next_check_at is not None
    assert abs(row.next_check_at - datetime.now(UTC)) < timedelta(minutes=1)
    assert row.handed_over_at is None


def test_what_is_taken_back_is_not_looked_at(redis_connection: Redis) -> None:
    row = make_tracking(make_lesson())
    with suppress(ZeroDivisionError), transaction(JOB):
        recheck_schedule.schedule_now(row)
        raise ZeroDivisionError
    queue = Queue(JOBS[recheck_schedule.CHECK_ASSET], connection=redis_connection, serializer=JSONSerializer)
    assert queue.get_jobs() == []


def test_nothing_is_asked_any_more() -> None:
    row = upload()
    row.next_check_at = NOW
    recheck_schedule.unschedule(row)
    assert (row.next_check_at, row.handed_over_at) == (None, None)
