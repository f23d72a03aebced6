"""An instructor sees how many students began and have done a lesson, and nothing of another's."""

import pytest
from sqlalchemy import func

from lessonadmin.database import row_access
from lessonadmin.domain.errors import Missing
from lessonadmin.domain.models import Lesson, LessonProgress, User
from lessonadmin.domain.progress import counts
from lessonadmin.domain.progress.counts import Counts
from tests.factories import keep, make_playing_lesson, make_user

pytestmark = pytest.mark.usefixtures("session")


def watched(user: User, lesson: Lesson, **columns: object) -> None:
    row = {"seconds": 30, "duration": 60, "updated_at": func.now(), **columns}
    keep(LessonProgress(user_id=user.id, lesson_id=lesson.id, **row))


def test_students_are_counted_and_no_one_else() -> None:
    teacher = make_user()
    lesson = make_playing_lesson(creator=teacher)
    watched(make_user(role="student"), lesson)
    watched(make_user(role="student"), lesson, done_at=func.now())
    watched(teacher, lesson, done_at=func.now())
    watched(make_user(role="student"), make_playing_lesson())
    with row_access.within(row_access.RowAccess(teacher.id)):  # as in a request
        assert counts.of_lesson(teacher, lesson) == Counts(began=2, done=1)
    assert counts.of_lesson(make_user(role="support"), lesson) == Counts(began=2, done=1)
    for other in (make_user(), make_user(role="student")):
        with pytest.raises(Missing):
            counts.of_lesson(other, lesson)
