"""Redis is not believed: whatever stands in it, only listed jobs are run, and worker and panel go on."""

import json
import logging
import os
import pickle
import signal
import sys
import uuid
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis
from rq import Queue, SimpleWorker
from rq.registry import StartedJobRegistry
from rq.serializers import JSONSerializer
from rq.timeouts import TimerDeathPenalty

from lessonadmin import metrics, queue
from lessonadmin.db import JOB, transaction
from lessonadmin.domain.videos import removal
from lessonadmin.jobs import worker
from lessonadmin.redis_queue.listed_jobs import ListedJob, Refused
from tests.factories import make_lesson, make_user, signed_in
from tests.mux_sim import MuxSim
from tests.pages import csrf_of, page_of
from tests.workers import work_off

LISTED = "lessonadmin.jobs.videos.check_asset"
ID = str(uuid.uuid4())


class Stranger:
    """A client that can write to Redis."""

    def __init__(self, connection: "Redis[Any]", folder: Path) -> None:
        self.connection = connection
        self.file = folder / "opened"
        # A process that imports this module has lost, whatever is called in it.
        self.module = f"planted_{uuid.uuid4().hex}"
        (folder / f"{self.module}.py").write_text(
            f"open({str(self.file)!r}, 'w').close()\ndef call(*a, **k): pass\n"
        )

    def queue(self, **options: Any) -> Queue:
        return Queue("default", connection=self.connection, **{"serializer": JSONSerializer, **options})

    def asks(self, name: str, *arguments: Any, **options: Any) -> str:
        return str(self.queue().enqueue(name, args=arguments, **options).id)

    def listed_with(self, **fields: str | bytes) -> str:
        job_id = self.asks(LISTED, ID)
        self.connection.hset(f"rq:job:{job_id}", mapping=fields)  # type: ignore[arg-type]  # bytes are allowed
        return job_id

    def writes(self, data: bytes) -> str:
        return self.listed_with(data=data)

    def puts_in_line(self, job_id: str | bytes) -> None:
        self.connection.rpush("rq:queue:default", job_id)

    def got_in(self) -> bool:
        return self.file.exists()


@pytest.fixture
def stranger(
    redis_connection: "Redis[Any]", redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Stranger:
    monkeypatch.syspath_prepend(str(tmp_path))
    return Stranger(redis_connection, tmp_path)


@pytest.fixture
def signals() -> Iterator[None]:
    kept = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)


class StockWorker(SimpleWorker):
    death_penalty_class = TimerDeathPenalty


def rqs_own_worker(stranger: Stranger, serializer: Any = JSONSerializer) -> None:
    line = stranger.queue(serializer=serializer)
    StockWorker([line], connection=stranger.connection, serializer=serializer).work(
        burst=True, logging_level="CRITICAL"
    )


class Bomb:
    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> Any:
        return Path.touch, (self.file,)


def refused_so_far() -> float:
    return metrics.jobs_refused._value.get()  # type: ignore[no-any-return]  # a private count is the way to read one


def call(*parts: Any) -> bytes:
    return zlib.compress(json.dumps(parts).encode())


CODE: dict[str, Callable[[Stranger], Any]] = {
    "another function": lambda one: one.asks("os.system", f"touch {one.file}"),
    "a module that acts when imported": lambda one: one.asks(f"{one.module}.call"),
    "a callback when it succeeds": lambda one: one.listed_with(success_callback_name=f"{one.module}.call"),
    "a callback when it fails": lambda one: one.listed_with(
        failure_callback_name=f"{one.module}.call", data=call(LISTED, None, ["no id"], {})
    ),
}
NONSENSE: dict[str, Callable[[Stranger], Any]] = {
    "a callback when it is stopped": lambda one: one.listed_with(stopped_callback_name=f"{one.module}.call"),
    "pickled data": lambda one: one.writes(zlib.compress(pickle.dumps((LISTED, None, (Bomb(one.file),), {})))),
    "a pickled meta": lambda one: one.listed_with(meta=pickle.dumps(Bomb(one.file))),
    "garbage": lambda one: one.writes(b"\x00\xff garbage"),
    "garbage that is packed": lambda one: one.writes(zlib.compress(b"\x00\xff")),
    "data that grows": lambda one: one.writes(zlib.compress(b" " * 5_000_000)),
    "brackets": lambda one: one.writes(zlib.compress(b"[" * 16_000)),
    "no data": lambda one: (
        one.connection.hset("rq:job:bare", "origin", "default"), one.puts_in_line("bare")
    ),
    "a job that is a text": lambda one: (one.connection.set("rq:job:text", "x"), one.puts_in_line("text")),
    "an id with a blank": lambda one: one.puts_in_line("a b"),
    "an id that is no text": lambda one: one.puts_in_line(b"\xff\xfe"),
    "an empty id": lambda one: one.puts_in_line(""),
    "a method of something": lambda one: one.writes(call(LISTED, "instance", [ID], {})),
    "a number for a name": lambda one: one.writes(call(7, None, [ID], {})),
    "a list for a name": lambda one: one.writes(call([LISTED], None, [ID], {})),
    "too few parts": lambda one: one.writes(call(LISTED)),
    "named arguments": lambda one: one.writes(call(LISTED, None, [], {"tracking_id": ID})),
    "a number": lambda one: one.asks(LISTED, 7),
    "a list": lambda one: one.asks(LISTED, [ID]),
    "an object": lambda one: one.asks(LISTED, {"id": ID}),
    "too many arguments": lambda one: one.asks(LISTED, *[ID] * 7),
    "a long argument": lambda one: one.asks(LISTED, "x" * 1001),
    "addresses to call": lambda one: one.listed_with(
        webhooks=json.dumps([{"url": "http://127.0.0.1:1/", "job_status": "finished"}])
    ),
    "a job to wait for": lambda one: one.listed_with(dependency_ids='["x"]'),
    "repeats": lambda one: one.listed_with(repeats_left="5", repeat_intervals="[0]"),
    "retries": lambda one: one.listed_with(retries_left="5"),
    "a group": lambda one: one.listed_with(group_id="x"),
    "escapes in its name": lambda one: one.asks("\x1b]0;x\x07\n{forged}.f"),
}  # fmt: skip


@pytest.mark.parametrize("how", [*CODE, *NONSENSE])
def test_what_is_not_listed_is_refused_and_the_next_job_done(
    app: Flask, session: object, stranger: Stranger, caplog: pytest.LogCaptureFixture, how: str
) -> None:
    before = refused_so_far()
    {**CODE, **NONSENSE}[how](stranger)
    good = stranger.asks(LISTED, ID)
    work_off(app)
    assert not stranger.got_in()
    assert stranger.module not in sys.modules
    assert queue.queue("default").job_ids == []
    assert not stranger.connection.exists(f"rq:job:{good}"), "the next one was done"
    assert refused_so_far() == before + 1
    (line,) = [one.getMessage() for one in caplog.records if "refused" in one.getMessage()]
    assert line.isprintable()
    assert "quitting" not in caplog.text


@pytest.mark.parametrize("how", CODE)
def test_of_the_test_rqs_own_worker_lets_them_in(session: object, stranger: Stranger, how: str) -> None:
    CODE[how](stranger)
    rqs_own_worker(stranger)
    assert stranger.got_in()


def test_the_real_worker_refuses_and_does_the_next_job(
    app: Flask, mux_sim: MuxSim, stranger: Stranger, signals: None
) -> None:
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    stranger.asks("os.system", f"touch {stranger.file}")
    stranger.queue(serializer=None).enqueue(os.system, f"touch {stranger.file}")
    with transaction(JOB):
        removal.request_delete(mux_sim.lesson(lesson).mux_asset_id or "")
    worker.run(app, burst=True)
    assert not stranger.got_in()
    assert mux_sim.control.assets() == []
    assert sorted(one.func_name for one in failed_jobs()) == ["refused", "refused"]


def failed_jobs() -> list[ListedJob]:
    one = queue.queue("default")
    ids = one.failed_job_registry.get_job_ids()
    return [job for job in ListedJob.fetch_many(ids, one.connection, JSONSerializer) if job is not None]


def test_what_is_kept_of_a_refused_job_is_only_why(app: Flask, session: object, stranger: Stranger) -> None:
    job_id = stranger.asks("os.system", f"touch {stranger.file}", on_success=None, description="what it says")
    work_off(app)
    kept = stranger.connection.hgetall(f"rq:job:{job_id}")
    assert b"what it says" not in kept.values()
    assert stranger.connection.ttl(f"rq:job:{job_id}") > 0
    (job,) = failed_jobs()
    assert "os.system is not on the list" in job.why_failed()
    with pytest.raises(Refused):
        _ = job.func


def test_time_limits_are_those_of_the_list(stranger: Stranger, redis_url: str) -> None:
    job_id = stranger.listed_with(timeout="-1", result_ttl="-1", failure_ttl="-1", ttl="")
    job = ListedJob.fetch(job_id, stranger.connection, JSONSerializer)
    assert (job.refusal, job.timeout, job.result_ttl, job.failure_ttl) == (None, 120, 0, 7 * 86400)


def abandoned(stranger: Stranger) -> StartedJobRegistry:
    """A job whose worker is gone: the worker that cleans up calls its callback."""
    job_id = stranger.listed_with(failure_callback_name=f"{stranger.module}.call")
    stranger.connection.delete("rq:queue:default")
    stranger.connection.zadd("rq:wip:default", {f"{job_id}:x": 1})
    return StartedJobRegistry("default", connection=stranger.connection, serializer=JSONSerializer)


def test_cleaning_up_calls_nothing_neither_in_web_nor_in_the_worker(
    app: Flask, session: object, stranger: Stranger
) -> None:
    abandoned(stranger)
    support = signed_in(make_user(role="support"))
    assert support.get("/admin/jobs/").status_code == 200
    assert support.get("/metrics").status_code == 200
    work_off(app)
    assert not stranger.got_in()
    assert stranger.connection.zcard("rq:wip:default") == 0


def test_of_the_test_rqs_own_cleaning_up_calls_it(stranger: Stranger) -> None:
    abandoned(stranger).cleanup()
    assert stranger.got_in()


def test_housekeeping_that_cannot_be_read_stops_no_work(
    app: Flask, session: object, stranger: Stranger
) -> None:
    stranger.connection.zadd("rq:wip:default", {b"\xff:\xfe": 1})
    good = stranger.asks(LISTED, ID)
    work_off(app)
    assert not stranger.connection.exists(f"rq:job:{good}")


def test_the_page_shows_what_cannot_be_read_and_forgets_it(
    app: Flask, session: object, stranger: Stranger, redis_url: str
) -> None:
    support = signed_in(make_user(role="support"))
    ids: list[str | bytes] = [
        stranger.writes(pickle.dumps(Bomb(stranger.file))), "text", b"\xff\xfe", "a b",
        stranger.listed_with(status="\x00", ended_at="never", origin="elsewhere"),
    ]  # fmt: skip
    stranger.connection.set("rq:job:text", "x")
    stranger.connection.zadd("rq:failed:default", dict.fromkeys(ids, 4e9))
    stranger.connection.rpush("rq:intermediate:default", ids[0])
    stranger.connection.sadd("rq:workers", b"\xff", "rq:worker:odd", "rq:worker:text", "odd")
    stranger.connection.hset(
        "rq:worker:odd", mapping={"pid": "x", "last_heartbeat": b"\xff", "state": "\x1b[2J"}
    )
    stranger.connection.set("rq:worker:text", "x")
    stranger.connection.xadd(f"rq:results:{ids[-1]}", {"exc_string": "no base64!", "type": "x"})
    text = shown(support)
    assert text.count("Unreadable job") == 4
    assert "\x1b" not in text
    assert not stranger.got_in()
    for one in ids:
        name = one.decode(errors="replace") if isinstance(one, bytes) else one
        support.post("/admin/jobs/delete", data={"csrf_token": csrf_of(support, "/account"), "job": name})
    assert "No job has failed" in shown(support)


@pytest.mark.parametrize("job_id", [b"\xff", "a b", "text", ""])
def test_a_line_that_begins_with_nonsense_breaks_no_page(
    app: Flask, session: object, stranger: Stranger, job_id: str | bytes
) -> None:
    stranger.connection.set("rq:job:text", "x")
    stranger.puts_in_line(job_id)
    support = signed_in(make_user(role="support"))
    assert "Waiting" in shown(support)
    assert support.get("/admin/").status_code == 200
    assert queue.max_wait_seconds() is None


def shown(browser: FlaskClient) -> str:
    answer = browser.get("/admin/jobs/")
    assert answer.status_code == 200
    return page_of(answer).text()


def test_a_refused_job_is_not_tried_again(app: Flask, session: object, stranger: Stranger) -> None:
    support = signed_in(make_user(role="support"))
    job_id = stranger.asks("os.system", f"touch {stranger.file}")
    work_off(app)
    for path in ("retry", "retry-all"):
        support.post(f"/admin/jobs/{path}", data={"csrf_token": csrf_of(support, "/account"), "job": job_id})
    assert queue.queue("default").job_ids == []
    assert "Unreadable job" in shown(support)


def test_the_worker_listens_to_no_channel(app: Flask, session: object, stranger: Stranger) -> None:
    one = work_off(app)
    assert one.pubsub is None
    assert stranger.connection.publish(one.pubsub_channel_name, '{"command": "shutdown"}') == 0


def test_what_goes_wrong_is_kept_without_values(app: Flask, session: object, stranger: Stranger) -> None:
    logging.getLogger("rq.worker").setLevel(logging.CRITICAL)
    stranger.asks("lessonadmin.jobs.videos.check_assets", "a secret value")
    work_off(app)
    (job,) = failed_jobs()
    assert "ValueError" in job.why_failed()
    assert "in check_assets" in job.why_failed(), "where it happened"
    assert "secret value" not in job.why_failed()
