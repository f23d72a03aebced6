"""Jobs load by id, call the domain, and leave the row due when they cannot; the worker and the clock around them."""

import uuid

import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import OperationalError

from lessonadmin import queue
from lessonadmin.db import JOB, db, transaction
from lessonadmin.domain import heartbeats, mux_budget
from lessonadmin.domain.maintenance import sweep as maintenance_sweep
from lessonadmin.domain.models import AssetDeletion, UploadCancellation
from lessonadmin.domain.uploads import direct_upload
from lessonadmin.domain.videos import removal
from lessonadmin.jobs import clock, schedule, videos
from lessonadmin.redis_queue.job_list import QUEUES
from tests.factories import make_lesson
from tests.mux_sim import MuxSim
from tests.settings import overridden
from tests.workers import work_off


def pending() -> int:
    return sum(len(queue.queue(name)) for name in QUEUES)


def test_nudges_carry_ids_and_nothing_else(mux_sim: MuxSim, redis_url: str) -> None:
    lesson = make_lesson()
    ticket = mux_sim.upload(lesson)
    direct_upload.cancel(ticket.upload_id, lesson, actor=JOB)
    (job,) = queue.queue("default").jobs
    cancellation = db.session.scalars(select(UploadCancellation.id)).one()
    assert (job.func_name, job.args) == ("lessonadmin.jobs.videos.cancel_upload", [str(cancellation)])
    assert ticket.upload_url.encode() not in b"".join(job.connection.hgetall(job.key).values())


def test_a_worker_keeps_the_promises(app: Flask, mux_sim: MuxSim, redis_url: str) -> None:
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    with transaction(JOB):
        removal.request_delete(mux_sim.lesson(lesson).mux_asset_id or "")
    assert pending() == 1
    work_off(app)
    assert mux_sim.control.assets() == []
    assert mux_sim.lesson(lesson).video_processing_status == "none"


def test_a_dispute_is_settled_by_a_worker(app: Flask, mux_sim: MuxSim, redis_url: str) -> None:
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    mux_sim.control.send_event("video.asset.errored", asset_id=mux_sim.lesson(lesson).mux_asset_id)
    assert mux_sim.deliver() == ["no_change"]
    work_off(app)
    assert mux_sim.rows(lesson)[0].last_look_at is not None
    assert mux_sim.lesson(lesson).status == "published"


def test_a_job_whose_row_is_gone_is_done(mux_sim: MuxSim) -> None:
    for job in (videos.check_asset, videos.delete_asset, videos.cancel_upload):
        job(str(uuid.uuid4()))
    assert mux_sim.calls() == []


@pytest.mark.parametrize("how", ["no budget", "Mux is away"])
def test_what_cannot_be_done_now_is_left_to_the_sweep(mux_sim: MuxSim, how: str) -> None:
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    with transaction(JOB):
        removal.request_delete(mux_sim.lesson(lesson).mux_asset_id or "")
    promise = db.session.scalars(select(AssetDeletion.id)).one()
    if how == "no budget":
        while mux_budget.take():
            pass
    else:
        mux_sim.control.fault("api", "status", status=503)
    videos.delete_asset(str(promise))
    assert len(mux_sim.control.assets()) == 1
    mux_sim.control.clear_faults()
    db.session.execute(text("DELETE FROM mux_budget"))
    db.session.execute(update(AssetDeletion).values(due_at=func.now()))
    db.session.commit()
    maintenance_sweep.sweep()
    assert mux_sim.control.assets() == []


def test_the_same_job_twice_does_it_once(app: Flask, mux_sim: MuxSim, redis_url: str) -> None:
    """RQ runs a job a second time when a worker seems dead and is not."""
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    with transaction(JOB):
        removal.request_delete(mux_sim.lesson(lesson).mux_asset_id or "")
    (job,) = queue.queue("default").jobs
    for _ in range(3):
        queue.enqueue(job.func_name, *job.args)
    work_off(app)
    assert [call["method"] for call in mux_sim.calls() if call["method"] == "DELETE"] == ["DELETE"]
    assert mux_sim.actions(lesson.id).count("video.deleted") == 1


def test_enqueueing_without_redis_is_quick_and_harmless(session: object) -> None:
    import time

    with overridden(redis_url="redis://127.0.0.1:1/0"):
        began = time.monotonic()
        assert queue.enqueue("lessonadmin.jobs.videos.check_asset", "x") is False
        assert time.monotonic() - began < 0.6


def test_a_nudge_waits_for_the_commit(session: object, redis_url: str) -> None:
    with pytest.raises(RuntimeError), transaction(JOB):  # noqa: PT012 - it is about both
        queue.enqueue_after_commit("lessonadmin.jobs.videos.check_asset", "x")
        raise RuntimeError
    assert pending() == 0
    with transaction(JOB):
        queue.enqueue_after_commit("lessonadmin.jobs.videos.check_asset", "x")
        assert pending() == 0
    assert pending() == 1


def test_the_table_has_the_sweep_at_its_beat(session: object) -> None:
    sweep = next(one for one in schedule.TABLE if one.name == "sweep")
    with overridden(sweep_every_seconds=7):
        assert sweep.seconds() == 7


def test_the_clock_beats_works_and_stops(
    app: Flask, session: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    handlers: dict[int, object] = {}
    monkeypatch.setattr(clock.signal, "signal", lambda number, do: handlers.update({number: do}))
    runs: list[str] = []

    def once(_: object) -> None:
        runs.append("ran")
        handlers[clock.signal.SIGTERM]()  # type: ignore[operator]  # what the clock has put there

    not_yet = schedule.Periodic("not yet", lambda: 1, lambda _: runs.append("too early"), after=1000)
    monkeypatch.setattr(clock, "TABLE", (not_yet, schedule.Periodic("once", lambda: 1, once)))
    clock.run(app)
    assert runs == ["ran"]
    assert heartbeats.worker_and_clock()["clock"]


def test_the_clock_outlives_a_database_that_went_away(
    app: Flask, session: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    handlers: dict[int, object] = {}
    monkeypatch.setattr(clock.signal, "signal", lambda number, do: handlers.update({number: do}))
    monkeypatch.setattr(clock, "PAUSE_AFTER_ERROR_SECONDS", 0.0)
    turns: list[int] = []

    def stumble(_: object) -> None:
        turns.append(len(turns))
        if len(turns) == 1:
            raise OperationalError("SELECT 1", {}, ConnectionError("gone"))
        if len(turns) == 2:
            raise RuntimeError("something else")
        handlers[clock.signal.SIGTERM]()  # type: ignore[operator]  # what the clock has put there

    monkeypatch.setattr(clock, "TABLE", (schedule.Periodic("stumble", lambda: 0, stumble),))
    clock.run(app)
    assert turns == [0, 1, 2]


def test_one_pass_by_hand_says_what_it_did(app: Flask, mux_sim: MuxSim) -> None:
    mux_sim.upload(make_lesson())
    done = CliRunner().invoke(app.cli, ["sweep"], obj=_script(app))
    assert done.exit_code == 0, done.output
    assert "uploads" in done.output


def _script(app: Flask) -> object:
    from flask.cli import ScriptInfo

    return ScriptInfo(create_app=lambda: app)
