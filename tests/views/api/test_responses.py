"""What a response shows to whom: ids to users who may play the video, its replacement to users who may change it."""

import pytest
from sqlalchemy import select

from lessonadmin.db import db
from lessonadmin.domain.models import Lesson, User
from lessonadmin.views.api.responses import LessonResponse
from tests.factories import make_playing_lesson, make_purchase, make_tracking, make_user
from tests.queries import counted

pytestmark = pytest.mark.usefixtures("session")


def test_ids_are_for_users_who_may_play() -> None:
    lesson, student = make_playing_lesson(price_cents=900), make_user(role="student")
    before = LessonResponse.of(student, lesson).video
    assert (before.status, before.asset_id, before.playback_id, before.upload_id) == (
        "ready",
        None,
        None,
        None,
    )
    make_purchase(lesson, student)
    after = LessonResponse.of(student, lesson).video
    assert (after.asset_id, after.playback_id) == (lesson.mux_asset_id, lesson.mux_playback_id)


def test_a_replacement_is_for_users_who_may_change_the_lesson() -> None:
    instructor = make_user()
    lesson = make_playing_lesson(creator=instructor)
    replacement = make_tracking(lesson)
    seen = LessonResponse.of(instructor, lesson).video.replacement
    assert seen is not None
    assert (seen.status, seen.upload_id) == ("uploading", replacement.upload_id)
    assert LessonResponse.of(make_user(role="student"), lesson).video.replacement is None


def queries(user: User) -> int:
    """What a page of all lessons asks of the database."""
    lessons = db.session.scalars(select(Lesson)).all()
    with counted() as sent:
        assert len(LessonResponse.of_many(user, lessons)) == len(lessons)
    return len(sent)


def test_a_page_of_lessons_costs_as_many_queries_as_one() -> None:
    user = make_user(role="student")
    make_playing_lesson(price_cents=900)
    one = queries(user)
    for _ in range(11):
        make_playing_lesson(price_cents=900)
    assert 0 < queries(user) == one
