"""Who bought a lesson is counted, and a person who removes its video has to know how many."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from lessonadmin.db import db
from lessonadmin.domain import buyers
from lessonadmin.domain.buyers import Bought
from lessonadmin.domain.errors import Conflict
from lessonadmin.domain.models import Lesson
from tests.factories import make_lesson, make_playing_lesson, make_purchase, make_user


def bought_by(*names: str) -> Lesson:
    lesson = make_playing_lesson()
    for name in names:
        make_purchase(lesson, make_user(role="student", name=name))
    return lesson


def test_the_first_are_named_and_all_are_counted(session: object) -> None:
    lesson = bought_by("Ada", "Ben", "Cleo", "Dan")
    assert buyers.count(lesson.id) == 4
    assert buyers.first_names([lesson.id]) == ["Ada", "Ben", "Cleo"]
    assert buyers.count(make_lesson().id) == 0


def test_of_many_lessons_a_student_counts_once(session: object) -> None:
    first, second = bought_by("Ada", "Ben"), bought_by("Cleo")
    student = make_user(role="student")
    make_purchase(first, student)
    make_purchase(second, student)
    chosen = select(Lesson.id).where(Lesson.id.in_([first.id, second.id, make_lesson().id]))
    assert buyers.of_many(chosen) == Bought(lessons=2, students=4)


@pytest.mark.parametrize("known", [None, 0, 1, 3])
def test_another_number_than_theirs_removes_nothing(session: object, known: int | None) -> None:
    with pytest.raises(Conflict, match="2 students have bought this lesson"):
        buyers.confirm(bought_by("Ada", "Ben").id, known)


def test_with_their_number_it_goes_on_and_without_buyers_it_needs_none(session: object) -> None:
    buyers.confirm(bought_by("Ada", "Ben").id, 2)
    buyers.confirm(make_lesson().id, None)


def test_a_purchase_after_a_moment_is_found(session: object) -> None:
    lesson = bought_by("Ada")
    now = db.session.execute(select(func.clock_timestamp())).scalar_one()
    assert not buyers.bought_after(lesson.id, now)
    assert buyers.bought_after(lesson.id, now - timedelta(minutes=1))
