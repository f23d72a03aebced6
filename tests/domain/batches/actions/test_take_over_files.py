"""A file that is held becomes the newest video of its lesson or course, by staff, and never beside one on its way."""

import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select, text

from lessonadmin.db import CLI, db, transaction
from lessonadmin.domain import heartbeats
from lessonadmin.domain.accounts import users
from lessonadmin.domain.batches.actions import take_over_files
from lessonadmin.domain.batches.results import SENTENCES
from lessonadmin.domain.diagnosis import diagnose
from lessonadmin.domain.maintenance import sweep
from lessonadmin.domain.models import AssetDeletion, AuditLog, Course, Lesson, Tracking, User
from lessonadmin.domain.models.videos import TRACKING_STATUSES
from tests.domain.batches.actions.support import only
from tests.factories import make_course, make_lesson, make_tracking, make_user
from tests.mux_sim import MuxSim

Owner = Lesson | Course
OWNERS = pytest.mark.parametrize("make", [make_lesson, make_course], ids=["lesson", "course"])


def held(owner: Owner, **columns: Any) -> Tracking:
    """Its file arrived after the right to the owner was lost."""
    then = datetime.now(UTC)
    columns = {"status": "cancelled", "error_type": "held", "mux_asset_id": "late", **columns}
    return make_tracking(owner, superseded_at=then, withdrawn_at=then, **columns)


def enable(instructor_id: uuid.UUID, active: bool) -> None:
    with transaction(CLI):
        users.set_active(db.session.get_one(User, instructor_id, populate_existing=True), active)


def arrived_late(mux_sim: MuxSim, lesson: Lesson) -> Tracking:
    """The same as it happens: the teacher is disabled, and then the file of the open upload arrives."""
    ticket = mux_sim.upload(lesson)
    enable(lesson.creator_id, False)
    mux_sim.control.complete_upload(ticket.upload_id)
    mux_sim.deliver()
    return next(row for row in mux_sim.uploads(lesson) if row.upload_id == ticket.upload_id)


def verdict(row: Tracking) -> str:
    """What the preview counts."""
    query = select(take_over_files.take_over_verdict()).where(Tracking.id == row.id)
    return str(db.session.scalar(query))


def outcome(tracking_id: uuid.UUID) -> str:
    with transaction(CLI):
        return take_over_files.take_over(tracking_id).code


@OWNERS
def test_one_that_is_held_is_current_again_and_mux_is_asked_at_once(session: object, make: Any) -> None:
    owner = make()
    row = held(owner)
    assert verdict(row) == outcome(row.id) == "takes_over"
    now = db.session.get_one(Tracking, row.id, populate_existing=True)
    assert (now.is_current, now.status, now.error_type) == (True, "processing", None)
    due = text("SELECT next_check_at <= clock_timestamp() FROM mux_asset_tracking")
    assert db.session.scalar(due) is True
    (written,) = db.session.scalars(select(AuditLog).where(AuditLog.action == "video.taken_over"))
    assert (written.target_id, written.detail["asset_id"]) == (owner.id, "late")


@OWNERS
@pytest.mark.parametrize("status", ["uploading", "processing"])
def test_never_beside_one_that_is_on_its_way(session: object, make: Any, status: str) -> None:
    owner = make()
    row, coming = held(owner), make_tracking(owner, status=status)
    assert verdict(row) == outcome(row.id) == "another_coming"
    assert db.session.get_one(Tracking, coming.id, populate_existing=True).is_current
    assert not db.session.get_one(Tracking, row.id, populate_existing=True).is_current


def test_one_on_its_way_to_another_lesson_is_in_no_ones_way(session: object) -> None:
    row = held(make_lesson())
    make_tracking(make_lesson())
    make_tracking(make_course())
    assert verdict(row) == outcome(row.id) == "takes_over"


@pytest.mark.parametrize("status", TRACKING_STATUSES)
@pytest.mark.parametrize("error", [None, "right_lost"])
def test_what_is_not_held_is_left_as_it_is(session: object, status: str, error: str | None) -> None:
    row = make_tracking(make_lesson(), status=status, error_type=error, mux_asset_id="a")
    assert verdict(row) == outcome(row.id) == "not_held"
    now = db.session.get_one(Tracking, row.id, populate_existing=True)
    assert (now.status, now.error_type) == (status, error)
    assert db.session.scalars(select(AuditLog)).all() == []


def test_one_that_is_not_there_is_missing(session: object) -> None:
    assert outcome(uuid.uuid4()) == "missing"


def test_staff_read_why_and_take_it_over(mux_sim: MuxSim) -> None:
    """Then it goes the usual way: it replaces what plays, which is kept for its grace time."""
    heartbeats.record("worker:host:1")
    heartbeats.record("clock")
    lesson = make_lesson(creator=make_user(email="gone@school.example"))
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    before = mux_sim.lesson(lesson).mux_asset_id
    row = arrived_late(mux_sim, lesson)
    finding = diagnose.diagnose(mux_sim.lesson(lesson))[0]
    assert finding.cause == "held"
    today = f"{row.withdrawn_at:%-d %B %Y}"
    assert finding.sentence.startswith(
        f"gone@school.example started this upload and lost the right to this lesson on {today}; the file arrived"
    )
    assert [one.action for one in finding.buttons if one.action] == ["take_over", "clear_asset"]
    line = only("tracking", "take_over", row.id)
    assert (line.status, line.note.startswith("The file is taken over")) == ("done", True)
    assert mux_sim.lesson(lesson).mux_asset_id == before
    sweep.sweep()
    now = mux_sim.lesson(lesson)
    assert (now.mux_asset_id, now.status) == (row.mux_asset_id, "published")
    assert db.session.scalars(select(AssetDeletion.mux_asset_id)).all() == [before]
    actor = select(AuditLog.actor_type).where(AuditLog.action == "video.taken_over")
    assert db.session.scalars(actor).all() == ["user"]
    assert only("tracking", "take_over", row.id).note == SENTENCES["not_held"]


def test_what_is_held_never_pushes_another_upload_away(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    row = arrived_late(mux_sim, lesson)
    enable(lesson.creator_id, True)
    mux_sim.upload(mux_sim.lesson(lesson))
    assert only("tracking", "take_over", row.id).note == SENTENCES["another_coming"]
    coming = mux_sim.uploads(lesson)[-1]
    assert (coming.status, coming.error_type, coming.is_current) == ("uploading", None, True)
