"""The page for many files of a course: whose it is, and what it leads to."""

import uuid

from flask.testing import FlaskClient

from lessonadmin.domain.models import Course, User
from tests.factories import make_course, make_lesson, make_user, signed_in
from tests.pages import page_of


def test_the_page_of_a_course_lists_its_own_and_stores_an_order(
    browser: FlaskClient, course: Course, instructor: User
) -> None:
    inside = make_lesson(creator=instructor, course=course, client_key=uuid.uuid4())
    make_lesson(creator=instructor, client_key=uuid.uuid4())
    page = page_of(browser.get(f"/courses/{course.id}/upload"))
    assert [one["data-lesson"] for one in page.all("li") if one.get("data-lesson")] == [str(inside.id)]
    assert page.one("form", action=f"/courses/{course.id}/order")
    assert page.one("input", name="among")
    assert page.one("a", href=f"/lessons/new?course_id={course.id}")
    assert page_of(browser.get(f"/courses/{course.id}/edit")).one("a", href=f"/courses/{course.id}/upload")


def test_a_foreign_course_and_a_missing_one_look_the_same_and_staff_may(
    browser: FlaskClient, course: Course
) -> None:
    answers = [browser.get(f"/courses/{one}/upload") for one in (make_course().id, uuid.uuid4())]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert signed_in(make_user(role="support")).get(f"/courses/{course.id}/upload").status_code == 200
    assert signed_in(make_user(role="student")).get(f"/courses/{course.id}/upload").status_code == 302


def test_captions_begin_with_the_language_of_the_course_in_each_row(
    browser: FlaskClient, instructor: User
) -> None:
    course = make_course(instructor=instructor, language="de")
    make_lesson(creator=instructor, course=course, client_key=uuid.uuid4())
    chosen = [one["value"] for one in page_of(browser.get(f"/courses/{course.id}/upload")).all("option") if "selected" in one]  # fmt: skip
    assert chosen == ["de"] * 3, "for all files, of the lesson that waits, and of a row to come"
