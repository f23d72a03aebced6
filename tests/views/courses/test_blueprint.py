"""The course that an address names: only one that the user may change."""

import uuid

from flask.testing import FlaskClient

from lessonadmin.domain.models import Course
from tests.factories import make_course, make_user, signed_in


def test_an_instructor_reaches_their_own_course(browser: FlaskClient, course: Course) -> None:
    assert browser.get(f"/courses/{course.id}/edit").status_code == 200


def test_a_foreign_course_and_a_missing_one_look_the_same(browser: FlaskClient) -> None:
    answers = [browser.get(f"/courses/{one}/edit") for one in (make_course().id, uuid.uuid4())]
    assert [answer.status_code for answer in answers] == [404, 404]


def test_a_student_is_sent_elsewhere(course: Course) -> None:
    assert signed_in(make_user(role="student")).get(f"/courses/{course.id}/edit").status_code == 302
