"""The lesson that an address names: only one that the user may change."""

import uuid

from flask.testing import FlaskClient

from lessonadmin.domain.models import User
from tests.factories import make_lesson, make_user, signed_in


def test_an_instructor_reaches_their_own_lesson(browser: FlaskClient, instructor: User) -> None:
    lesson = make_lesson(creator=instructor)
    assert browser.get(f"/lessons/{lesson.id}/edit").status_code == 200


def test_a_foreign_lesson_and_a_missing_one_look_the_same(browser: FlaskClient) -> None:
    answers = [browser.get(f"/lessons/{one}/edit") for one in (make_lesson().id, uuid.uuid4())]
    assert [answer.status_code for answer in answers] == [404, 404]


def test_a_student_is_sent_elsewhere(instructor: User) -> None:
    lesson = make_lesson(creator=instructor)
    assert signed_in(make_user(role="student")).get(f"/lessons/{lesson.id}/edit").status_code == 302
