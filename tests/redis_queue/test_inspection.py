"""What is said about queues, workers and failed jobs, and a failed job that is tried again or forgotten."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from redis import Redis

from lessonadmin import queue
from lessonadmin.domain.errors import Conflict, Unavailable
from lessonadmin.redis_queue import inspection
from lessonadmin.redis_queue.inspection import Worker
from lessonadmin.redis_queue.job_list import QUEUES
from tests.settings import overridden
from tests.workers import work_off

pytestmark = pytest.mark.usefixtures("session")
RUN_ITEM = "lessonadmin.jobs.batches.run_batch_item"
CHECK_ASSETS = "lessonadmin.jobs.videos.check_assets"


def failed(app: Flask, name: str = RUN_ITEM, argument: str = "no id") -> str:
    """A job that ran into an error, as a worker leaves it."""
    line = queue.queue("bulk" if name == RUN_ITEM else "urgent")
    job = line.enqueue(name, argument)
    work_off(app)
    return str(job.id)


def strange(connection: "Redis[Any]", job_id: str = "strange") -> str:
    """A failed job that is none of the product's."""
    connection.hset(f"rq:job:{job_id}", mapping={"data": "x", "origin": "bulk"})
    connection.zadd("rq:failed:bulk", {job_id: 4e9})
    return job_id


def waiting() -> list[str]:
    return [job_id for name in QUEUES for job_id in queue.queue(name).job_ids]


def failures() -> list[str]:
    return [one.id for one in inspection.look().failures]


def test_an_empty_redis_is_there_and_has_nothing(redis_connection: "Redis[Any]") -> None:
    seen = inspection.look()
    assert not seen.away
    assert set(seen.counts) == set(QUEUES)
    assert (seen.workers, seen.failures, seen.waited) == ((), (), None)


def test_a_redis_that_is_away_is_said_and_changes_nothing() -> None:
    with overridden(redis_url="redis://127.0.0.1:1/0"):
        assert inspection.look() == inspection.JobsOverview(True, {})


@pytest.mark.parametrize(
    "act", [inspection.retry_all, lambda: inspection.retry("x"), lambda: inspection.forget("x")]
)
def test_without_redis_nothing_can_be_done(act: Callable[[], object]) -> None:
    with overridden(redis_url="redis://127.0.0.1:1/0"), pytest.raises(Unavailable):
        act()


def test_a_failed_job_says_what_it_was_and_why(app: Flask, redis_connection: "Redis[Any]") -> None:
    job_id = failed(app)
    (one,) = inspection.look().failures
    assert (one.id, one.queue, one.what, one.arguments, one.listed) == (
        job_id, "bulk", "run batch item", "no id", True,
    )  # fmt: skip
    assert "ValueError" in one.error
    assert one.ended is not None


def test_a_long_error_keeps_its_end(
    app: Flask, redis_connection: "Redis[Any]", monkeypatch: pytest.MonkeyPatch
) -> None:
    failed(app)
    whole = inspection.look().failures[0].error
    monkeypatch.setattr(inspection, "MAX_ERROR_LENGTH", 40)
    assert inspection.look().failures[0].error == whole[-40:]


def test_the_newest_failure_stands_first_whatever_its_queue_and_not_all_of_many_are_shown(
    app: Flask, redis_connection: "Redis[Any]", monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [failed(app), failed(app, CHECK_ASSETS), failed(app)]
    assert failures() == ids[::-1]
    monkeypatch.setattr(inspection, "MAX_SHOWN", 2)
    assert failures() == [ids[2], ids[1]]


def test_a_job_that_is_tried_again_waits_in_its_queue(app: Flask, redis_connection: "Redis[Any]") -> None:
    first, second = failed(app), failed(app)
    inspection.retry(first)
    assert queue.queue("bulk").job_ids == [first]
    assert failures() == [second]


def test_a_job_that_is_forgotten_leaves_nothing(app: Flask, redis_connection: "Redis[Any]") -> None:
    job_id = failed(app)
    inspection.forget(job_id)
    assert (failures(), waiting()) == ([], [])
    assert not redis_connection.exists(f"rq:job:{job_id}")


def test_a_job_that_is_none_of_ours_is_shown_forgotten_and_never_tried(
    app: Flask, redis_connection: "Redis[Any]"
) -> None:
    job_id = strange(redis_connection)
    (one,) = inspection.look().failures
    assert (one.what, one.arguments, one.listed) == ("unreadable job", "", False)
    assert one.error
    with pytest.raises(Conflict, match="not a job of Lessonadmin"):
        inspection.retry(job_id)
    assert waiting() == []
    inspection.forget(job_id)
    assert failures() == []


@pytest.mark.parametrize("act", [inspection.retry, inspection.forget])
@pytest.mark.parametrize("job_id", ["waits", "unknown", ""])
def test_a_job_that_has_not_failed_is_neither_tried_again_nor_forgotten(
    redis_connection: "Redis[Any]", act: Callable[[str], None], job_id: str
) -> None:
    queue.queue("bulk").enqueue(RUN_ITEM, "no id", job_id="waits")
    with pytest.raises(Conflict, match="has not failed"):
        act(job_id)
    assert waiting() == ["waits"]


def test_a_failed_job_whose_data_is_gone_can_only_be_forgotten(
    app: Flask, redis_connection: "Redis[Any]"
) -> None:
    job_id = failed(app)
    redis_connection.delete(f"rq:job:{job_id}")
    with pytest.raises(Conflict):
        inspection.retry(job_id)
    assert inspection.retry_all() == 0
    inspection.forget(job_id)
    assert redis_connection.zcard("rq:failed:bulk") == 0


def test_all_that_can_be_run_are_tried_again_and_counted(app: Flask, redis_connection: "Redis[Any]") -> None:
    ids = {failed(app), failed(app, CHECK_ASSETS)}
    odd = strange(redis_connection)
    assert inspection.retry_all() == 2
    assert set(waiting()) == ids
    assert failures() == [odd]
    assert inspection.retry_all() == 0


def worker(connection: "Redis[Any]", name: str, **fields: str | bytes) -> None:
    connection.sadd("rq:workers", f"rq:worker:{name}")
    if fields:
        connection.hset(f"rq:worker:{name}", mapping=fields)  # type: ignore[arg-type]  # bytes are allowed


def test_workers_are_listed_by_name_with_what_they_did(redis_connection: "Redis[Any]") -> None:
    worker(redis_connection, "b", state="idle")
    worker(
        redis_connection, "a", state="busy", queues="urgent,default", last_heartbeat="2026-03-01T12:00:00.5Z",
        successful_job_count="12", failed_job_count="3",
    )  # fmt: skip
    worker(redis_connection, "gone")
    seen = datetime(2026, 3, 1, 12, 0, 0, 500_000, UTC)
    assert inspection.look().workers == (
        Worker("a", "busy", "urgent, default", seen, 12, 3), Worker("b", "idle", "", None, 0, 0),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("last_heartbeat", "yesterday"),
        ("last_heartbeat", b"\xff"),
        ("successful_job_count", "x"),
        ("successful_job_count", "-1"),
        ("successful_job_count", "9" * 16),
    ],
)
def test_nonsense_about_a_worker_hides_no_worker(
    redis_connection: "Redis[Any]", field: str, value: str | bytes
) -> None:
    worker(redis_connection, "odd", state="idle", **{field: value})
    worker(redis_connection, "well", state="idle")
    assert inspection.look().workers == (
        Worker("odd", "idle", "", None, 0, 0), Worker("well", "idle", "", None, 0, 0),
    )  # fmt: skip
