"""A user who loses the right to a lesson or course loses the uploads begun for it; a file that arrives after that is held."""

import time
import uuid
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner
from sqlalchemy import select, text, update

from lessonadmin import mux
from lessonadmin.db import CLI, Actor, db, transaction
from lessonadmin.domain import heartbeats
from lessonadmin.domain.accounts import handover, users
from lessonadmin.domain.batches import batches, registry, scheduling
from lessonadmin.domain.diagnosis import diagnose
from lessonadmin.domain.errors import Conflict, Missing
from lessonadmin.domain.lessons import courses, import_file, lesson_import
from lessonadmin.domain.maintenance import sweep
from lessonadmin.domain.models import (
    AssetDeletion,
    AuditLog,
    Course,
    Lesson,
    MuxEvent,
    Notification,
    Tracking,
    UploadCancellation,
    User,
)
from lessonadmin.domain.reconciliation import reconcile
from lessonadmin.domain.uploads import assign_asset, direct_upload
from lessonadmin.domain.videos import withdrawal
from lessonadmin.domain.webhooks import inbox
from tests.factories import make_course, make_lesson, make_tracking, make_user
from tests.mux_sim import MuxSim
from tests.queries import counted
from tests.trash import delete, end

FILE = direct_upload.File(name="talk.mp4", size=1000)
Owner = Lesson | Course


@pytest.fixture(autouse=True)
def plenty(enough_calls: None, session: object) -> None:
    heartbeats.record("worker:host:1")
    heartbeats.record("clock")


def fresh(user: User) -> User:
    return db.session.get_one(User, user.id, populate_existing=True)


def disabled(instructor: User, _owner: Owner) -> None:
    with transaction(CLI):
        users.set_active(fresh(instructor), False)


def demoted(instructor: User, _owner: Owner) -> None:
    with transaction(CLI):
        users.set_role(fresh(instructor), "student")


def handed_over(instructor: User, _owner: Owner) -> None:
    taker = make_user()
    with transaction(CLI):
        handover.hand_over(from_id=instructor.id, to_id=taker.id)


def course_given(_teacher: User, owner: Owner) -> None:
    staff, taker = make_user(role="support"), make_user()
    with transaction(Actor.user(staff.id)):
        courses.give(fresh(staff), owner.id, to_email=taker.email)


LOSSES: list[Callable[[User, Owner], None]] = [disabled, demoted, handed_over]
WHY = {
    disabled: "the account was disabled",
    demoted: "the role was changed to student",
    handed_over: "all content was transferred to",
    course_given: "the course was transferred to",
}


def row(upload_id: str) -> Tracking:
    db.session.rollback()
    found = select(Tracking).where(Tracking.upload_id == upload_id)
    return db.session.scalars(found.execution_options(populate_existing=True)).one()


def state(upload_id: str) -> tuple[str, str | None, bool]:
    now = row(upload_id)
    return now.status, now.error_type, now.is_current


def late(mux_sim: MuxSim, lesson: Owner, *, heard: bool = True) -> str:
    """The teacher is disabled, and the file of the open upload arrives after that; the upload's id."""
    ticket = mux_sim.upload(lesson)
    disabled(db.session.get_one(User, lesson.owner_id), lesson)
    mux_sim.control.complete_upload(ticket.upload_id)
    if heard:
        mux_sim.deliver()
    else:
        mux_sim.forget()
    return ticket.upload_id


def played(mux_sim: MuxSim, lesson: Lesson) -> str:
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    asset_id = mux_sim.lesson(lesson).mux_asset_id
    assert asset_id is not None
    return asset_id


def press(action: str, upload_id: str) -> list[batches.Item]:
    actor = Actor.user(make_user(role="support").id)
    found = registry.find("tracking", action)
    return list(scheduling.run_now(found, [row(upload_id).id], actor=actor).items)


@pytest.mark.parametrize(
    ("loss", "kind"),
    [*((loss, kind) for loss in LOSSES for kind in ("lesson", "course")), (course_given, "course")],
)
def test_what_has_not_arrived_is_cancelled_with_the_loss(
    mux_sim: MuxSim, loss: Callable[[User, Owner], None], kind: str
) -> None:
    instructor = make_user()
    owner = make_lesson(creator=instructor) if kind == "lesson" else make_course(instructor=instructor)
    upload_id = mux_sim.upload(owner).upload_id
    loss(instructor, owner)
    assert state(upload_id) == ("cancelled", "right_lost", False)
    assert (row(upload_id).started_by, row(upload_id).withdrawn_at is None) == (instructor.id, False)
    trail = select(AuditLog).where(
        AuditLog.action == "video.upload_cancelled", AuditLog.target_id == owner.id
    )
    (told,) = db.session.scalars(trail)
    assert told.detail["reason"].startswith(WHY[loss])
    assert (told.detail["upload_id"], told.detail["started_by"]) == (upload_id, str(instructor.id))
    assert db.session.scalars(select(UploadCancellation.upload_id)).all() == [upload_id]
    now = db.session.get_one(type(owner), owner.id, populate_existing=True)
    assert now.video_processing_status == "none"
    sweep.sweep()
    assert mux_sim.control.upload(upload_id)["status"] == "cancelled"
    assert state(upload_id) == ("cancelled", "right_lost", False)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("swept_first", [False, True])
def test_a_file_that_comes_after_the_loss_changes_nothing_and_is_held(
    mux_sim: MuxSim, loss: Callable[[User, Owner], None], swept_first: bool
) -> None:
    """The published video goes on playing, whether Mux's webhooks come first or the cancellation that came too late."""
    instructor, staff = make_user(), [make_user(role="support"), make_user(role="admin")]
    lesson = make_lesson(creator=instructor)
    asset_id = played(mux_sim, lesson)
    upload_id = mux_sim.upload(lesson).upload_id
    loss(instructor, lesson)
    mux_sim.control.complete_upload(upload_id)
    if swept_first:
        sweep.sweep()
        assert state(upload_id) == ("cancelled", "held", False)
    mux_sim.deliver()
    for _ in range(2):
        sweep.sweep()
    now = mux_sim.lesson(lesson)
    assert (now.status, now.video_processing_status, now.mux_asset_id) == ("published", "ready", asset_id)
    assert state(upload_id) == ("cancelled", "held", False)
    assert db.session.scalars(select(AssetDeletion)).all() == []
    assert [mux_sim.notices(one.id) for one in staff] == [["needs_attention"], ["needs_attention"]]
    assert mux_sim.actions(lesson.id).count("video.held") == 1


def test_a_draft_that_waits_for_its_video_is_not_published(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    upload_id = late(mux_sim, lesson)
    now = mux_sim.lesson(lesson)
    assert (now.status, now.publish_on_ready, now.video_processing_status) == ("draft", True, "none")
    assert state(upload_id)[1] == "held"


def test_what_mux_has_already_goes_on(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    made = make_tracking(lesson, status="processing", mux_asset_id="a1", started_by=lesson.creator_id)
    for loss in LOSSES:
        with transaction(CLI):
            users.set_active(db.session.get_one(User, lesson.creator_id, populate_existing=True), True)
        loss(db.session.get_one(User, lesson.creator_id), lesson)
    db.session.rollback()
    assert db.session.get_one(Tracking, made.id, populate_existing=True).status == "processing"


def test_an_upload_that_staff_began_stays_when_the_lesson_changes_hands(mux_sim: MuxSim) -> None:
    staff, instructor = make_user(role="support"), make_user()
    lesson = make_lesson(creator=instructor)
    ticket = direct_upload.start(lesson, FILE, actor=Actor.user(staff.id))
    for loss in (handed_over, disabled):
        loss(instructor, lesson)
        assert state(ticket.upload_id) == ("uploading", None, True)
    with transaction(CLI):
        users.set_role(fresh(staff), "instructor")
    assert state(ticket.upload_id)[1] == "right_lost"


def test_staff_who_teach_keep_their_own_uploads_when_they_are_no_longer_staff(mux_sim: MuxSim) -> None:
    staff = make_user(role="support")
    own, other = make_lesson(creator=staff), make_lesson()
    tickets = [direct_upload.start(one, FILE, actor=Actor.user(staff.id)) for one in (own, other)]
    lost = withdrawal.preview(fresh(staff))
    assert (lost.by_disabling, lost.by_role["instructor"], lost.by_role["admin"]) == (2, 1, 0)
    assert lost.by_handing_over == 0
    with transaction(CLI):
        users.set_role(fresh(staff), "instructor")
    assert [state(one.upload_id)[1] for one in tickets] == [None, "right_lost"]


@pytest.mark.parametrize("loss", LOSSES)
def test_an_upload_from_before_is_its_instructors(
    mux_sim: MuxSim, loss: Callable[[User, Owner], None]
) -> None:
    lesson = make_lesson()
    make_tracking(lesson, upload_id="old")
    loss(db.session.get_one(User, lesson.creator_id), lesson)
    assert (state("old")[1], row("old").started_by is None) == ("right_lost", False)


def test_one_that_our_clock_gave_up_a_moment_ago_may_still_arrive(mux_sim: MuxSim) -> None:
    lesson, long_ago = make_lesson(), make_lesson()
    for owner, upload_id, days in ((lesson, "new", 0), (long_ago, "old", 3)):
        expired = text(f"clock_timestamp() - interval '{days} days 5 seconds'")
        make_tracking(owner, upload_id=upload_id, status="error", error_type="upload_timed_out")
        db.session.execute(update(Tracking).where(Tracking.upload_id == upload_id).values(expires_at=expired))
        db.session.commit()
        disabled(db.session.get_one(User, owner.creator_id), owner)
    assert (state("new")[1], state("old")[1]) == ("right_lost", "upload_timed_out")
    assert db.session.scalars(select(UploadCancellation.upload_id)).all() == ["new"]


@pytest.mark.parametrize("how", ["disabled", "by another program"])
def test_an_address_that_was_being_made_never_leaves(
    mux_sim: MuxSim, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """The right goes while Mux is asked: the row is there, its upload id is not."""
    lesson = make_lesson()
    instructor_id, real = lesson.creator_id, mux.create_upload

    def create(**asked: object) -> mux.Upload:
        made = real(**asked)  # type: ignore[arg-type]
        if how == "disabled":
            disabled(db.session.get_one(User, instructor_id), lesson)
        else:
            db.session.execute(update(User).where(User.id == instructor_id).values(active=False))
            db.session.commit()
        return made

    monkeypatch.setattr(mux, "create_upload", create)
    with pytest.raises(Missing):
        direct_upload.start(lesson, FILE, actor=Actor.user(instructor_id))
    (made,) = mux_sim.uploads(lesson)
    assert (made.status, made.error_type, made.is_current) == ("cancelled", "right_lost", False)
    assert made.upload_id is not None
    sweep.sweep()
    assert mux_sim.control.upload(made.upload_id)["status"] == "cancelled"


def test_a_right_that_comes_back_revives_nothing(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    upload_id = late(mux_sim, lesson)
    with transaction(CLI):
        users.set_active(db.session.get_one(User, lesson.creator_id, populate_existing=True), True)
    said = direct_upload.bytes_are_in(
        lesson, upload_id, temp_asset_id=None, actor=Actor.user(lesson.creator_id)
    )
    sweep.sweep()
    assert (said, state(upload_id)[1]) == ("cancelled", "held")
    assert mux_sim.lesson(lesson).video_processing_status == "none"


@pytest.mark.parametrize("heard", [True, False])
def test_no_other_way_leads_out(mux_sim: MuxSim, app: Flask, heard: bool) -> None:
    """Replayed events, rechecks, republish, fix-lessons, reconcile, support's own words and an import: it stays held, or
    is found and held where every event was lost."""
    lesson = make_lesson()
    upload_id = late(mux_sim, lesson, heard=heard)
    if not heard:  # the row that cancels it is lost with everything else
        db.session.execute(text("DELETE FROM upload_cancellations"))
    # a temporary id makes fix-lessons look for whatever names this lesson at Mux
    temporary = {"mux_asset_id": "temp_1", "mux_playback_id": "temp_1", "video_processing_status": "ready"}
    db.session.execute(update(Lesson).values(temporary))
    db.session.commit()
    asset_id = str(mux_sim.control.upload(upload_id)["asset_id"])
    playback_id = mux_sim.control.asset(asset_id)["playback_ids"][0]["id"]
    FlaskCliRunner(app).invoke(args=["fix-lessons", "--delay", "0"])
    for event_id in db.session.scalars(select(MuxEvent.id)).all():
        inbox.replay(event_id, actor=CLI)
    staff = Actor.user(make_user(role="support").id)
    for name in ("recheck", "republish"):
        scheduling.run_now(registry.find("lesson", name), [lesson.id], actor=staff)
    with pytest.raises(Conflict, match="held"):
        assign_asset.adopt_asset(make_lesson(), asset_id=asset_id, playback_id=playback_id, actor=staff)
    line = import_file.Row(
        line=2, instructor=make_user().email, title="Taken", description="", course="", language="", price_cents=0,
        status="published", section="", asset_id=asset_id,
    )  # fmt: skip
    assert lesson_import.take_in(line, actor=CLI, dry_run=False).result == "failed"
    db.session.rollback()
    reconcile.run(actor=CLI, started_by="test", fix=True, delete_orphans=True, tell=lambda _: None)
    sweep.sweep()
    assert state(upload_id) == ("cancelled", "held", False)
    assert mux_sim.control.asset(asset_id)["id"] == asset_id
    assert db.session.scalars(select(AssetDeletion)).all() == []
    assert db.session.scalars(select(Lesson).where(Lesson.mux_asset_id == asset_id)).all() == []
    assert mux_sim.lesson(lesson).status == "draft"


def test_reconciling_finds_what_no_event_told_of_and_does_not_delete_it(mux_sim: MuxSim) -> None:
    """An old asset of an upload that was withdrawn, and neither a webhook nor the cancellation told of it."""
    lesson = make_lesson()
    make_tracking(lesson, upload_id="upload-a", started_by=lesson.creator_id)
    disabled(db.session.get_one(User, lesson.creator_id), lesson)
    db.session.execute(text("DELETE FROM upload_cancellations"))
    db.session.commit()
    note = mux.Passthrough(lesson_id=lesson.id).text()
    (asset_id,) = mux_sim.control.seed_assets(1, passthrough=note, upload_id="upload-a", created_at=0)
    told: list[str] = []
    reconcile.run(
        actor=CLI,
        started_by="test",
        fix=True,
        delete_orphans=True,
        tell=lambda found: told.append(found.kind),
    )
    assert told == ["stale"]
    assert (state("upload-a"), row("upload-a").mux_asset_id) == (("cancelled", "held", False), asset_id)
    assert db.session.scalars(select(AssetDeletion)).all() == []


def test_staff_delete_it_at_mux(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    upload_id = late(mux_sim, lesson)
    asset_id = row(upload_id).mux_asset_id
    assert press("clear_asset", upload_id)[0].status == "done"
    sweep.sweep()
    assert row(upload_id).status == "deleted"
    assert asset_id not in [one["id"] for one in mux_sim.control.assets()]
    assert [one.cause for one in diagnose.diagnose(mux_sim.lesson(lesson))] == ["no_video"]


def test_before_a_file_came_the_case_says_what_became_of_the_upload(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    mux_sim.upload(lesson)
    disabled(db.session.get_one(User, lesson.creator_id), lesson)
    finding = diagnose.diagnose(mux_sim.lesson(lesson))[0]
    assert (finding.cause, finding.severity) == ("right_lost", "fine")


def test_a_deleted_lesson_takes_what_is_held_with_it(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    asset_id = row(late(mux_sim, lesson)).mux_asset_id
    delete(lesson, by=make_user(role="support"))
    assert db.session.scalars(select(AssetDeletion)).all() == []
    end(lesson, by=make_user(role="support"))
    assert db.session.scalars(select(AssetDeletion.mux_asset_id)).all() == [asset_id]


def test_five_thousand_lessons_and_fifty_uploads(mux_sim: MuxSim) -> None:
    """What it costs grows with the uploads that are open, not with the lessons."""
    instructor, taker = make_user(), make_user()
    make = "INSERT INTO lessons (creator_id, title) SELECT :teacher, 'Lesson ' || n FROM generate_series(1, 5000) n"
    begin = (
        "INSERT INTO mux_asset_tracking (lesson_id, owner_id, upload_id, started_by)"
        " SELECT id, creator_id, 'upload-' || id, creator_id FROM lessons ORDER BY id LIMIT 50"
    )
    db.session.execute(text(make), {"teacher": instructor.id})
    db.session.execute(text(begin))
    db.session.commit()
    assert withdrawal.preview(fresh(instructor)).by_handing_over == 50
    began = time.monotonic()
    with counted() as sent, transaction(CLI):
        done = handover.hand_over(from_id=instructor.id, to_id=taker.id)
    assert (done.lessons, done.uploads) == (5000, 50)
    assert len(sent) < 50 * 10
    assert time.monotonic() - began < 20
    states = set(db.session.execute(select(Tracking.status, Tracking.error_type)))
    assert states == {("cancelled", "right_lost")}
    assert len(db.session.scalars(select(UploadCancellation.id)).all()) == 50


def test_every_member_of_staff_is_told_once(mux_sim: MuxSim) -> None:
    staff, gone = make_user(role="admin"), make_user(role="support", active=False)
    lesson = make_lesson()
    upload_id = late(mux_sim, lesson)
    for event_id in db.session.scalars(select(MuxEvent.id)).all():
        inbox.replay(event_id, actor=CLI)
    assert (mux_sim.notices(staff.id), mux_sim.notices(gone.id)) == (["needs_attention"], [])
    told = db.session.scalars(select(Notification).where(Notification.user_id == staff.id)).one()
    assert (told.cause, told.lesson_id) == ("held", lesson.id)
    assert row(upload_id).id != uuid.UUID(int=0)
