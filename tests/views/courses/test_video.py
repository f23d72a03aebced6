"""The preview of a course, and deleting the course; whom its addresses refuse."""

import re
import uuid
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from lessonadmin.db import CLI, db, transaction
from lessonadmin.domain.models import Course, Lesson, User
from tests.factories import in_context, make_course, make_lesson, make_user, signed_in
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


def test_the_cover_is_chosen_on_the_page_and_is_that_of_the_course_everywhere(
    instructor: User, browser: FlaskClient
) -> None:
    course = make_course(instructor=instructor)
    address = f"/courses/{course.id}"
    choices = [str(make_lesson(creator=instructor, course=course, position=n).id) for n in range(3)]
    assert 'id="cover"' not in browser.get(f"{address}/edit").text, "no lesson of it is published"
    plays = {"video_processing_status": "ready", "mux_asset_id": "a", "playback_policy": "public"}
    with in_context(), transaction(CLI):
        for number, lesson_id in enumerate(choices):
            lesson = db.session.get_one(Lesson, uuid.UUID(lesson_id))
            lesson.status, lesson.mux_playback_id = "published", f"play{number}"
            for name, value in plays.items():
                setattr(lesson, name, value)
    staff, student = (signed_in(make_user(role=role)) for role in ("support", "student"))

    def shown() -> set[str]:
        pages = [
            browser.get("/courses"),
            browser.get(f"{address}/edit"),
            staff.get("/admin/course/"),
            student.get("/catalog/courses"),
        ]
        said = [re.search(r"/(play\d)/thumbnail", page.text) for page in pages[:1] + pages[2:]]
        said.append(re.search(r"/(play\d)/thumbnail", pages[1].text.split('id="cover"')[1]))
        said.append(re.search(r"/(play\d)/thumbnail", student.get(f"/api/courses/{course.id}").json["cover"]))
        return {one[1] for one in said if one is not None} if None not in said else {"missing"}

    assert shown() == {"play0"}
    answer = post(browser, f"{address}/cover", lesson_id=choices[2])
    assert answer.location == f"{address}/edit#cover"
    assert shown() == {"play2"}
    assert post(browser, f"{address}/cover", lesson_id="").status_code == 302
    assert shown() == {"play0"}
    for refused, status in ((str(uuid.uuid4()), 400), ("nonsense", 404)):
        assert post(browser, f"{address}/cover", lesson_id=refused).status_code == status
    assert post(signed_in(make_user()), f"{address}/cover", lesson_id=choices[1]).status_code == 404
    assert shown() == {"play0"}
