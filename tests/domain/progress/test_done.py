"""Done is said by the student or by the player; what was begun last comes first, and only where it still plays."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from lessonadmin.db import Actor, db, transaction
from lessonadmin.domain.errors import Forbidden, Missing
from lessonadmin.domain.models import Lesson, LessonProgress, User
from lessonadmin.domain.progress import done
from lessonadmin.domain.progress.done import Standing
from tests.factories import keep, make_playing_lesson, make_purchase, make_user

pytestmark = pytest.mark.usefixtures("session")
NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.fixture
def student() -> User:
    return make_user(role="student")


def watched(user: User, lesson: Lesson, seconds: float = 30, *, hours: int = 0, **columns: Any) -> None:
    at = NOON + timedelta(hours=hours)
    row = {"seconds": seconds, "duration": 61, "updated_at": at, **columns}
    keep(LessonProgress(user_id=user.id, lesson_id=lesson.id, **row))


def marked(user: User, lesson: Lesson, *, is_done: bool) -> datetime | None:
    with transaction(Actor.user(user.id)):
        return done.mark(user, lesson.id, done=is_done)


def test_a_student_marks_a_lesson_and_takes_it_back(student: User) -> None:
    lesson = make_playing_lesson()
    assert done.among(student, [lesson]) == {}
    first = marked(student, lesson, is_done=True)
    assert first is not None
    assert marked(student, lesson, is_done=True) == first
    assert done.among(student, [lesson]) == {lesson.id: Standing(done=True)}
    assert done.among(make_user(role="student"), [lesson]) == {}
    assert marked(student, lesson, is_done=False) is None
    assert done.among(student, [lesson]) == {lesson.id: Standing()}


def test_the_position_stays(student: User) -> None:
    lesson = make_playing_lesson()
    watched(student, lesson, 45)
    assert done.among(student, [lesson]) == {lesson.id: Standing(goes_on_at=45)}
    assert Standing(goes_on_at=45).percent(60) == 75
    marked(student, lesson, is_done=True)
    marked(student, lesson, is_done=False)
    assert db.session.execute(select(LessonProgress.seconds, LessonProgress.duration)).one() == (45, 61)


def test_only_of_what_they_may_play(student: User) -> None:
    with pytest.raises(Forbidden):
        marked(student, make_playing_lesson(price_cents=500), is_done=True)
    with pytest.raises(Missing):
        marked(student, make_playing_lesson(status="draft"), is_done=True)
    assert db.session.scalars(select(LessonProgress)).all() == []


def test_what_was_begun_last_stands_first(student: User) -> None:
    older, newer, over, opened, withdrawn, bought, other = (
        make_playing_lesson(title=title)
        for title in ("older", "newer", "over", "opened", "withdrawn", "bought", "another's")
    )
    watched(student, older, hours=1)
    watched(student, newer, hours=3)
    watched(student, over, hours=4, done_at=NOON)
    watched(student, opened, 5, hours=5)
    watched(student, withdrawn, hours=6)
    watched(student, bought, hours=2)
    watched(make_user(role="student"), other)
    make_purchase(bought, student)
    for lesson in (withdrawn, bought):
        db.session.execute(update(Lesson).where(Lesson.id == lesson.id).values(status="draft"))
    db.session.commit()
    assert [lesson.title for lesson in done.begun(student)] == ["newer", "bought", "older"]
