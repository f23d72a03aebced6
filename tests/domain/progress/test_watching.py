"""A report of the player is stored for the next visit; an older one never overwrites a newer one."""

import uuid
from typing import Any

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from lessonadmin.database import row_access
from lessonadmin.db import Actor, db, transaction
from lessonadmin.domain.account_life import deletion, own_data
from lessonadmin.domain.accounts import rate_limits
from lessonadmin.domain.errors import Conflict, Forbidden, Missing, TooMany
from lessonadmin.domain.models import Lesson, LessonProgress, Purchase, User
from lessonadmin.domain.progress import done, watching
from tests.factories import PASSWORD, make_lesson, make_playing_lesson, make_purchase, make_user

pytestmark = pytest.mark.usefixtures("session")


@pytest.fixture
def student() -> User:
    return make_user(role="student")


def told(user: User, lesson: Lesson, seconds: float, duration: float = 61.0) -> LessonProgress | None:
    with transaction(Actor.user(user.id)):
        return watching.report(user, lesson.id, seconds=seconds, duration=duration)


def going_on(user: User, lesson: Lesson) -> float | None:
    return done.among(user, [lesson]).get(lesson.id, done.UNTOUCHED).goes_on_at


def stored() -> list[tuple[float, float, bool]]:
    rows = db.session.execute(
        select(LessonProgress.seconds, LessonProgress.duration, LessonProgress.done_at.is_not(None))
    )
    return [(row[0], row[1], row[2]) for row in rows]


def change(lesson: Lesson, **columns: Any) -> None:
    db.session.execute(update(Lesson).where(Lesson.id == lesson.id).values(**columns))
    db.session.commit()
    db.session.refresh(lesson)


def test_the_next_visit_goes_on_where_the_last_one_stopped(student: User) -> None:
    lesson = make_playing_lesson()
    assert going_on(student, lesson) is None
    told(student, lesson, 30.5)
    told(student, lesson, 21.25)
    assert going_on(student, lesson) == 21.25
    assert stored() == [(21.25, 61.0, False)]
    assert going_on(make_user(role="student"), lesson) is None


@pytest.mark.parametrize(
    ("seconds", "goes_on"), [(0, False), (10, False), (10.5, True), (57.5, True), (58.5, False), (99, False)]
)
def test_it_begins_anew_near_the_beginning_and_the_end(student: User, seconds: float, goes_on: bool) -> None:
    lesson = make_playing_lesson()
    told(student, lesson, seconds)
    assert going_on(student, lesson) == (seconds if goes_on else None)


def test_a_report_that_came_earlier_never_overwrites_a_later_one(student: User) -> None:
    lesson = make_playing_lesson()
    told(student, lesson, 20)
    with transaction(Actor.user(student.id)):
        db.session.execute(select(func.now()))  # its transaction has begun, then another report overtakes it
        with db.engine.connect() as other:
            other.execute(text("UPDATE lesson_progress SET seconds = 40, updated_at = clock_timestamp()"))
            other.commit()
        assert watching.report(student, lesson.id, seconds=20, duration=61) is None
    assert going_on(student, lesson) == 40
    assert told(student, lesson, 50) is not None  # the control: a later one does
    assert going_on(student, lesson) == 50


def test_nine_tenths_are_done_once_for_each_passing(student: User) -> None:
    lesson = make_playing_lesson(video_duration=100.0)
    told(student, lesson, 89, 100)
    assert stored() == [(89, 100, False)]
    told(student, lesson, 90, 100)
    told(student, lesson, 5, 100)
    assert stored() == [(5, 100, True)]
    told(student, lesson, 95, 100)
    db.session.execute(update(LessonProgress).values(done_at=None))  # said by hand at 95
    db.session.commit()
    told(student, lesson, 96, 100)
    assert stored() == [(96, 100, False)]
    told(student, lesson, 5, 100)
    told(student, lesson, 96, 100)
    assert stored() == [(96, 100, True)]


def test_a_video_of_another_length_starts_anew_and_one_of_the_same_does_not(student: User) -> None:
    lesson = make_playing_lesson()
    told(student, lesson, 30)
    change(lesson, video_duration=62.5, mux_asset_id="other")
    assert going_on(student, lesson) == 30
    change(lesson, video_duration=200.0)
    assert going_on(student, lesson) is None
    with pytest.raises(Conflict) as refused:
        told(student, lesson, 40)  # a page that still plays the former one
    assert refused.value.type == "other_video"
    told(student, lesson, 190, 200)
    assert stored() == [(190, 200, True)]


def test_of_a_video_whose_length_is_unknown_the_player_is_believed(student: User) -> None:
    lesson = make_playing_lesson(video_duration=None)
    told(student, lesson, 70, 80)
    assert stored() == [(70, 80, False)]
    assert going_on(student, lesson) == 70


def test_only_who_may_play_it_reports(student: User) -> None:
    paid, draft, silent = (
        make_playing_lesson(price_cents=500),
        make_playing_lesson(status="draft"),
        make_lesson(creator=student),
    )
    with pytest.raises(Forbidden):
        told(student, paid, 20)
    for missing in (draft, silent):
        with pytest.raises(Missing):
            told(student, missing, 20)
    assert stored() == []
    make_purchase(paid, student)
    told(student, paid, 20)
    change(paid, status="draft")  # withdrawn from sale: it goes on playing for its buyers
    told(student, paid, 30)
    revoked = {"revoked_at": func.now(), "revoke_reason": "asked", "lesson_title": "x"}
    db.session.execute(update(Purchase).values(**revoked))
    db.session.commit()
    with pytest.raises(Missing):
        told(student, paid, 40)
    assert stored() == [(30, 61, False)]


def test_a_video_that_does_not_play_has_no_position() -> None:
    teacher = make_user()
    lesson = make_lesson(creator=teacher)
    with pytest.raises(Conflict) as refused:
        told(teacher, lesson, 20)
    assert refused.value.type == "not_ready"
    assert told(teacher, make_playing_lesson(creator=teacher, status="draft"), 20) is not None


def test_a_few_a_minute_are_stored(student: User) -> None:
    lesson = make_playing_lesson()
    for number in range(rate_limits.MAX_REPORTS):
        told(student, lesson, number)
    with pytest.raises(TooMany):
        told(student, lesson, 50)
    assert stored() == [(rate_limits.MAX_REPORTS - 1, 61, False)]
    assert told(make_user(role="student"), lesson, 50) is not None


def test_it_is_in_ones_own_data_and_goes_with_the_account(student: User, session: Session) -> None:
    lesson = make_playing_lesson()
    told(student, lesson, 20)
    told(make_user(role="student"), lesson, 30)
    with transaction(Actor.user(student.id)):
        (held,) = own_data.document(student)["progress"]
    assert (held["lesson_id"], held["seconds"]) == (str(lesson.id), 20)
    deletion.delete_own(student, password=PASSWORD, typed="delete", address="192.0.2.1")
    assert stored() == [(30, 61, False)]


def test_the_database_shows_it_to_that_user_alone(student: User) -> None:
    teacher = make_user()
    lesson = make_playing_lesson(creator=teacher)
    told(student, lesson, 20)

    def seen_by(user_id: uuid.UUID) -> int:
        with row_access.within(row_access.RowAccess(user_id)):
            return len(stored())

    assert (seen_by(student.id), seen_by(teacher.id)) == (1, 0)
