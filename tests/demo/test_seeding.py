"""The demo school is made once, its videos only at a simulator, and each lesson ends in the state it shows."""

import pytest
from sqlalchemy import func, select

from lessonadmin.db import db
from lessonadmin.demo import school, seeding
from lessonadmin.domain.models import Lesson, LessonView, User
from tests.mux_sim import MuxSim
from tests.settings import overridden

pytestmark = pytest.mark.usefixtures("session")


def count(model: type[Lesson | User]) -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(model)) or 0


def test_made_twice_it_is_made_once_with_new_passwords(mux_sim: MuxSim) -> None:
    first, second = seeding.seed(), seeding.seed()
    assert (count(User), count(Lesson)) == (
        len(school.ACCOUNTS) + len(school.BUYERS),
        len(school.LESSONS),
    )
    assert len(first) == len(school.ACCOUNTS)
    assert [(email, role) for email, _, role in first] == [(email, role) for email, _, role in second]
    assert not {password for _, password, _ in first} & {password for _, password, _ in second}


def test_each_lesson_ends_in_the_state_it_shows(mux_sim: MuxSim) -> None:
    seeding.seed()
    mux_sim.deliver()
    db.session.rollback()
    found = {lesson.title: lesson.video_processing_status for lesson in db.session.scalars(select(Lesson))}
    states = {"none": "none", "plays": "ready", "broken": "error", "abandoned": "uploading"}
    assert found == {one.title: states[one.video] for one in school.LESSONS}


def test_without_a_simulator_there_are_lessons_and_no_videos() -> None:
    with overridden(mux_api_url="https://mux.school.example"):
        seeding.seed()
    db.session.rollback()
    assert set(db.session.scalars(select(Lesson.video_processing_status))) == {"none"}
    assert db.session.scalar(select(func.count()).select_from(LessonView)) == 0, "nothing plays"


def test_a_simulator_that_is_away_leaves_the_lessons_without_videos() -> None:
    seeding.seed()
    assert count(Lesson) == len(school.LESSONS)
