"""A teacher's lessons and courses go to another one, who then has every right, and the first none."""

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lessonadmin.db import CLI, Actor, db, transaction
from lessonadmin.domain import permissions
from lessonadmin.domain.accounts import handover
from lessonadmin.domain.errors import Conflict, Invalid, Missing
from lessonadmin.domain.lessons import lessons
from lessonadmin.domain.models import AuditLog, Course, Lesson, Purchase, Tracking, User
from tests.factories import (
    make_course,
    make_lesson,
    make_playing_lesson,
    make_purchase,
    make_tracking,
    make_user,
)
from tests.mux_sim import MuxSim


def give(giver: User, taker: User, actor: Actor = CLI) -> handover.Handover:
    with transaction(actor):
        return handover.hand_over(from_id=giver.id, to_id=taker.id)


def fresh(user: User) -> User:
    return db.session.get_one(User, user.id, populate_existing=True)


def test_everything_changes_hands_and_the_first_has_no_right_left(session: Session) -> None:
    giver, taker = make_user(), make_user()
    course = make_course(instructor=giver)
    out, draft = make_playing_lesson(creator=giver), make_lesson(creator=giver, course=course)
    others = make_lesson()
    tracked = make_tracking(course)
    assert handover.preview(giver.id) == handover.Handover(2, 1)
    assert give(giver, taker) == handover.Handover(2, 1, uploads=1)
    assert handover.preview(giver.id) == handover.Handover(0, 0)
    giver, taker = fresh(giver), fresh(taker)
    for lesson in (out, draft):
        with pytest.raises(Missing):
            permissions.lesson_to_change(giver, lesson.id)
        assert permissions.lesson_to_change(taker, lesson.id).creator_id == taker.id
    with pytest.raises(Missing):
        permissions.course_to_change(giver, course.id)
    with pytest.raises(Missing):
        permissions.lesson_to_see(giver, draft.id)
    assert permissions.course_to_change(taker, course.id).instructor_id == taker.id
    mine = select(func.count()).select_from(Lesson).where(permissions.lessons_for(giver))
    assert session.scalar(mine) == 0
    owners = set(session.scalars(select(Tracking.owner_id)))
    assert owners == {taker.id}
    assert session.get_one(Tracking, tracked.id, populate_existing=True).owner_id == taker.id
    assert session.get_one(Lesson, others.id, populate_existing=True).creator_id == others.creator_id


def test_each_row_leaves_its_trace_with_actor_and_reason(session: Session) -> None:
    giver, taker, admin = make_user(), make_user(), make_user(role="admin")
    lesson, course = make_lesson(creator=giver), make_course(instructor=giver)
    give(giver, taker, Actor.user(admin.id, reason="left the school"))
    rows = session.scalars(select(AuditLog).order_by(AuditLog.action)).all()
    assert [(row.action, row.target_id) for row in rows] == [
        ("course.handed_over", course.id),
        ("lesson.handed_over", lesson.id),
        ("user.handed_over", giver.id),
    ]
    assert {row.actor_id for row in rows} == {admin.id}
    assert {row.detail["reason"] for row in rows} == {"left the school"}
    assert rows[1].detail["before"] == {"instructor": str(giver.id)}
    assert rows[1].detail["after"] == {"instructor": str(taker.id)}
    texts = " ".join(str(row.detail) for row in rows)
    assert giver.email not in texts
    assert taker.email not in texts, "so that nothing is left of one whose account is deleted"


def test_what_mux_has_already_goes_on_and_tells_the_new_instructor(mux_sim: MuxSim) -> None:
    giver, taker = make_user(), make_user()
    lesson = make_lesson(creator=giver)
    ticket = mux_sim.upload(lesson)
    mux_sim.control.complete_upload(ticket.upload_id)
    mux_sim.control.flush_events()
    told = mux_sim.waiting()
    first = [one for one in told if one["type"] != "video.asset.ready"]
    for payload in first:
        mux_sim.give(payload)
    assert give(giver, taker).uploads == 0
    for payload in [one for one in told if one not in first]:
        mux_sim.give(payload)
    now = mux_sim.lesson(lesson)
    assert (now.status, now.creator_id) == ("published", taker.id)
    assert mux_sim.notices(taker.id) == ["lesson_published"]
    assert mux_sim.notices(giver.id) == []


def test_a_file_that_the_former_instructor_sends_later_is_not_published_in_the_new_ones_name(
    mux_sim: MuxSim,
) -> None:
    """It was, once: the address of an upload needs no right at Mux and lives for a day."""
    giver, taker, staff = make_user(), make_user(), make_user(role="support")
    lesson = make_lesson(creator=giver)
    ticket = mux_sim.upload(lesson)
    assert give(giver, taker).uploads == 1
    mux_sim.control.complete_upload(ticket.upload_id)
    mux_sim.deliver()
    now = mux_sim.lesson(lesson)
    assert (now.status, now.mux_asset_id, now.video_processing_status) == ("draft", None, "none")
    assert (mux_sim.notices(taker.id), mux_sim.notices(giver.id)) == ([], [])
    assert mux_sim.notices(staff.id) == ["needs_attention"]


def test_an_edit_that_was_begun_before_is_a_conflict_or_missing(session: Session) -> None:
    giver, taker = make_user(), make_user()
    lesson = make_lesson(creator=giver)
    version = lesson.version
    give(giver, taker)
    with pytest.raises(Missing), transaction(Actor.user(giver.id)):
        lessons.edit(fresh(giver), lesson.id, lessons.Changes(title="Mine"))
    staff = make_user(role="support")
    with pytest.raises(Conflict), transaction(Actor.user(staff.id)):
        lessons.edit(staff, lesson.id, lessons.Changes(title="Ours"), version=version)


def test_what_was_bought_stays_bought(session: Session) -> None:
    giver, taker, student = make_user(), make_user(), make_user(role="student")
    lesson = make_playing_lesson(creator=giver, price_cents=500)
    make_purchase(lesson, student)
    give(giver, taker)
    assert permissions.may_play(fresh(student), session.get_one(Lesson, lesson.id, populate_existing=True))
    assert session.scalar(select(func.count()).select_from(Purchase)) == 1


def test_who_may_be_given_to(session: Session) -> None:
    giver = make_user()
    course = make_course(instructor=giver)
    for taker, refusal in (
        (make_user(role="student"), Invalid),
        (giver, Invalid),
        (make_user(active=False), Conflict),
    ):
        with pytest.raises(refusal):
            give(giver, taker)
    with pytest.raises(Missing):
        give(User(id=course.id), giver)
    assert session.get_one(Course, course.id, populate_existing=True).instructor_id == giver.id
    assert give(giver, make_user(role="support")).courses == 1
