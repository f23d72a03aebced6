"""Giving up an asset that others use: from every side, in every order, with every kind of sharing.

A deletion that is written down can be carried out: none is, as long as a lesson or course uses the asset, and when the
last one gives it up it goes at Mux.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from flask import Flask
from sqlalchemy import func, select, text, update

from lessonadmin import mux
from lessonadmin.db import CLI, JOB, Actor, db, transaction
from lessonadmin.domain.batches.actions import clear_assets, recheck
from lessonadmin.domain.diagnosis import facts
from lessonadmin.domain.maintenance import sweep
from lessonadmin.domain.models import AssetDeletion, AuditLog, Course, Lesson, Tracking, User
from lessonadmin.domain.models.videos import MIGRATED
from lessonadmin.domain.polling.ask_mux import Answers
from lessonadmin.domain.videos import cleanup, locking, outbox, removal, transitions
from tests import trash
from tests.blocked import wait_until_waited_for
from tests.factories import keep, make_course, make_lesson, make_tracking, make_user
from tests.mux_sim import MuxSim

Owner = Lesson | Course


@dataclass
class Shared:
    """One asset at Mux, and two that play it."""

    mux_sim: MuxSim
    asset_id: str
    first: Owner
    second: Owner


# who shares: (is it a lesson, has it a tracking row), twice
SHARINGS = {
    "two lessons": ((True, True), (True, True)),
    "lesson and course": ((True, True), (False, True)),
    "lesson and one from before tracking": ((True, True), (True, False)),
    "one from before tracking and a course": ((True, False), (False, True)),
}


def shared(mux_sim: MuxSim, sharing: str) -> Shared:
    (asset_id,) = mux_sim.control.seed_assets(1, policy="public", duration=30.0)
    playback_id = mux_sim.control.asset(asset_id)["playback_ids"][0]["id"]
    instructor = (
        make_user()
    )  # of both: over the API no instructor takes an asset away from the lesson of another one
    first, second = (plays(instructor, asset_id, playback_id, *kind) for kind in SHARINGS[sharing])
    return Shared(mux_sim, asset_id, first, second)


def plays(instructor: User, asset_id: str, playback_id: str, is_lesson: bool, tracked: bool) -> Owner:
    ids = {"mux_asset_id": asset_id, "mux_playback_id": playback_id, "playback_policy": "public"}
    shown = {"video_processing_status": "ready", "video_duration": 30.0}
    out = {"status": "published", "published_at": datetime.now(UTC), "publish_on_ready": False}
    made = {**ids, **shown}
    owner = (
        make_lesson(creator=instructor, **made, **out)
        if is_lesson
        else make_course(instructor=instructor, **made)
    )
    if tracked:
        make_tracking(owner, upload_id=MIGRATED, status="ready", ready_at=datetime.now(UTC), **ids)
    return owner


# from where an asset is given up


def remove(one: Shared, owner: Owner) -> None:
    with transaction(Actor.user(owner.owner_id)):
        removal.clear_video(locking.lock_video_of(owner))


def delete(one: Shared, owner: Owner) -> None:
    trash.delete_for_good(owner)


def replace(one: Shared, owner: Owner) -> None:
    one.mux_sim.uploaded(owner)
    one.mux_sim.deliver()


def api(one: Shared, owner: Owner) -> None:
    with transaction(Actor.user(owner.owner_id)):
        removal.request_delete(one.asset_id)


def bulk(one: Shared, owner: Owner) -> None:
    with transaction(CLI):
        clear_assets.clear(owner.kind, owner.id, {})


def bulk_upload(one: Shared, owner: Owner) -> None:
    with transaction(CLI):
        video = locking.lock_video_of(owner)
        transitions.ensure_tracked(video)
        row = video.of_asset(one.asset_id)
    if row is not None:
        with transaction(CLI):
            clear_assets.clear_upload(row.id, {})


Way = Callable[[Shared, Owner], None]
ALONE: list[Way] = [remove, delete, replace]
EVERYWHERE: list[Way] = [api, bulk, bulk_upload]


# what must be true


def stands(owner: Owner) -> Owner | None:
    db.session.rollback()
    return db.session.get(type(owner), owner.id, populate_existing=True)


def goes_on_playing(one: Shared, owner: Owner) -> None:
    now = stands(owner)
    assert now is not None
    assert (now.video_processing_status, now.mux_asset_id) == ("ready", one.asset_id)
    if isinstance(now, Lesson):
        assert now.status == "published"


def has_let_go(one: Shared, owner: Owner) -> None:
    now = stands(owner)
    if now is None:
        return
    assert now.mux_asset_id != one.asset_id
    assert now.video_processing_status in ("none", "ready")
    if isinstance(now, Lesson) and now.video_processing_status == "none":
        assert now.status == "draft"


def open_deletions() -> list[str]:
    db.session.rollback()
    open_rows = select(AssetDeletion.mux_asset_id).where(AssetDeletion.done_at.is_(None))
    return list(db.session.scalars(open_rows))


def every_deletion_can_be_carried_out() -> None:
    """Read without the rule that is judged."""
    for asset_id in open_deletions():
        users = db.session.scalar(
            text(
                "SELECT (SELECT count(*) FROM mux_asset_tracking WHERE mux_asset_id = :id AND superseded_at IS NULL"
                " AND status NOT IN ('cancelled', 'deleting', 'deleted'))"
                " + (SELECT count(*) FROM lessons WHERE mux_asset_id = :id)"
                " + (SELECT count(*) FROM courses WHERE mux_preview_asset_id = :id)"
            ),
            {"id": asset_id},
        )
        assert users == 0, f"{asset_id} is used and was to be deleted"


def time_passes() -> None:
    """Everything that was written down is due, and done."""
    for _ in range(2):
        db.session.execute(update(AssetDeletion).values(due_at=func.now() - text("interval '1 second'")))
        db.session.execute(text("DELETE FROM mux_budget"))
        db.session.commit()
        sweep.sweep()


def is_at_mux(one: Shared) -> bool:
    return one.asset_id in [asset["id"] for asset in one.mux_sim.control.assets()]


@pytest.mark.parametrize("sharing", SHARINGS)
@pytest.mark.parametrize("second", [*ALONE, *EVERYWHERE])
@pytest.mark.parametrize("first", ALONE)
def test_the_one_lets_go_and_the_other_goes_on_playing(
    mux_sim: MuxSim, first: Way, second: Way, sharing: str
) -> None:
    one = shared(mux_sim, sharing)
    first(one, one.first)
    every_deletion_can_be_carried_out()
    assert open_deletions() == []
    time_passes()
    has_let_go(one, one.first)
    goes_on_playing(one, one.second)
    assert is_at_mux(one)
    assert "DELETE" not in {call["method"] for call in mux_sim.calls()}
    second(one, one.second)
    every_deletion_can_be_carried_out()
    time_passes()
    has_let_go(one, one.second)
    assert not is_at_mux(one)
    assert open_deletions() == []


@pytest.mark.parametrize("sharing", SHARINGS)
@pytest.mark.parametrize("second", [*ALONE, *EVERYWHERE])
@pytest.mark.parametrize("first", EVERYWHERE)
def test_what_is_given_up_everywhere_is_gone_everywhere(
    mux_sim: MuxSim, first: Way, second: Way, sharing: str
) -> None:
    one = shared(mux_sim, sharing)
    first(one, one.first)
    second(one, one.second)  # too late for it, and no harm
    every_deletion_can_be_carried_out()
    time_passes()
    has_let_go(one, one.first)
    has_let_go(one, one.second)
    assert not is_at_mux(one)
    assert open_deletions() == []


@pytest.mark.parametrize("asked_about", ["first", "second"])
def test_each_that_waits_for_the_deletion_can_ask_about_it(mux_sim: MuxSim, asked_about: str) -> None:
    """The row names one of them; Mux put the deletion off, and support rechecks either."""
    one = shared(mux_sim, "lesson and course")
    api(one, one.first)
    mux_sim.control.fault("api", "status", match={"method": "DELETE"}, status=500)
    sweep.sweep()
    mux_sim.control.clear_faults()
    assert open_deletions() == [one.asset_id]
    owner: Owner = getattr(one, asked_about)
    assert facts.read_facts(owner, None).deletion is not None
    db.session.rollback()
    said = recheck.recheck(owner.kind, owner.id, actor=CLI, answers=Answers("high"))
    assert said.note == "The video is deleted at Mux."
    assert not is_at_mux(one)
    has_let_go(one, owner)


def test_one_that_lets_go_says_so_in_its_trail(mux_sim: MuxSim) -> None:
    one = shared(mux_sim, "two lessons")
    remove(one, one.first)
    trail = mux_sim.actions(one.first.id)
    assert trail.count("video.let_go") == 1
    assert "video.deleted" not in trail
    assert "lesson.unpublished" in trail
    remove(one, one.first)
    assert mux_sim.actions(one.first.id) == trail, "repeated without harm"


def test_a_replacement_of_a_shared_video_can_be_undone(mux_sim: MuxSim) -> None:
    one = shared(mux_sim, "two lessons")
    replace(one, one.first)
    with transaction(JOB):
        assert removal.undo_replacement(locking.lock_video_of(one.first))
    goes_on_playing(one, one.first)
    goes_on_playing(one, one.second)
    time_passes()
    assert is_at_mux(one)


def test_the_grace_time_of_the_one_outlasts_the_removal_by_the_other(mux_sim: MuxSim) -> None:
    """The asset was replaced in the first a moment ago, so that can be undone although the second gave it up."""
    one = shared(mux_sim, "two lessons")
    replace(one, one.first)
    remove(one, one.second)
    sweep.sweep()
    assert is_at_mux(one)
    with transaction(JOB):
        assert removal.undo_replacement(locking.lock_video_of(one.first))
    goes_on_playing(one, one.first)
    assert one.asset_id not in open_deletions()


def test_two_that_let_go_at_the_same_moment_leave_nothing_behind(mux_sim: MuxSim, app: Flask) -> None:
    """Each would see the other as a user; the asset would stay at Mux for ever."""
    one = shared(mux_sim, "two lessons")
    began = threading.Event()

    def second() -> None:
        with app.app_context():
            began.set()
            remove(one, one.second)

    other = threading.Thread(target=second)
    with transaction(Actor.user(one.first.owner_id)):
        removal.clear_video(locking.lock_video_of(one.first))
        other.start()
        began.wait(10)
        wait_until_waited_for(db.session())
    other.join(30)
    assert open_deletions() == [one.asset_id]
    time_passes()
    assert not is_at_mux(one)


def stuck(one: Shared) -> AssetDeletion:
    """As an older program left it: the first was cleared, the deletion refused every hour since the second plays."""
    row = db.session.scalars(select(Tracking).where(Tracking.lesson_id == one.first.id)).one()
    row.status = "deleting"
    owner = db.session.get_one(Lesson, one.first.id)
    owner.mux_asset_id = owner.mux_playback_id = owner.published_at = None
    owner.video_processing_status, owner.status = "deleting", "draft"
    db.session.commit()
    return keep(
        AssetDeletion(
            mux_asset_id=one.asset_id,
            reason="deleted by a person",
            target_type="lesson",
            target_id=one.first.id,
            attempts=30,
            last_error="it plays in a lesson or course again",
        )
    )


@pytest.mark.parametrize(
    "sharing", ["two lessons", "lesson and course", "lesson and one from before tracking"]
)
def test_a_deletion_that_an_older_program_repeats_for_ever_is_ended(mux_sim: MuxSim, sharing: str) -> None:
    one = shared(mux_sim, sharing)
    deletion_id = stuck(one).id
    sweep.sweep()
    assert open_deletions() == []
    has_let_go(one, one.first)
    goes_on_playing(one, one.second)
    (ended,) = db.session.scalars(select(AuditLog).where(AuditLog.target_id == deletion_id))
    assert (ended.action, ended.actor_type) == ("deletion.ended", "job")
    assert ended.detail["used_by"] == f"{one.second.kind} {one.second.id}"
    assert "DELETE" not in {call["method"] for call in mux_sim.calls()}
    remove(one, one.second)
    time_passes()
    assert not is_at_mux(one), "a deletion that was ended stands in the way of none that comes later"


def test_a_deletion_whose_lease_is_out_is_not_ended_under_the_worker(mux_sim: MuxSim) -> None:
    """The worker that is at Mux with it comes back to a row that is gone, and takes that as it is."""
    one = shared(mux_sim, "two lessons")
    remove(one, one.first)
    remove(one, one.second)
    (row,) = db.session.scalars(select(AssetDeletion)).all()
    mux_sim.control.fault("api", "status", match={"method": "DELETE"}, status=500)
    with transaction(JOB):
        lease = outbox.claim_deletion(row.id)
    assert lease is not None
    with transaction(JOB):
        plays(make_user(), one.asset_id, "p", True, True)
    assert cleanup.finish_deletion(row.id, actor=JOB) is False
    assert open_deletions() == []
    with transaction(JOB):
        cleanup._record_failure(lease, mux.Later("No answer."))
    assert open_deletions() == []
