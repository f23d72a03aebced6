"""The trash: what is deleted is gone for all but its instructor, keeps its video, publishes nothing, and comes back or ends, once."""

import threading
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from lessonadmin.db import JOB, Actor, db, transaction
from lessonadmin.domain import attention, buyers, permissions
from lessonadmin.domain.accounts import handover
from lessonadmin.domain.batches import registry
from lessonadmin.domain.batches.before import BEFORE
from lessonadmin.domain.errors import Conflict, Forbidden, Missing
from lessonadmin.domain.lessons import lessons, listing, purchases, trash, trash_list, worklist
from lessonadmin.domain.lessons.lessons import Changes
from lessonadmin.domain.maintenance import sweep
from lessonadmin.domain.models import (
    AssetDeletion,
    Course,
    Kind,
    Lesson,
    Purchase,
    Tracking,
    UploadCancellation,
    User,
)
from lessonadmin.domain.uploads import direct_upload
from lessonadmin.domain.videos import conditions, locking, outbox, publication, removal, restoring
from tests.blocked import wait_until_waited_for
from tests.domain.lessons.support import as_, trail
from tests.domain.videos.deletions import deletion, due_now, playing
from tests.factories import (
    make_course,
    make_lesson,
    make_playing_lesson,
    make_purchase,
    make_tracking,
    make_user,
)
from tests.mux_sim import MuxSim
from tests.settings import overridden
from tests.trash import delete, delete_for_good, grow_old, instructor_of, stored, there

pytestmark = pytest.mark.usefixtures("session")


def restore(owner: Lesson | Course, *, publish: bool = False, by: User | None = None) -> None:
    user = by or instructor_of(owner)
    with as_(user):
        trash.restore(user, owner.kind, owner.id, publish=publish)


def actions(owner: Lesson | Course) -> list[str]:
    return [action for action, _ in trail(owner.id)]


# moved there


def test_a_deleted_lesson_is_a_draft_without_an_intent_and_says_by_whom_and_until_when() -> None:
    lesson = make_playing_lesson(title="Rye", price_cents=900)
    delete(lesson)
    now = there(lesson)
    assert (now.status, now.publish_on_ready, now.published_at) == ("draft", False, None)
    assert (now.deleted_by, now.mux_asset_id, now.price_cents) == (
        lesson.creator_id,
        lesson.mux_asset_id,
        900,
    )
    assert db.session.scalars(select(AssetDeletion)).all() == []
    assert actions(lesson) == ["lesson.unpublished", "lesson.deleted"]
    (line,) = trash_list.page(instructor_of(lesson)).items
    assert (line.title, line.deleted_by, line.was_published) == ("Rye", "you", True)
    assert (line.until - line.deleted_at).days == 30


def test_it_is_gone_for_all_who_could_see_or_change_it() -> None:
    user, student = make_user(), make_user(role="student")
    course = make_course(instructor=user)
    lesson = make_playing_lesson(creator=user, course_id=course.id)
    staff = make_user(role="admin")
    delete(lesson)
    for person in (user, student, staff):
        assert listing.lessons(person, listing.Query()).total == 0
        with pytest.raises(Missing):
            permissions.lesson_to_see(person, lesson.id)
    for person in (user, staff):
        assert worklist.page(person, worklist.Query()).total == 0
        for change in (permissions.lesson_to_change, lambda one, id_: lessons.delete(one, id_)):
            with pytest.raises(Missing), as_(person):
                change(person, lesson.id)
    with pytest.raises(Missing), as_(student):
        purchases.buy(student, lesson.id)
    support = make_user(role="support")
    with pytest.raises(Missing), transaction(Actor.user(support.id, reason="Asked")):
        purchases.give(lesson.id, student.id)


def test_the_database_holds_that_nothing_in_the_trash_is_published() -> None:
    lesson = make_playing_lesson()
    delete(lesson)
    for change in ({"status": "published"}, {"publish_on_ready": True}):
        with pytest.raises(IntegrityError, match="trash_is_draft"):
            db.session.execute(update(Lesson).where(Lesson.id == lesson.id).values(**change))
        db.session.rollback()


def test_a_bought_lesson_is_not_deleted() -> None:
    lesson = make_playing_lesson(price_cents=900)
    make_purchase(lesson, make_user(role="student"))
    with pytest.raises(Conflict) as refusal:
        delete(lesson)
    assert (refusal.value.type, there(lesson).deleted_at) == ("has_purchases", None)


def test_a_withdrawn_lesson_plays_for_its_buyers_alone_until_it_is_back_on_sale() -> None:
    """What the page calls withdrawing from sale is unpublishing."""
    lesson = make_playing_lesson(price_cents=900)
    buyer, other = make_user(role="student"), make_user(role="student")
    make_purchase(lesson, buyer)
    user = instructor_of(lesson)
    for on_sale in (False, True):
        with as_(user):
            (lessons.edit(user, lesson.id, Changes(status="published" if on_sale else "draft")))
        now = there(lesson)
        assert permissions.may_play(buyer, now)
        assert not permissions.may_play(other, now)
        seen = {one.id: listing.lessons(one, listing.Query()).total for one in (buyer, other)}
        assert seen == {buyer.id: 1, other.id: int(on_sale)}
        if not on_sale:
            with pytest.raises(Conflict, match="cannot be bought"), as_(other):
                purchases.buy(other, lesson.id)
    with as_(other):
        assert purchases.buy(other, lesson.id)[1]


def test_a_revoked_purchase_is_not_restored_for_a_lesson_in_the_trash_and_is_after_it_is_back() -> None:
    lesson = make_playing_lesson(price_cents=900)
    purchase = make_purchase(lesson, make_user(role="student"))
    support = Actor.user(make_user(role="support").id, reason="Asked")
    with transaction(support):
        purchases.revoke(purchase.id)
    delete(lesson)
    with pytest.raises(Conflict, match="deleted"), transaction(support):
        purchases.restore(purchase.id)
    restore(lesson)
    with transaction(support):
        purchases.restore(purchase.id)
    assert buyers.count(lesson.id) == 1


def test_what_waits_for_a_person_is_not_counted_in_the_trash() -> None:
    late = text("UPDATE mux_asset_tracking SET created_at = now() - interval '2 days'")
    for status, more in (
        ("error", {"error_type": "asset_errored"}),
        ("processing", {}),
        ("cancelled", {"error_type": "held"}),
    ):
        lesson = make_lesson(video_processing_status=status if status != "cancelled" else "none")
        make_tracking(lesson, status=status, mux_asset_id=f"asset-{status}", **more)
    db.session.execute(late)
    db.session.commit()

    def counts() -> list[Any]:
        queries = (attention.ids(Lesson), attention.upload_ids(), conditions.stuck_ids(Lesson))
        found = [len(db.session.scalars(query).all()) for query in queries]
        return [*found, sum(attention.count_by_cause().values())]

    before = counts()
    assert min(before) > 0
    for lesson in db.session.scalars(select(Lesson)).all():
        delete(lesson)
    assert counts() == [0, 0, 0, 0]
    assert sweep.sweep().figures["needs_attention"] == 0


# uploads and webhooks


def test_an_upload_on_its_way_is_cancelled_and_one_that_mux_has_goes_on(mux_sim: MuxSim) -> None:
    mux_sim.control.hold_processing()
    coming, processing = make_lesson(), make_lesson()
    mux_sim.upload(coming)
    mux_sim.uploaded(processing)
    mux_sim.deliver()
    for lesson in (coming, processing):
        delete(lesson)
    assert [one.status for one in mux_sim.uploads(coming)] == ["cancelled"]
    assert [one.status for one in mux_sim.uploads(processing)] == ["processing"]
    assert len(db.session.scalars(select(UploadCancellation)).all()) == 1
    (asset,) = mux_sim.control.assets()
    mux_sim.control.set_asset_ready(asset["id"])
    assert "applied" in mux_sim.deliver()
    now = there(processing)
    assert (now.video_processing_status, now.status, now.mux_asset_id) == ("ready", "draft", asset["id"])
    assert mux_sim.notices(processing.creator_id) == []
    restore(processing)
    now = there(processing)
    assert (now.status, now.publish_on_ready, now.is_playable) == ("draft", False, True)


def test_a_replacement_on_its_way_is_cancelled_and_the_video_stays(mux_sim: MuxSim) -> None:
    lesson, asset_id = playing(mux_sim)
    ticket = mux_sim.upload(lesson)
    delete(lesson)
    mux_sim.control.complete_upload(ticket.upload_id)  # the file was quicker than the cancellation
    mux_sim.deliver()
    due_now()
    sweep.sweep()
    assert there(lesson).mux_asset_id == asset_id
    assert [one["id"] for one in mux_sim.control.assets()] == [asset_id]


def test_a_replacement_that_mux_has_takes_its_place_in_the_trash(mux_sim: MuxSim) -> None:
    lesson, old = playing(mux_sim)
    mux_sim.control.hold_processing()
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    delete(lesson)
    (new,) = [one["id"] for one in mux_sim.control.assets() if one["id"] != old]
    mux_sim.control.set_asset_ready(new)
    mux_sim.deliver()
    assert there(lesson).mux_asset_id == new
    assert deletion().mux_asset_id == old
    restore(lesson, publish=True)
    assert (there(lesson).status, there(lesson).mux_asset_id) == ("published", new)


def test_an_asset_that_mux_deletes_is_known_after_it_is_restored(mux_sim: MuxSim) -> None:
    lesson, asset_id = playing(mux_sim)
    delete(lesson)
    mux_sim.control.delete_asset_in_dashboard(asset_id)
    mux_sim.deliver()
    with pytest.raises(Conflict, match="does not play"):
        restore(lesson, publish=True)
    restore(lesson)
    now = there(lesson)
    assert (now.status, now.video_error_type) == ("draft", "deleted_at_mux")


def test_all_webhooks_lost_the_sweep_learns_it_in_the_trash_too(mux_sim: MuxSim) -> None:
    mux_sim.control.hold_processing()
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    delete(lesson)
    mux_sim.control.set_asset_ready(mux_sim.control.assets()[0]["id"])
    mux_sim.forget()
    db.session.execute(update(Tracking).values(next_check_at=func.now()))
    db.session.commit()
    sweep.sweep()
    now = there(lesson)
    assert (now.video_processing_status, now.status) == ("ready", "draft")


def test_an_upload_that_is_being_issued_is_given_to_no_client(
    mux_sim: MuxSim, monkeypatch: pytest.MonkeyPatch
) -> None:
    lesson = make_lesson()
    create = direct_upload.mux.create_upload

    def slowly(**given: Any) -> Any:
        delete(lesson)
        return create(**given)

    monkeypatch.setattr(direct_upload.mux, "create_upload", slowly)
    with pytest.raises(Missing):
        mux_sim.upload(lesson)
    due_now()
    sweep.sweep()
    (upload,) = mux_sim.uploads(lesson)
    assert upload.status == "cancelled"
    assert [one["status"] for one in mux_sim.control.uploads()] == ["cancelled"]


def test_an_asset_stays_while_a_lesson_in_the_trash_uses_it(mux_sim: MuxSim) -> None:
    lesson, asset_id = playing(mux_sim)
    other = make_playing_lesson(mux_asset_id=asset_id)
    delete(lesson)
    with as_(instructor_of(other)):
        removal.remove_video(other)
    due_now()
    sweep.sweep()
    assert [one["id"] for one in mux_sim.control.assets()] == [asset_id]
    grow_old(lesson)
    sweep.sweep()
    due_now()
    sweep.sweep()
    assert mux_sim.control.assets() == []


def test_a_lesson_from_before_tracking_uses_its_asset_in_the_trash_too() -> None:
    """As another program may have put it there."""
    ids = {"mux_asset_id": "old", "mux_playback_id": "p", "video_processing_status": "ready"}
    lesson = make_lesson(**ids, publish_on_ready=False, deleted_at=datetime.now(UTC))
    assert outbox.users_of("old") == [("lesson", lesson.id)]
    assert locking.owners_with_asset("old") == [("lesson", lesson.id)]
    assert locking.targets_by_asset_id({"old"}) == {"old": ("lesson", lesson.id)}


def test_a_removed_video_that_comes_back_everywhere_publishes_nothing_in_the_trash(mux_sim: MuxSim) -> None:
    lesson, asset_id = playing(mux_sim)
    other = make_playing_lesson(mux_asset_id=asset_id)
    with transaction(JOB):
        locking.lock_all({("lesson", lesson.id)}, {asset_id})
        removal.give_up_asset(asset_id, "everyone", grace_seconds=3600)
    delete(lesson)
    with transaction(JOB):
        assert not restoring.restore("lesson", lesson.id)
        assert restoring.restore("lesson", other.id)
    assert (there(other).status, there(lesson).status) == ("published", "draft")
    assert there(lesson).mux_asset_id == asset_id


@pytest.mark.parametrize("do", [publication.publish, publication.request])
def test_the_one_writer_publishes_nothing_in_the_trash(do: Callable[[Lesson], bool]) -> None:
    lesson = make_playing_lesson()
    delete(lesson)
    with transaction(JOB):
        video = locking.lock_video("lesson", lesson.id, in_trash_too=True)
        assert video is not None
        assert isinstance(video.owner, Lesson)
        assert not do(video.owner)
    assert (there(lesson).status, there(lesson).publish_on_ready) == ("draft", False)


# restored


@pytest.mark.parametrize("publish", [False, True])
def test_it_comes_back_as_it_was(publish: bool) -> None:
    user = make_user()
    course = make_course(instructor=user)
    lesson = make_playing_lesson(creator=user, title="Rye", price_cents=900, course_id=course.id, position=2)
    was = (lesson.mux_asset_id, lesson.course_id, lesson.position, lesson.price_cents, lesson.description)
    date = lesson.published_at
    delete(lesson)
    restore(lesson, publish=publish)
    now = there(lesson)
    assert (now.mux_asset_id, now.course_id, now.position, now.price_cents, now.description) == was
    assert (now.deleted_at, now.deleted_by, now.before_trash) == (None, None, None)
    assert (now.status, now.published_at) == (("published", date) if publish else ("draft", None))
    assert actions(lesson)[2:] == ["lesson.restored", *(["lesson.published"] if publish else [])]
    assert trash_list.page(user).items == []


def test_the_intent_waits_again_only_for_a_video_that_is_not_ready() -> None:
    waiting, ready = (
        make_lesson(publish_on_ready=True),
        make_playing_lesson(status="draft", publish_on_ready=True),
    )
    for lesson in (waiting, ready):
        delete(lesson)
        restore(lesson)
    assert there(waiting).publish_on_ready
    assert (there(ready).publish_on_ready, there(ready).status) == (False, "draft")


def test_a_plan_comes_back_while_its_times_lie_ahead_and_is_gone_when_they_are_over(session: Session) -> None:
    later, over = datetime.now(UTC) + timedelta(days=1), datetime.now(UTC) - timedelta(days=1)
    plans = {"publish_on_ready": True, "published_at": None, "status": "draft"}
    ahead = make_playing_lesson(**plans, publish_not_before=later, unpublish_at=later + timedelta(days=1))
    missed = make_playing_lesson(**plans, publish_not_before=later)
    ended = make_lesson(publish_on_ready=True, unpublish_at=later)
    for lesson in (ahead, missed, ended):
        delete(lesson)
        assert there(lesson).publish_not_before is there(lesson).unpublish_at is None
    for lesson, name in ((missed, "publish_not_before"), (ended, "unpublish_at")):
        now = there(lesson)
        now.before_trash = {**(now.before_trash or {}), name: over.isoformat()}
        db.session.commit()
    for lesson in (ahead, missed, ended):
        restore(lesson)
    assert [there(one).publish_on_ready for one in (ahead, missed, ended)] == [True, False, False]
    assert (there(ahead).publish_not_before, there(ahead).status) == (later, "draft")
    sweep.sweep()
    assert {there(one).status for one in (ahead, missed, ended)} == {"draft"}


def test_what_was_not_published_is_not_published_by_restoring_it() -> None:
    lesson = make_playing_lesson(status="draft", published_at=None, publish_on_ready=False)
    delete(lesson)
    with pytest.raises(Conflict, match="was not published"):
        restore(lesson, publish=True)
    assert there(lesson).deleted_at is not None


def test_its_place_is_not_given_to_another_meanwhile() -> None:
    user = make_user()
    course = make_course(instructor=user)
    lesson = make_lesson(creator=user, course=course, position=1)
    delete(lesson)
    with as_(user):
        new = lessons.create(user, Changes(title="New", course_id=course.id))
    assert new.position == 2


def test_a_course_comes_back_with_its_lessons_but_those_that_another_has() -> None:
    user = make_user()
    course, other = make_course(instructor=user), make_course(instructor=user)
    stays, moved, thrown = (
        make_lesson(creator=user, course=course, position=n, title=str(n)) for n in (1, 2, 3)
    )
    delete(thrown)
    dates = there(stays).updated_at
    delete(course)
    assert [there(one).course_id for one in (stays, moved, thrown)] == [None] * 3
    assert there(stays).updated_at == dates
    (line, _) = trash_list.page(user).items
    assert (line.kind, line.lessons) == ("course", 2)
    with as_(user):
        lessons.edit(user, moved.id, Changes(course_id=other.id))
    restore(course)
    restore(thrown)
    assert [there(one).course_id for one in (stays, moved, thrown)] == [course.id, other.id, course.id]
    assert [there(one).position for one in (stays, thrown)] == [1, 3]
    assert actions(course) == ["course.deleted", "course.restored"]


def test_a_lesson_whose_course_is_gone_comes_back_without_one() -> None:
    user = make_user()
    course = make_course(instructor=user)
    lesson = make_lesson(creator=user, course=course)
    delete(lesson)
    delete_for_good(course)
    restore(lesson)
    assert (there(lesson).course_id, there(lesson).trashed_course_id) == (None, None)


def test_a_course_with_lessons_of_two_instructors_takes_both_back() -> None:
    mine, theirs = make_user(), make_user()
    course = make_course(instructor=mine)
    lesson = make_lesson(creator=theirs, course=course)
    delete(course)
    assert there(lesson).course_id is None
    restore(course)
    assert there(lesson).course_id == course.id


def test_only_its_instructor_and_staff_restore_or_end_it() -> None:
    lesson = make_lesson(title="Rye")
    delete(lesson)
    foreign, student, staff = make_user(), make_user(role="student"), make_user(role="support")
    assert trash_list.page(foreign).items == []
    for do in (trash.restore, trash.end, trash_list.one):
        with pytest.raises(Missing), as_(foreign):
            do(foreign, "lesson", lesson.id)
        with pytest.raises(Forbidden), as_(student):
            do(student, "lesson", lesson.id)
    (line,) = trash_list.page(staff).items
    assert (line.title, line.owner) == ("Rye", str(instructor_of(lesson)))
    assert there(lesson).deleted_at is not None
    restore(lesson, by=staff)


def test_restoring_twice_is_restoring_once_and_ending_twice_says_so() -> None:
    lesson = make_lesson()
    delete(lesson)
    restore(lesson)
    restore(lesson)
    assert actions(lesson).count("lesson.restored") == 1
    with pytest.raises(Missing):
        delete_what_is_not_there(lesson)
    assert stored(lesson) is not None


def delete_what_is_not_there(lesson: Lesson) -> None:
    user = instructor_of(lesson)
    with as_(user):
        trash.end(user, "lesson", lesson.id)


def test_it_goes_with_everything_else_to_another_instructor() -> None:
    giver, taker = make_user(), make_user()
    lesson = make_lesson(creator=giver)
    delete(lesson)
    assert handover.preview(giver.id).lessons == 1
    with transaction(JOB):
        assert handover.hand_over(from_id=giver.id, to_id=taker.id).lessons == 1
    assert [one.id for one in trash_list.page(taker).items] == [lesson.id]


# emptied


def test_the_clock_ends_what_is_due_and_nothing_else(mux_sim: MuxSim) -> None:
    lesson, asset_id = playing(mux_sim)
    young, course = make_lesson(), make_course()
    make_tracking(course, status="ready", mux_asset_id="preview", mux_playback_id="p")
    purchase = make_purchase(lesson, make_user(role="student"))
    with transaction(Actor.user(make_user(role="support").id, reason="Asked")):
        purchases.revoke(purchase.id)
    for one in (lesson, young, course):
        delete(one)
    grow_old(young, 29)
    assert sweep.sweep().figures["trash"] == 0
    for one in (lesson, course):
        grow_old(one)
    assert sweep.sweep().figures["trash"] == 2
    assert [stored(lesson), stored(course)] == [None, None]
    assert stored(young) is not None
    kept = db.session.get_one(Purchase, purchase.id, populate_existing=True)
    assert (kept.lesson_id, kept.lesson_title is not None) == (None, True)
    asked = set(db.session.scalars(select(AssetDeletion.mux_asset_id)))
    assert asked == {asset_id, "preview"}
    sweep.sweep()
    assert mux_sim.control.assets() == []
    assert [actions(one).count(f"{one.kind}.deleted_permanently") for one in (lesson, course)] == [1, 1]


def test_with_no_days_it_ends_at_the_next_pass() -> None:
    lesson = make_lesson()
    delete(lesson)
    with overridden(trash_days=0):
        assert sweep.sweep().figures["trash"] == 1
    assert stored(lesson) is None


def test_it_ends_in_small_batches_and_one_that_fails_stops_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trash, "MAX_AT_ONCE", 2)
    made = [make_lesson() for _ in range(3)]
    for number, lesson in enumerate(made):
        delete(lesson)
        grow_old(lesson, 40 - number)
    give_up = removal.give_up_all_assets

    def killed(video: Any) -> None:
        if video.owner.id == made[0].id:
            raise KeyboardInterrupt
        give_up(video)

    monkeypatch.setattr(removal, "give_up_all_assets", killed)
    with pytest.raises(KeyboardInterrupt):  # a worker that is killed in the middle
        sweep.sweep()
    db.session.rollback()
    assert [stored(one) is None for one in made] == [False] * 3
    monkeypatch.setattr(removal, "give_up_all_assets", give_up)
    assert [sweep.sweep().figures["trash"] for _ in range(3)] == [2, 1, 0]
    assert [actions(one).count("lesson.deleted_permanently") for one in made] == [1, 1, 1]


def test_what_a_student_has_is_never_ended() -> None:
    """No page leads there; another program may write such a purchase."""
    lesson = make_playing_lesson()
    delete(lesson)
    grow_old(lesson)
    make_purchase(lesson, make_user(role="student"))
    assert trash.due() == []
    with transaction(JOB):
        assert not trash.end_if_due(("lesson", lesson.id))
    assert stored(lesson) is not None


def test_late_files_of_an_ended_lesson_go_too(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    ticket = mux_sim.upload(lesson)
    delete_for_good(lesson)
    mux_sim.control.complete_upload(ticket.upload_id)
    mux_sim.deliver()
    due_now()
    sweep.sweep()
    assert mux_sim.control.assets() == []


# two at once


def in_thread(app: Flask, do: Callable[[], object]) -> tuple[threading.Thread, list[object]]:
    said: list[object] = []

    def run() -> None:
        with app.app_context():
            try:
                said.append(do())
            except Missing:
                said.append("missing")
            finally:
                db.session.remove()

    thread = threading.Thread(target=run)
    thread.start()
    return thread, said


def as_user(user_id: uuid.UUID, do: Callable[[User], object]) -> Callable[[], object]:
    def run() -> object:
        with transaction(Actor.user(user_id)):
            return do(db.session.get_one(User, user_id))

    return run


@pytest.mark.parametrize("first", ["restore", "end"])
@pytest.mark.parametrize("second", ["restore", "end", "clock"])
def test_of_two_at_once_one_wins_and_there_is_no_half_state(app: Flask, first: str, second: str) -> None:
    lesson = make_playing_lesson()
    lesson_id, user_id = lesson.id, lesson.creator_id
    delete(lesson)
    grow_old(lesson)
    calls: dict[str, Callable[[], object]] = {
        "restore": as_user(user_id, lambda user: trash.restore(user, "lesson", lesson_id)),
        "end": as_user(user_id, lambda user: trash.end(user, "lesson", lesson_id)),
        "clock": lambda: sweep._end(("lesson", lesson_id)),
    }
    user = instructor_of(lesson)
    with as_(user):
        (trash.restore if first == "restore" else trash.end)(user, "lesson", lesson_id)
        thread, said = in_thread(app, calls[second])
        wait_until_waited_for(db.session())
    thread.join()
    found = stored(lesson)
    if first == "end":
        assert found is None
        assert said == [False] if second == "clock" else ["missing"]
        assert actions(lesson).count("lesson.restored") == 0
    else:
        assert found is not None
        assert (found.deleted_at, found.mux_asset_id) == (None, lesson.mux_asset_id)
        assert actions(lesson).count("lesson.restored") == 1
        assert db.session.scalars(select(AssetDeletion)).all() == []
        assert said == [False] if second == "clock" else said
    assert actions(lesson).count("lesson.deleted_permanently") == int(first == "end")


def test_a_purchase_that_waits_for_the_deletion_is_not_made(app: Flask) -> None:
    lesson = make_playing_lesson()
    student = make_user(role="student")
    lesson_id, student_id, user = lesson.id, student.id, instructor_of(lesson)
    with as_(user):
        lessons.delete(user, lesson_id)
        thread, said = in_thread(app, as_user(student_id, lambda one: purchases.buy(one, lesson_id)))
        wait_until_waited_for(db.session())
    thread.join()
    assert said == ["missing"]
    assert buyers.count(lesson_id) == 0


# bulk actions

RESTORE = ("restore_from_trash", "restore_as_draft", "restore_and_publish")


def test_a_bulk_action_that_was_begun_before_finds_nothing_any_more() -> None:
    lesson, course = make_playing_lesson(), make_course()
    make_tracking(course, status="ready", mux_asset_id="preview", mux_playback_id="p")
    held = make_tracking(
        lesson, status="cancelled", error_type="held", mux_asset_id="held", superseded_at=func.now()
    )
    targets = {"lesson": lesson.id, "course": course.id, "tracking": held.id}
    for one in (lesson, course):
        delete(one)
    support, done = make_user(role="support"), {}
    for action in registry.ALL:
        if action.inside is not None and action.name not in RESTORE:  # made for what is in the trash
            with as_(support):
                done[action.target, action.name] = action.inside(targets[action.target], {BEFORE: {}}).code
    assert set(done.values()) == {"missing"}, done
    assert there(lesson).status == "draft"
    assert db.session.scalars(select(AssetDeletion)).all() == []


# Several together


def test_several_come_back_together_courses_first_and_go_back_again() -> None:
    course = make_course(title="Bread")
    user = instructor_of(course)
    rye = make_playing_lesson(creator=user, course=course, title="Rye")
    wheat = make_lesson(creator=user, course=course, title="Wheat")
    bought = make_playing_lesson(creator=user, price_cents=900)
    foreign, here = make_lesson(), make_lesson(creator=user)
    for owner in (rye, course, bought, foreign):
        delete(owner)
    named = [(one.kind, one.id) for one in (rye, wheat, foreign, course, bought)]
    assert [one.title for one in trash_list.chosen(user, named)] == ["Bread", bought.title, "Rye"]
    with as_(user):
        done = trash.restore_many(user, named, publish=True)
        assert done[0].id == course.id
        assert {one.id for one in done} == {course.id, rye.id, bought.id}
        assert trash.restore_many(user, named) == []
    assert (there(rye).status, there(rye).course_id, there(wheat).status) == ("published", course.id, "draft")
    assert there(foreign).deleted_at is not None
    assert (there(wheat).course_id, there(wheat).version) == (course.id, wheat.version)
    make_purchase(there(bought), make_user(role="student"))
    with as_(user):
        back = trash.put_back(user, [*((one.kind, one.id) for one in done), ("lesson", foreign.id)])
        assert {one.id for one in back} == {course.id, rye.id}
    assert [there(one).deleted_at is None for one in (course, rye, wheat, bought, here)] == [False, False, True, True, True]  # fmt: skip
    assert there(wheat).course_id is None


def test_several_come_back_all_or_none(monkeypatch: pytest.MonkeyPatch) -> None:
    course = make_course()
    user = instructor_of(course)
    lesson = make_lesson(creator=user)
    for owner in (course, lesson):
        delete(owner)
    restored = trash.restore

    def broken(by: User, kind: Kind, owner_id: uuid.UUID, *, publish: bool = False) -> object:
        if kind == "lesson":
            raise Conflict("x", "a fault")
        return restored(by, kind, owner_id, publish=publish)

    monkeypatch.setattr(trash, "restore", broken)
    with pytest.raises(Conflict), as_(user):
        trash.restore_many(user, [("lesson", lesson.id), ("course", course.id)])
    assert there(course).deleted_at is not None
    with pytest.raises(Forbidden), as_(student := make_user(role="student")):
        trash.restore_many(student, [("course", course.id)])
