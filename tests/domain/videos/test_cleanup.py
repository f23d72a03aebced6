"""What is carried out at Mux: deletions and cancellations, repeated until they are seen to be done, and each by one worker."""

import threading

import pytest
from flask import Flask
from redis import Redis
from rq import Queue
from rq.serializers import JSONSerializer
from sqlalchemy import select

from lessonadmin import mux
from lessonadmin.db import JOB, db, transaction
from lessonadmin.domain.maintenance import sweep
from lessonadmin.domain.models import AssetDeletion, Lesson, UploadCancellation
from lessonadmin.domain.uploads import direct_upload
from lessonadmin.domain.videos import cleanup, outbox
from tests.domain.videos.deletions import deletion, due_now, playing, request_delete
from tests.factories import make_lesson
from tests.mux_sim import MuxSim
from tests.trash import delete_for_good


def test_while_it_is_still_processed_mux_says_later(mux_sim: MuxSim) -> None:
    mux_sim.control.hold_processing()
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    request_delete(lesson, mux_sim.lesson(lesson).mux_asset_id or "")
    sweep.sweep()
    assert deletion().done_at is None
    assert "cannot delete this asset yet" in (deletion().last_error or "")
    assert mux_sim.lesson(lesson).video_processing_status == "deleting"
    mux_sim.control.set_asset_ready(mux_sim.control.assets()[0]["id"])
    due_now()
    sweep.sweep()
    assert deletion().done_at is not None
    assert mux_sim.lesson(lesson).video_processing_status == "none"


def given_up(mux_sim: MuxSim, how: str) -> tuple[Lesson, str]:
    """A lesson that gave up the video that Mux still works on; the asset, after a refused deletion."""
    mux_sim.control.hold_processing()
    lesson = make_lesson()
    upload_id = mux_sim.upload(lesson).upload_id
    if how == "cancelled":
        direct_upload.cancel(upload_id, lesson, actor=JOB)
    mux_sim.control.complete_upload(upload_id)
    asset_id = str(mux_sim.control.upload(upload_id)["asset_id"])
    mux_sim.deliver()
    if how == "deleting":
        request_delete(lesson, asset_id)
    elif how == "superseded":
        mux_sim.upload(lesson)
    elif how == "of a deleted lesson":
        delete_for_good(lesson)
    elif how == "replaced and deleted":
        request_delete(lesson, asset_id)
        mux_sim.upload(lesson)
    sweep.sweep()
    assert (deletion().attempts, deletion().mux_asset_id) == (1, asset_id)
    assert "cannot delete this asset yet" in (deletion().last_error or "")
    return lesson, asset_id


@pytest.mark.parametrize("end", ["ready", "errored"])
@pytest.mark.parametrize(
    "how", ["deleting", "cancelled", "superseded", "of a deleted lesson", "replaced and deleted"]
)
def test_a_refused_deletion_is_tried_at_once_when_mux_has_ended_its_work(
    mux_sim: MuxSim, redis_connection: Redis, how: str, end: str
) -> None:
    _, asset_id = given_up(mux_sim, how)
    sweep.sweep()
    assert deletion().attempts == 1  # it waits
    if end == "ready":
        mux_sim.control.set_asset_ready(asset_id)
    else:
        mux_sim.control.error_asset(asset_id)
    redis_connection.flushdb()
    mux_sim.deliver()
    jobs = Queue("default", connection=redis_connection, serializer=JSONSerializer).get_jobs()
    assert [job.args for job in jobs if job.func_name.endswith("delete_asset")] == [[str(deletion().id)]]
    sweep.sweep()
    assert deletion().done_at is not None
    assert mux_sim.control.assets() == []


def test_a_try_that_is_refused_while_the_event_comes_does_not_put_the_deletion_off(mux_sim: MuxSim) -> None:
    _, asset_id = given_up(mux_sim, "deleting")
    due_now()
    with transaction(JOB):
        refused = outbox.claim_deletion(deletion().id)
    assert refused is not None
    mux_sim.control.set_asset_ready(asset_id)
    mux_sim.deliver()
    with transaction(JOB):
        cleanup._record_failure(refused, mux.Later("Mux cannot delete this asset yet."))
    sweep.sweep()
    assert deletion().done_at is not None


def test_an_event_does_not_end_the_grace_of_a_replaced_video(mux_sim: MuxSim) -> None:
    lesson, old = playing(mux_sim)
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    due = deletion().due_at
    mux_sim.control.send_event("video.asset.ready", asset_id=old)
    mux_sim.deliver()
    assert (deletion().mux_asset_id, deletion().due_at, deletion().attempts) == (old, due, 0)


def test_gone_already_is_done(mux_sim: MuxSim) -> None:
    lesson, asset_id = playing(mux_sim)
    mux_sim.control.delete_asset_in_dashboard(asset_id)
    mux_sim.forget()
    request_delete(lesson, asset_id)
    sweep.sweep()
    assert deletion().done_at is not None
    assert mux_sim.lesson(lesson).video_processing_status == "none"


@pytest.mark.parametrize(
    ("kind", "params"),
    [
        ("status", {"status": 500}),
        ("status", {"status": 401}),
        ("rate_limited", {"retry_after": 99}),
        ("reset", {}),
        ("html", {}),
    ],
)
def test_an_unreachable_mux_changes_nothing(mux_sim: MuxSim, kind: str, params: dict[str, int]) -> None:
    lesson, asset_id = playing(mux_sim)
    request_delete(lesson, asset_id)
    mux_sim.control.fault("api", kind, match={"method": "DELETE"}, **params)
    sweep.sweep()
    assert (deletion().done_at, deletion().attempts, deletion().lease_token) == (None, 1, None)
    assert mux_sim.lesson(lesson).video_processing_status == "deleting"
    mux_sim.control.clear_faults()
    due_now()
    sweep.sweep()
    assert deletion().done_at is not None


def test_deleted_means_seen_to_be_gone(mux_sim: MuxSim) -> None:
    """Mux said 204, and the asset is still there: that is not the end."""
    lesson, asset_id = playing(mux_sim)
    request_delete(lesson, asset_id)
    mux_sim.control.fault("api", "status", match={"method": "DELETE"}, times=1, status=204)
    sweep.sweep()
    assert [one["id"] for one in mux_sim.control.assets()] == [asset_id]
    assert (deletion().done_at, deletion().last_error) == (None, "Mux has not removed it yet")
    due_now()
    sweep.sweep()
    assert deletion().done_at is not None


def test_what_plays_is_not_deleted(mux_sim: MuxSim) -> None:
    """Checked again at the last moment, whichever program wrote the row; and it is not tried again every hour."""
    lesson, asset_id = playing(mux_sim)
    db.session.add(AssetDeletion(mux_asset_id=asset_id, reason="a mistake"))
    db.session.commit()
    sweep.sweep()
    assert [one["id"] for one in mux_sim.control.assets()] == [asset_id]
    assert db.session.scalars(select(AssetDeletion)).all() == []
    assert mux_sim.lesson(lesson).status == "published"


def test_a_worker_whose_lease_ran_out_changes_nothing(mux_sim: MuxSim) -> None:
    lesson, asset_id = playing(mux_sim)
    request_delete(lesson, asset_id)
    with transaction(JOB):
        late = outbox.claim_deletion(deletion().id)
    assert late is not None
    due_now()
    with transaction(JOB):
        next_one = outbox.claim_deletion(late.row_id)
    assert next_one is not None
    with transaction(JOB):
        cleanup._record_failure(late, mux.Later("No answer."))
    assert (deletion().lease_token, deletion().last_error) == (next_one.token, None)
    with transaction(JOB):
        assert outbox.claim_deletion(next_one.row_id) is None


def test_an_upload_that_became_an_asset_before_it_was_cancelled(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    ticket = mux_sim.upload(lesson)
    direct_upload.cancel(ticket.upload_id, lesson, actor=JOB)
    mux_sim.control.complete_upload(ticket.upload_id)
    mux_sim.forget()
    sweep.sweep()
    due_now()
    sweep.sweep()
    assert mux_sim.control.assets() == []
    assert mux_sim.uploads(lesson)[0].status in ("cancelled", "deleted")


def test_a_refused_cancellation_of_an_upload_that_still_waits_is_tried_again(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    ticket = mux_sim.upload(lesson)
    mux_sim.control.fault("api", "status", match={"method": "PUT"}, status=403)
    direct_upload.cancel(ticket.upload_id, lesson, actor=JOB)
    sweep.sweep()
    assert mux_sim.control.upload(ticket.upload_id)["status"] == "waiting"
    assert db.session.scalars(select(UploadCancellation.done_at)).one() is None
    mux_sim.control.clear_faults()
    due_now()
    sweep.sweep()
    assert mux_sim.control.upload(ticket.upload_id)["status"] == "cancelled"


def test_two_workers_delete_once(app: Flask, mux_sim: MuxSim) -> None:
    lesson, asset_id = playing(mux_sim)
    request_delete(lesson, asset_id)
    deletion_id = deletion().id
    mux_sim.control.fault("api", "slow", match={"method": "DELETE"}, seconds=0.3)

    def work() -> None:
        with app.app_context():
            cleanup.finish_deletion(deletion_id, actor=JOB)
            db.session.remove()

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len([call for call in mux_sim.calls() if call["method"] == "DELETE"]) == 1
    assert mux_sim.actions(lesson.id).count("video.deleted") == 1


@pytest.mark.parametrize("answer", ["cancelled", "no answer"])
def test_a_cancellation_that_another_worker_has_finished_is_left_as_it_is(
    mux_sim: MuxSim, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    lesson = make_lesson()
    ticket = mux_sim.upload(lesson)
    direct_upload.cancel(ticket.upload_id, lesson, actor=JOB)
    row_id = db.session.scalars(select(UploadCancellation.id)).one()
    db.session.rollback()
    at_mux, ended = cleanup._cancel_at_mux, []

    def slow(upload_id: str, priority: mux.Priority) -> mux.Upload | None:
        """While the first waits for Mux, its lease runs out and another one does the work."""
        if ended:
            return at_mux(upload_id, priority)
        due_now()
        ended.append(None)
        ended[:] = [cleanup.finish_cancellation(row_id, actor=JOB)]
        if answer == "no answer":
            raise mux.Later("No answer.")
        return None

    monkeypatch.setattr(cleanup, "_cancel_at_mux", slow)
    if answer == "no answer":
        with pytest.raises(mux.Later):
            cleanup.finish_cancellation(row_id, actor=JOB)
    else:
        assert cleanup.finish_cancellation(row_id, actor=JOB) is False
    assert ended == [True]
    db.session.rollback()
    row = db.session.get_one(UploadCancellation, row_id, populate_existing=True)
    assert row.done_at is not None
    assert (row.last_error, row.lease_token) == (None, None)
    assert mux_sim.uploads(lesson)[0].status == "cancelled"
