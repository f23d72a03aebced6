"""The preview of a course, and deleting the course; whom its addresses refuse."""

import uuid
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from lessonadmin.db import db
from lessonadmin.domain.models import Course, Lesson, User
from tests.factories import in_context, make_course, make_user, signed_in
from tests.pages import page_of, post

pytestmark = pytest.mark.usefixtures("app")


def stored(model: type[Any], row_id: uuid.UUID) -> Any:
    with in_context():
        return db.session.get(model, row_id)


GETS = ("edit", "delete", "remove", "cancel", "video")


POSTS = ("edit", "delete", "remove", "cancel", "ask", "undo", "order")


def test_deleting_a_course_is_asked_in_words_and_leaves_its_lessons(
    course: Course, browser: FlaskClient, instructor: User
) -> None:
    page = page_of(browser.get(f"/courses/{course.id}/delete"))
    assert "Its 4 lessons are kept" in page.text("main")
    assert stored(Course, course.id) is not None
    answer = post(browser, f"/courses/{course.id}/delete")
    assert answer.location == "/courses"
    assert stored(Course, course.id) is None
    with in_context():
        left = list(db.session.scalars(select(Lesson).where(Lesson.creator_id == instructor.id)))
    assert sorted(one.title for one in left) == ["A", "B", "C", "D"]
    assert {one.course_id for one in left} == {None}


@pytest.mark.parametrize("path", GETS)
def test_foreign_and_missing_courses_look_the_same(browser: FlaskClient, path: str) -> None:
    for course_id in (make_course().id, uuid.uuid4()):
        assert browser.get(f"/courses/{course_id}/{path}").status_code == 404


@pytest.mark.parametrize("path", POSTS)
def test_no_instructor_changes_a_foreign_course(browser: FlaskClient, app: Flask, path: str) -> None:
    foreign = make_course(title="Before")
    assert post(browser, f"/courses/{foreign.id}/{path}", title="After").status_code == 404
    student = signed_in(make_user(role="student"))
    assert post(student, f"/courses/{foreign.id}/{path}", title="After").status_code == 403
    assert student.get("/courses").location == "/catalog"
    assert stored(Course, foreign.id).title == "Before"
