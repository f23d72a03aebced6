"""Taking videos away: promised at once, kept later, verified, and never what somebody still uses."""

import pytest
from redis import Redis
from rq import Queue
from rq.serializers import JSONSerializer
from sqlalchemy import func, select, text, update

from lessonadmin import mux
from lessonadmin.db import JOB, Actor, db, transaction
from lessonadmin.domain.errors import Conflict, Missing
from lessonadmin.domain.lessons import courses, lessons
from lessonadmin.domain.maintenance import sweep
from lessonadmin.domain.models import AssetDeletion, Lesson, Tracking, UploadCancellation, User
from lessonadmin.domain.uploads import direct_upload
from lessonadmin.domain.videos import cleanup, locking, removal, transitions
from tests.factories import (
    make_course,
    make_lesson,
    make_playing_lesson,
    make_purchase,
    make_tracking,
    make_user,
)
from tests.mux_sim import MuxSim


def playing(mux_sim: MuxSim) -> tuple[Lesson, str]:
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    return lesson, mux_sim.lesson(lesson).mux_asset_id or ""


def promise() -> AssetDeletion:
    db.session.rollback()
    return db.session.scalars(select(AssetDeletion).execution_options(populate_existing=True)).one()


def due_now() -> None:
    for model in (AssetDeletion, UploadCancellation):
        db.session.execute(update(model).values(due_at=func.now() - text("interval '1 second'")))
    db.session.execute(text("DELETE FROM mux_budget"))
    db.session.commit()


def request_delete(lesson: Lesson, asset_id: str) -> None:
    with transaction(Actor.user(lesson.creator_id)):
        removal.request_delete(asset_id)


def test_a_hundred_wishes_are_one_promise(mux_sim: MuxSim) -> None:
    lesson, asset_id = playing(mux_sim)
    for _ in range(3):
        request_delete(lesson, asset_id)
    assert promise().requested_by == lesson.creator_id
    assert mux_sim.actions(lesson.id).count("video.delete_requested") == 1
    sweep.sweep()
    sweep.sweep()
    assert [call["method"] for call in mux_sim.calls() if call["method"] == "DELETE"] == ["DELETE"]
    assert mux_sim.actions(lesson.id).count("video.deleted") == 1


def test_while_it_is_still_processed_mux_says_later(mux_sim: MuxSim) -> None:
    mux_sim.control.hold_processing()
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    request_delete(lesson, mux_sim.lesson(lesson).mux_asset_id or "")
    sweep.sweep()
    assert promise().done_at is None
    assert "cannot delete this asset yet" in (promise().last_error or "")
    assert mux_sim.lesson(lesson).video_processing_status == "deleting"
    mux_sim.control.set_asset_ready(mux_sim.control.assets()[0]["id"])
    due_now()
    sweep.sweep()
    assert promise().done_at is not None
    assert mux_sim.lesson(lesson).video_processing_status == "none"


def given_up(mux_sim: MuxSim, how: str) -> tuple[Lesson, str]:
    """A lesson whose video Mux still works on, and nobody wants any more; the asset, after a refused deletion."""
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
        with transaction(Actor.user(lesson.creator_id)):
            lessons.delete(db.session.get_one(User, lesson.creator_id), lesson.id)
    elif how == "replaced and deleted":
        request_delete(lesson, asset_id)
        mux_sim.upload(lesson)
    sweep.sweep()
    assert (promise().attempts, promise().mux_asset_id) == (1, asset_id)
    assert "cannot delete this asset yet" in (promise().last_error or "")
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
    assert promise().attempts == 1  # it waits
    if end == "ready":
        mux_sim.control.set_asset_ready(asset_id)
    else:
        mux_sim.control.error_asset(asset_id)
    redis_connection.flushdb()
    mux_sim.deliver()
    jobs = Queue("default", connection=redis_connection, serializer=JSONSerializer).get_jobs()
    assert [job.args for job in jobs if job.func_name.endswith("delete_asset")] == [[str(promise().id)]]
    sweep.sweep()
    assert promise().done_at is not None
    assert mux_sim.control.assets() == []


def test_a_try_that_is_refused_while_the_event_comes_does_not_put_the_deletion_off(mux_sim: MuxSim) -> None:
    _, asset_id = given_up(mux_sim, "deleting")
    due_now()
    with transaction(JOB):
        refused = cleanup.claim_deletion(promise().id)
    assert refused is not None
    mux_sim.control.set_asset_ready(asset_id)
    mux_sim.deliver()
    with transaction(JOB):
        cleanup._record_failure(refused, mux.Later("Mux cannot delete this asset yet."))
    sweep.sweep()
    assert promise().done_at is not None


def test_an_event_does_not_end_the_grace_of_a_replaced_video(mux_sim: MuxSim) -> None:
    lesson, old = playing(mux_sim)
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    due = promise().due_at
    mux_sim.control.send_event("video.asset.ready", asset_id=old)
    mux_sim.deliver()
    assert (promise().mux_asset_id, promise().due_at, promise().attempts) == (old, due, 0)


def test_gone_already_is_done(mux_sim: MuxSim) -> None:
    lesson, asset_id = playing(mux_sim)
    mux_sim.control.delete_asset_in_dashboard(asset_id)
    mux_sim.forget()
    request_delete(lesson, asset_id)
    sweep.sweep()
    assert promise().done_at is not None
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
    assert (promise().done_at, promise().attempts, promise().lease_token) == (None, 1, None)
    assert mux_sim.lesson(lesson).video_processing_status == "deleting"
    mux_sim.control.clear_faults()
    due_now()
    sweep.sweep()
    assert promise().done_at is not None


def test_deleted_means_seen_to_be_gone(mux_sim: MuxSim) -> None:
    """Mux said 204, and the asset is still there: that is not the end."""
    lesson, asset_id = playing(mux_sim)
    request_delete(lesson, asset_id)
    mux_sim.control.fault("api", "status", match={"method": "DELETE"}, times=1, status=204)
    sweep.sweep()
    assert [one["id"] for one in mux_sim.control.assets()] == [asset_id]
    assert (promise().done_at, promise().last_error) == (None, "Mux has not removed it yet")
    due_now()
    sweep.sweep()
    assert promise().done_at is not None


def test_only_what_came_from_our_own_rows_is_deleted(mux_sim: MuxSim) -> None:
    (foreign,) = mux_sim.control.seed_assets(1)
    with transaction(JOB):
        assert removal.request_delete(foreign) == 0
    sweep.sweep()
    assert [one["id"] for one in mux_sim.control.assets()] == [foreign]


def test_a_temporary_id_is_never_sent(mux_sim: MuxSim) -> None:
    with transaction(JOB), pytest.raises(Conflict, match="temporary"):
        removal.request_delete("temp_1")
    lesson = make_lesson(mux_asset_id="temp_1", video_processing_status="processing")
    with transaction(JOB):
        assert removal.clear_video(locking.lock_video_of(lesson)) == "cleared"
    sweep.sweep()
    assert mux_sim.lesson(lesson).mux_asset_id is None
    assert [call for call in mux_sim.calls() if call["method"] == "DELETE"] == []


def test_every_user_of_the_asset_is_cleared(mux_sim: MuxSim) -> None:
    """By staff: a teacher must have the right to everything that uses it."""
    lesson, asset_id = playing(mux_sim)
    ids = {"mux_asset_id": asset_id, "mux_playback_id": "p", "video_processing_status": "ready"}
    old, course = make_lesson(status="published", **ids), make_course(**ids)
    tracked = make_lesson()
    make_tracking(tracked, status="ready", mux_asset_id=asset_id, mux_playback_id="p")
    with pytest.raises(Missing):
        request_delete(lesson, asset_id)
    with transaction(Actor.user(make_user(role="support").id)):
        assert removal.request_delete(asset_id) == 4
    for one in (lesson, old, tracked):
        assert (mux_sim.lesson(one).mux_asset_id, mux_sim.lesson(one).status) == (None, "draft")
    assert mux_sim.course(course).mux_asset_id is None
    sweep.sweep()
    assert {mux_sim.lesson(one).video_processing_status for one in (lesson, old)} == {"none"}
    assert mux_sim.course(course).video_processing_status == "none"


def test_what_plays_is_not_deleted(mux_sim: MuxSim) -> None:
    """Checked again at the last moment, whoever wrote the row; and it is not asked again every hour."""
    lesson, asset_id = playing(mux_sim)
    db.session.add(AssetDeletion(mux_asset_id=asset_id, reason="a mistake"))
    db.session.commit()
    sweep.sweep()
    assert [one["id"] for one in mux_sim.control.assets()] == [asset_id]
    assert db.session.scalars(select(AssetDeletion)).all() == []
    assert mux_sim.lesson(lesson).status == "published"


def test_deleting_a_lesson_keeps_an_asset_that_another_one_uses(mux_sim: MuxSim) -> None:
    lesson, asset_id = playing(mux_sim)
    other = make_playing_lesson(mux_asset_id=asset_id)
    owner = db.session.get_one(User, lesson.creator_id)
    with transaction(Actor.user(owner.id)):
        lessons.delete(owner, lesson.id)
    sweep.sweep()
    assert [one["id"] for one in mux_sim.control.assets()] == [asset_id]
    assert mux_sim.lesson(other).status == "published"


def test_a_zombie_whose_lease_ran_out_changes_nothing(mux_sim: MuxSim) -> None:
    lesson, asset_id = playing(mux_sim)
    request_delete(lesson, asset_id)
    with transaction(JOB):
        zombie = cleanup.claim_deletion(promise().id)
    assert zombie is not None
    due_now()
    with transaction(JOB):
        heir = cleanup.claim_deletion(zombie.row_id)
    assert heir is not None
    with transaction(JOB):
        cleanup._record_failure(zombie, mux.Later("No answer."))
    assert (promise().lease_token, promise().last_error) == (heir.token, None)
    with transaction(JOB):
        assert cleanup.claim_deletion(heir.row_id) is None


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
    assert mux_sim.rows(lesson)[0].status in ("cancelled", "deleted")


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


def test_a_lesson_that_is_deleted_takes_late_assets_along(mux_sim: MuxSim) -> None:
    """Its upload had timed out by our clock, and the file arrives at Mux after all."""
    lesson = make_lesson()
    ticket = mux_sim.upload(lesson)
    db.session.execute(
        update(Tracking).values(next_check_at=func.now(), expires_at=func.now() - text("interval '1 minute'"))
    )
    db.session.commit()
    sweep.sweep()
    assert mux_sim.rows(lesson)[0].error_type == "upload_timed_out"
    owner = db.session.get_one(User, lesson.creator_id)
    with transaction(Actor.user(owner.id)):
        lessons.delete(owner, lesson.id)
    mux_sim.control.complete_upload(ticket.upload_id)
    mux_sim.deliver()
    due_now()
    sweep.sweep()
    assert mux_sim.control.assets() == []


def test_clearing_a_failed_upload_is_the_end_of_it(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    ticket = mux_sim.upload(lesson)
    mux_sim.control.error_upload(ticket.upload_id)
    payloads = mux_sim.waiting()
    for payload in payloads:
        mux_sim.give(payload)
    with transaction(JOB):
        removal.clear_video(locking.lock_video_of(lesson))
    for payload in payloads:
        mux_sim.give(payload | {"id": "again-" + payload["id"]})
    assert mux_sim.lesson(lesson).video_processing_status == "none"


def test_clearing_a_video_that_was_deleted_at_mux_is_the_end_of_it(mux_sim: MuxSim) -> None:
    lesson, asset_id = playing(mux_sim)
    mux_sim.control.delete_asset_in_dashboard(asset_id)
    payloads = mux_sim.waiting()
    for payload in payloads:
        mux_sim.give(payload)
    with transaction(JOB):
        removal.clear_video(locking.lock_video_of(lesson))
    with transaction(JOB):
        transitions.project(locking.lock_video_of(lesson))
    assert mux_sim.lesson(lesson).video_processing_status == "none"


def test_a_course_that_is_deleted_leaves_its_lessons_and_takes_its_preview(mux_sim: MuxSim) -> None:
    course = make_course()
    lesson = make_lesson(course=course)
    mux_sim.uploaded(course)
    mux_sim.deliver()
    owner = db.session.get_one(User, course.instructor_id)
    with transaction(Actor.user(owner.id)):
        courses.delete(owner, course.id)
    sweep.sweep()
    assert mux_sim.lesson(lesson).course_id is None
    assert mux_sim.control.assets() == []


def test_a_lesson_that_somebody_bought_stays(session: object) -> None:
    lesson = make_playing_lesson()
    make_purchase(lesson, make_user(role="student"))
    owner = db.session.get_one(User, lesson.creator_id)
    with pytest.raises(Conflict, match="bought"), transaction(Actor.user(owner.id)):
        lessons.delete(owner, lesson.id)


def test_undo_and_its_undo(mux_sim: MuxSim) -> None:
    lesson, old = playing(mux_sim)
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    new = mux_sim.lesson(lesson).mux_asset_id
    for wanted in (old, new, old):
        with transaction(JOB):
            assert removal.undo_replacement(locking.lock_video_of(lesson))
        now = mux_sim.lesson(lesson)
        assert (now.mux_asset_id, now.status) == (wanted, "published")
        assert promise().mux_asset_id != wanted
    due_now()
    sweep.sweep()
    assert [one["id"] for one in mux_sim.control.assets()] == [old]


def test_a_video_that_replaced_none_cannot_be_taken_back(mux_sim: MuxSim) -> None:
    lesson, asset_id = playing(mux_sim)
    with pytest.raises(Conflict, match="cannot be brought back"), transaction(JOB):
        removal.restore_replaced(lesson)
    assert mux_sim.lesson(lesson).mux_asset_id == asset_id
