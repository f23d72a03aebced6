"""Who sees, changes, buys and plays what: every role against every kind of lesson."""

import uuid
from collections.abc import Callable

import pytest
from sqlalchemy import select

from lessonadmin.db import db, transaction
from lessonadmin.domain import permissions
from lessonadmin.domain.errors import Conflict, Forbidden, Missing
from lessonadmin.domain.lessons import lessons, purchases
from lessonadmin.domain.models import AuditLog, Course, Lesson, Purchase, User
from tests.factories import make_course, make_lesson, make_playing_lesson, make_purchase, make_user

PEOPLE = ("creator", "another instructor", "student", "buyer", "support", "admin")
LESSONS: dict[str, Callable[[User], Lesson]] = {
    "draft": lambda by: make_playing_lesson(creator=by, status="draft", published_at=None),
    "free": lambda by: make_playing_lesson(creator=by),
    "paid": lambda by: make_playing_lesson(creator=by, price_cents=900),
    "unplayable": lambda by: make_lesson(creator=by, status="draft", price_cents=900),
}
# who sees it, and who plays it
SEES = {
    "draft": {"creator", "buyer", "support", "admin"},
    "free": set(PEOPLE),
    "paid": set(PEOPLE),
    "unplayable": {"creator", "buyer", "support", "admin"},
}
PLAYS = {
    "draft": {"creator", "buyer", "support", "admin"},
    "free": set(PEOPLE),
    "paid": {"creator", "buyer", "support", "admin"},
    "unplayable": {"creator", "buyer", "support", "admin"},
}


def cast(lesson: Lesson, creator: User) -> dict[str, User]:
    buyer = make_user(role="student")
    make_purchase(lesson, buyer)
    return {
        "creator": creator,
        "another instructor": make_user(),
        "student": make_user(role="student"),
        "buyer": buyer,
        "support": make_user(role="support"),
        "admin": make_user(role="admin"),
    }


def sees(user: User, lesson: Lesson) -> bool:
    try:
        return permissions.lesson_to_see(user, lesson.id) is not None
    except Missing:
        return False


@pytest.mark.parametrize("kind", LESSONS)
def test_who_sees_and_who_plays(session: object, kind: str) -> None:
    creator = make_user()
    lesson = LESSONS[kind](creator)
    people = cast(lesson, creator)
    assert {name for name, user in people.items() if sees(user, lesson)} == SEES[kind]
    assert {name for name, user in people.items() if permissions.may_play(user, lesson)} == PLAYS[kind]
    for name, user in people.items():
        listed = db.session.scalars(select(Lesson.id).where(permissions.lessons_for(user))).all()
        may = name in SEES[kind] and name != "another instructor"
        assert (lesson.id in listed) == may, name


@pytest.mark.parametrize("kind", LESSONS)
def test_who_changes(session: object, kind: str) -> None:
    creator = make_user()
    lesson = LESSONS[kind](creator)
    for name, user in cast(lesson, creator).items():
        if name in ("creator", "support", "admin"):
            assert permissions.lesson_to_change(user, lesson.id).id == lesson.id
        elif name == "another instructor":
            with pytest.raises(Missing):
                permissions.lesson_to_change(user, lesson.id)
        else:
            with pytest.raises(Forbidden):
                permissions.lesson_to_change(user, lesson.id)


def test_foreign_and_missing_are_one_answer(session: object) -> None:
    lesson = make_lesson()
    stranger = make_user()
    refusals = []
    for lesson_id in (lesson.id, uuid.uuid4()):
        with pytest.raises(Missing) as refusal:
            permissions.lesson_to_see(stranger, lesson_id)
        refusals.append((refusal.value.type, refusal.value.message))
    assert refusals[0] == refusals[1]


def test_courses_are_seen_by_what_is_in_them(session: object) -> None:
    instructor, student = make_user(), make_user(role="student")
    empty, full = make_course(instructor=instructor), make_course(instructor=instructor)
    make_playing_lesson(creator=instructor, course_id=full.id)
    make_lesson(creator=instructor, course=empty)
    assert permissions.course_to_see(student, full.id).id == full.id
    with pytest.raises(Missing):
        permissions.course_to_see(student, empty.id)
    listed = db.session.scalars(select(Course.id).where(permissions.courses_for(student))).all()
    assert listed == [full.id]
    with pytest.raises(Missing):
        permissions.course_to_change(make_user(), full.id)


def test_the_query_and_the_rule_agree(session: object) -> None:
    """`on_sale` is the same as `visible_to_students`, whatever odd row there is."""
    for status in ("draft", "published"):
        for video in ("none", "processing", "ready", "error"):
            for playback in (None, "", "p", "temp_playback_1"):
                for asset in (None, "a", "temp_1"):
                    make_lesson(
                        status=status,
                        video_processing_status=video,
                        mux_playback_id=playback,
                        mux_asset_id=asset,
                    )
    everything = db.session.scalars(select(Lesson)).all()
    shown = set(db.session.scalars(select(Lesson.id).where(permissions.on_sale())))
    assert {one.id for one in everything if permissions.visible_to_students(one)} == shown
    assert len(shown) == 2


@pytest.mark.parametrize("kind", ["draft", "unplayable"])
def test_what_cannot_be_seen_cannot_be_bought(session: object, kind: str) -> None:
    lesson, student = LESSONS[kind](make_user()), make_user(role="student")
    with pytest.raises(Conflict) as refusal, transaction_of(student):
        purchases.buy(student, lesson.id)
    assert refusal.value.type == "not_for_sale"


def test_a_purchase_is_one_and_written_down_once(session: object) -> None:
    lesson, student = LESSONS["paid"](make_user()), make_user(role="student")
    for new in (True, False):
        with transaction_of(student):
            assert purchases.buy(student, lesson.id)[1] is new
    assert db.session.scalars(select(Purchase.price_cents)).all() == [900]
    actions = db.session.scalars(select(AuditLog.action).where(AuditLog.target_id == lesson.id)).all()
    assert actions == ["purchase.made"]


@pytest.mark.parametrize("role", ["instructor", "support", "admin"])
def test_only_students_buy(session: object, role: str) -> None:
    lesson, user = LESSONS["paid"](make_user()), make_user(role=role)
    with pytest.raises(Forbidden), transaction_of(user):
        purchases.buy(user, lesson.id)


def test_what_was_bought_can_be_played_after_it_was_taken_back(session: object) -> None:
    lesson, buyer = LESSONS["paid"](make_user()), make_user(role="student")
    make_purchase(lesson, buyer)
    with transaction_of(make_user(role="admin")):
        lessons.unpublish(lesson)
    assert permissions.may_play(buyer, lesson)
    assert not sees(make_user(role="student"), lesson)


def transaction_of(user: User):  # type: ignore[no-untyped-def]  # a context manager of the product's
    from lessonadmin.db import Actor

    return transaction(Actor.user(user.id))
