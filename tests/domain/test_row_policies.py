"""Both walls say the same: a policy hides nothing that `permissions` shows, and shows little that it does not."""

import itertools
import uuid
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from lessonadmin.database import row_access
from lessonadmin.database.row_access import EVERYTHING, RowAccess
from lessonadmin.db import db
from lessonadmin.domain import buyers, permissions
from lessonadmin.domain.errors import Problem
from lessonadmin.domain.models import Course, CourseSection, Lesson, LessonView, Purchase, Tracking, User
from tests.factories import (
    make_course,
    make_lesson,
    make_purchase,
    make_section,
    make_tracking,
    make_user,
    make_view,
)

STATES = [
    {"status": status, "video_processing_status": video, "mux_asset_id": asset, "mux_playback_id": playback}
    for status, video, (asset, playback) in itertools.product(
        ("draft", "published"),
        ("none", "processing", "ready"),
        ((None, None), ("asset", "playback"), ("asset", ""), ("temp_1", "playback"), ("asset", "temp_2")),
    )
]


@pytest.fixture
def people(session: Session) -> Iterator[list[User]]:
    """Two instructors and two students; of every state a lesson in no course, in one's own, sold and not."""
    teachers = [make_user(role="instructor") for _ in range(2)]
    students = [make_user(role="student") for _ in range(2)]
    for number, (state, teacher) in enumerate(itertools.product(STATES, teachers)):
        course = make_course(instructor=teacher) if number % 3 else None
        columns: dict[str, Any] = {
            name: f"{value}-{uuid.uuid4().hex}" if value and name.startswith("mux_") else value
            for name, value in state.items()
        }
        lesson = make_lesson(
            creator=teacher,
            course_id=course.id if course else None,
            price_cents=500 * (number // 2 % 2),
            **columns,
        )
        if number % 5 < 2:
            make_purchase(lesson, students[0])
        make_tracking(lesson, status="cancelled")
        make_view(lesson)
    db.session.commit()
    yield [*teachers, *students]
    row_access.use(EVERYTHING)


def ids(query: Any) -> set[Any]:
    return set(db.session.scalars(query))


def seen(ask: Callable[[User, uuid.UUID], Any], user: User, one: uuid.UUID) -> object:
    try:
        return ask(user, one).id
    except Problem as problem:
        return type(problem).__name__


OF_LESSONS = (permissions.lesson_to_see, permissions.lesson_to_change)
OF_COURSES = (permissions.course_to_see, permissions.course_to_change)


QUESTIONS: list[Callable[[User], object]] = [
    lambda user: ids(select(Lesson.id).where(permissions.lessons_for(user))),
    lambda user: ids(select(Course.id).where(permissions.courses_for(user))),
    lambda user: ids(select(Lesson.id).where(permissions.on_sale())),
    lambda user: ids(select(Course.id).where(permissions.has_lessons_on_sale())),
    lambda user: ids(select(Purchase.lesson_id).where(Purchase.user_id == user.id)),
    lambda user: ids(select(Tracking.id).where(Tracking.owner_id == user.id)),
    lambda user: ids(select(Lesson.id).where(Lesson.creator_id == user.id)),
]


def test_every_user_gets_the_same_answers_behind_the_policies(people: list[User]) -> None:
    everything = ids(select(Lesson.id))
    courses = ids(select(Course.id))
    for user in people:
        questions = [
            *(partial(ask, user) for ask in QUESTIONS),
            *(partial(seen, ask, user, one) for ask in OF_LESSONS for one in everything),
            *(partial(seen, ask, user, one) for ask in OF_COURSES for one in courses),
        ]
        row_access.use(EVERYTHING)
        before = [ask() for ask in questions]
        assert len({str(answer) for answer in before}) > 5
        row_access.use(RowAccess(user.id))
        assert [ask() for ask in questions] == before


def test_what_a_query_without_conditions_finds_is_what_its_user_may_see(people: list[User]) -> None:
    for user in people:
        row_access.use(EVERYTHING)
        every = ids(select(Lesson.id))
        lessons = {one for one in every if seen(permissions.lesson_to_see, user, one) == one}
        row_access.use(RowAccess(user.id))
        assert ids(select(Lesson.id)) == lessons
        assert ids(select(Tracking.owner_id)) <= {user.id}
        assert ids(select(LessonView.owner_id)) == ({user.id} if user.role == "instructor" else set())
        for purchase in db.session.scalars(select(Purchase)):
            assert user.id in (purchase.user_id, purchase.owner_id)


def test_sections_are_seen_by_their_instructor_and_by_those_who_see_a_lesson_in_them(
    people: list[User],
) -> None:
    for course in db.session.scalars(select(Course)).all():
        empty, filled = make_section(course), make_section(course)
        for lesson in db.session.scalars(select(Lesson).where(Lesson.course_id == course.id)).all():
            lesson.section_id = filled.id
        assert empty.id != filled.id
    db.session.commit()
    for user in people:
        row_access.use(RowAccess(user.id))
        lessons = set(db.session.scalars(select(Lesson.section_id))) - {None}
        own = ids(select(CourseSection.id).join(Course).where(Course.instructor_id == user.id))
        assert ids(select(CourseSection.id)) == lessons | own
        assert bool(own) == (user.role == "instructor")
        row_access.use(EVERYTHING)
    assert ids(select(CourseSection.id)) > lessons, "some are empty, and no student sees them"


def test_an_instructor_learns_how_many_bought_a_lesson_and_no_other_user_does(people: list[User]) -> None:
    sold = db.session.scalars(select(Lesson).join(Purchase, Purchase.lesson_id == Lesson.id)).all()
    for user in people[:2]:
        row_access.use(RowAccess(user.id))
        assert {buyers.count(lesson.id) for lesson in sold if lesson.creator_id == user.id} == {1}
        assert {buyers.count(lesson.id) for lesson in sold if lesson.creator_id != user.id} == {0}
        row_access.use(EVERYTHING)


def test_a_sold_lesson_that_changes_hands_takes_its_sales_along(people: list[User]) -> None:
    one, other = people[:2]
    purchase = db.session.scalars(select(Purchase).where(Purchase.owner_id == one.id)).first()
    assert purchase is not None
    lesson = db.session.get_one(Lesson, purchase.lesson_id)
    lesson.creator_id = other.id
    db.session.commit()
    db.session.refresh(purchase)
    assert purchase.owner_id == other.id
    purchase.owner_id = one.id
    db.session.commit()
    db.session.refresh(purchase)
    assert purchase.owner_id == other.id, "the trigger believes the lesson alone"
