"""The video of a lesson on its page, and deleting the lesson."""

import uuid

import pytest
from flask.testing import FlaskClient

from lessonadmin.db import db
from lessonadmin.domain.models import Lesson, User
from tests.factories import in_context, make_lesson, make_purchase, make_user
from tests.pages import page_of, post

pytestmark = pytest.mark.usefixtures("app")


def stored(lesson_id: uuid.UUID) -> Lesson:
    with in_context():
        return db.session.get_one(Lesson, lesson_id)


def test_a_lesson_that_a_student_bought_is_not_deleted(browser: FlaskClient, instructor: User) -> None:
    lesson = make_lesson(creator=instructor, title="Sold", status="published")
    make_purchase(lesson, make_user(role="student"))
    assert "1 student bought this lesson" in page_of(browser.get(f"/lessons/{lesson.id}/edit")).text("main")
    assert browser.get(f"/lessons/{lesson.id}/delete").status_code == 404
    assert post(browser, f"/lessons/{lesson.id}/delete").status_code == 409
    assert stored(lesson.id).title == "Sold"
