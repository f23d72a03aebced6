"""Whom an announcement is for: those, and no others; and by which indexes they are found, however many they are."""

from typing import Any

import pytest
from sqlalchemy import select, update

from lessonadmin.db import CLI, db, transaction
from lessonadmin.domain.models import Announcement, Purchase
from lessonadmin.domain.notifications import student_readers
from tests.domain.notifications.students import (
    began,
    buyer_of,
    draft_that_plays,
    kinds,
    publish,
    student,
    told,
)
from tests.factories import make_course, make_playing_lesson, make_purchase, make_user
from tests.queries import asked, plan_of, plans_of

pytestmark = pytest.mark.usefixtures("session")


def test_a_revoked_purchase_and_a_free_lesson_that_is_a_draft_again_tell_nothing() -> None:
    course = make_course()
    paid, free = make_playing_lesson(course=course, price_cents=900), draft_that_plays(course=course)
    revoked, watched = buyer_of(paid), began(free)
    with transaction(CLI):
        end = {"revoked_at": "now", "revoke_reason": "Paid twice", "lesson_title": "x"}
        db.session.execute(update(Purchase).where(Purchase.user_id == revoked.id).values(**end))
    publish(draft_that_plays(course=course))
    assert (told(revoked), told(watched)) == ([], [])


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({}, 1),
        ({"active": False}, 0),
        ({"muted_notices": ["course_new_lesson"]}, 0),
        ({"muted_notices": ["lesson_new_video", "lesson_withdrawn"]}, 1),
        ({"role": "instructor"}, 0),
        ({"role": "support"}, 0),
    ],
)
def test_only_active_students_who_want_it_are_told(columns: dict[str, Any], expected: int) -> None:
    course = make_course()
    user = make_user(**{"role": "student", **columns})
    make_purchase(make_playing_lesson(course=course), user)
    publish(draft_that_plays(course=course))
    assert kinds(user) == ["course_new_lesson"] * expected


def test_no_instructor_is_told_of_the_own_lesson_even_as_a_student() -> None:
    own = student()  # they taught before
    theirs, course = make_course(instructor=own), make_course()
    for one in (theirs, course):
        make_purchase(make_playing_lesson(course=one), own)
    publish(draft_that_plays(course=theirs), draft_that_plays(course=course, creator=own))
    assert "course_new_lesson" not in kinds(own)
    publish(draft_that_plays(course=course))
    assert "course_new_lesson" in kinds(own)


def test_a_batch_goes_on_behind_the_last_account_and_leaves_none_out() -> None:
    course = make_course()
    paid, free = make_playing_lesson(course=course, price_cents=900), make_playing_lesson(course=course)
    wanted = sorted([*(buyer_of(paid).id for _ in range(4)), *(began(free).id for _ in range(3))])
    row = Announcement(kind="course_new_lesson", lesson_id=free.id, course_id=course.id, gathered_as="x")
    found: list[Any] = []
    while batch := student_readers.following(row, 2):
        assert len(batch) <= 2
        found += batch
        row.told_up_to = batch[-1]
    assert found == wanted


# three thousand students who bought one lesson of a course and began another one, which is free
MANY = """;
INSERT INTO users (email, name, role, password_hash)
  SELECT 'many' || n || '@school.example', 'Many', 'student', 'none' FROM generate_series(1, 3000) n;
INSERT INTO purchases (lesson_id, user_id, owner_id, price_cents)
  SELECT l.id, u.id, l.creator_id, 900 FROM users u, lessons l WHERE u.name = 'Many' AND l.title IN ('Lesson 1', 'Lesson 2');
INSERT INTO lesson_progress (lesson_id, user_id, seconds, duration, updated_at)
  SELECT l.id, u.id, 1, 60, now() FROM users u, lessons l WHERE u.name = 'Many' AND l.title IN ('Lesson 1', 'Lesson 2');
ANALYZE users, purchases, lesson_progress
"""


@pytest.mark.parametrize("of_course", [False, True])
def test_the_next_batch_is_read_from_indexes_however_many_bought_it(of_course: bool) -> None:
    course = make_course()
    lesson = make_playing_lesson(course=course)
    row = Announcement(lesson_id=lesson.id, course_id=course.id if of_course else None, told_up_to=lesson.id)
    with asked() as sent:
        student_readers.following(row, 500)
    db.session.rollback()
    (plan,) = plans_of(sent, rows=MANY)
    expected = ["uq_purchases_in_force", *(["ix_lesson_progress_lesson_id_user_id"] if of_course else [])]
    assert [name for name in expected if f"Index Only Scan using {name}" not in plan] == []
    assert "Seq Scan on purchases" not in plan
    assert "Seq Scan on lesson_progress" not in plan
    no_index = plan_of(select(Purchase.user_id).where(Purchase.price_cents == 7), rows=MANY)
    assert "Seq Scan on purchases" in no_index, "a query without an index is told from one that has one"
