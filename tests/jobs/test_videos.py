"""Jobs about videos load by id, call the domain, and leave the row due when they cannot be done now."""

import uuid

import pytest
from flask import Flask
from sqlalchemy import func, select, text, update

from lessonadmin import queue
from lessonadmin.db import JOB, db, transaction
from lessonadmin.domain import mux_budget
from lessonadmin.domain.captions import asking, transcripts
from lessonadmin.domain.maintenance import sweep as maintenance_sweep
from lessonadmin.domain.models import AssetDeletion, UploadCancellation
from lessonadmin.domain.uploads import direct_upload
from lessonadmin.domain.videos import removal
from lessonadmin.jobs import videos
from lessonadmin.redis_queue.job_list import QUEUES
from tests.factories import make_lesson
from tests.mux_sim import MuxSim
from tests.workers import work_off


def pending() -> int:
    return sum(len(queue.queue(name)) for name in QUEUES)


def test_jobs_carry_ids_and_nothing_else(mux_sim: MuxSim, redis_url: str) -> None:
    lesson = make_lesson()
    ticket = mux_sim.upload(lesson)
    direct_upload.cancel(ticket.upload_id, lesson, actor=JOB)
    (job,) = queue.queue("default").jobs
    cancellation = db.session.scalars(select(UploadCancellation.id)).one()
    assert (job.func_name, job.args) == ("lessonadmin.jobs.videos.cancel_upload", [str(cancellation)])
    assert ticket.upload_url.encode() not in b"".join(job.connection.hgetall(job.key).values())


def test_a_worker_does_what_the_outbox_says(app: Flask, mux_sim: MuxSim, redis_url: str) -> None:
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
    assert mux_sim.uploads(lesson)[0].last_look_at is not None
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
    deletion = db.session.scalars(select(AssetDeletion.id)).one()
    if how == "no budget":
        while mux_budget.take():
            pass
    else:
        mux_sim.control.fault("api", "status", status=503)
    videos.delete_asset(str(deletion))
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


def test_captions_are_asked_for_by_the_worker_or_else_by_the_sweep(
    app: Flask, mux_sim: MuxSim, redis_url: str
) -> None:
    lessons = [make_lesson(), make_lesson()]
    for lesson in lessons:
        mux_sim.uploaded(lesson)
    mux_sim.deliver()
    work_off(app)
    for lesson in lessons:
        with transaction(JOB):
            asking.make(lesson, "de")
    (job, _) = queue.queue("default").jobs
    assert job.func_name == "lessonadmin.jobs.videos.carry_out_captions"
    videos.carry_out_captions(job.args[0])
    assert [call["status"] for call in mux_sim.calls("generate_subtitles")] == [201]
    assert maintenance_sweep.sweep().figures["captions"] == 1
    assert len(mux_sim.calls("generate_subtitles")) == 2
    assert maintenance_sweep.sweep().figures["captions"] == 0


def test_the_text_of_captions_is_fetched_by_the_worker(app: Flask, mux_sim: MuxSim, redis_url: str) -> None:
    lesson = make_lesson()
    file = direct_upload.File(name="talk.mp4", caption_language="en")
    ticket = direct_upload.start(lesson, file, actor=JOB)
    mux_sim.control.complete_upload(ticket.upload_id, audio=True)
    mux_sim.deliver()
    (job,) = queue.queue("default").jobs
    assert job.func_name == "lessonadmin.jobs.videos.fetch_transcript"
    work_off(app)
    assert transcripts.of_lesson(mux_sim.lesson(lesson)) is not None
    assert maintenance_sweep.sweep().figures["transcripts"] == 0
