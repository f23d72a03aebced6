"""The order of the lessons of a course."""

import uuid
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from lessonadmin.db import db
from lessonadmin.domain.models import AuditLog, Course, Lesson, User
from tests.factories import in_context, make_course, make_lesson, make_user
from tests.pages import Page, csrf_of, page_of, post

pytestmark = pytest.mark.usefixtures("app")


def stored(model: type[Any], row_id: uuid.UUID) -> Any:
    with in_context():
        return db.session.get(model, row_id)


def order_of(course: Course) -> list[str]:
    with in_context():
        rows = select(Lesson.title).where(Lesson.course_id == course.id).order_by(Lesson.position, Lesson.id)
        return list(db.session.scalars(rows))


def ids_on(page: Page) -> list[str]:
    return [(a["value"] or "").removeprefix("lesson ") for a in page.all("input", name="row")]


def test_lessons_are_moved_by_buttons_that_need_no_script(course: Course, browser: FlaskClient) -> None:
    address = f"/courses/{course.id}"
    ids = ids_on(page_of(browser.get(f"{address}/edit")))
    moves = {a["value"] for a in page_of(browser.get(f"{address}/edit")).all("button", name="move")}
    assert f"up {ids[2]}" in moves
    answer = post(browser, f"{address}/order", lesson_id=ids, move=f"up {ids[2]}")
    assert answer.location == f"{address}/edit#lesson-{ids[2]}"
    assert order_of(course) == ["A", "C", "B", "D"]
    ids = ids_on(page_of(browser.get(f"{address}/edit")))
    for move in (
        f"up {ids[0]}",
        f"down {ids[-1]}",
        f"sideways {ids[0]}",
        f"up {uuid.uuid4()}",
        "nonsense",
        "up x",
    ):
        assert post(browser, f"{address}/order", lesson_id=ids, move=move).status_code == 302
    assert order_of(course) == ["A", "C", "B", "D"]
    post(browser, f"{address}/order", lesson_id=ids, move=f"down {ids[0]}")
    assert order_of(course) == ["C", "A", "B", "D"]


def test_a_whole_order_is_stored_and_written_down_once(course: Course, browser: FlaskClient) -> None:
    address = f"/courses/{course.id}"
    ids = ids_on(page_of(browser.get(f"{address}/edit")))
    data = {"csrf_token": csrf_of(browser, "/account"), "lesson_id": ids[::-1]}
    answer = browser.post(f"{address}/order", data=data, headers={"X-Fragment": "order"})
    assert answer.status_code == 204
    assert order_of(course) == ["D", "C", "B", "A"]
    browser.post(f"{address}/order", data=data, headers={"X-Fragment": "order"})
    with in_context():
        actions = list(db.session.scalars(select(AuditLog.action).where(AuditLog.target_id == course.id)))
    assert actions == ["course.reordered"]


def test_an_order_of_a_few_leaves_the_others_where_they_are(course: Course, browser: FlaskClient) -> None:
    ids = ids_on(page_of(browser.get(f"/courses/{course.id}/edit")))
    post(browser, f"/courses/{course.id}/order", lesson_id=[ids[3], ids[1]], among="1")
    assert order_of(course) == ["A", "D", "C", "B"]


def test_what_the_page_did_not_know_follows_and_foreign_lessons_stay_where_they_are(
    course: Course, browser: FlaskClient, instructor: User
) -> None:
    ids = ids_on(page_of(browser.get(f"/courses/{course.id}/edit")))
    make_lesson(creator=instructor, course=course, title="E", position=5)
    other = make_course()
    foreign = make_lesson(creator=make_user(), course=other, title="Foreign", position=7)
    post(browser, f"/courses/{course.id}/order", lesson_id=[str(foreign.id), ids[1], ids[1], "x", ids[0]])
    assert order_of(course) == ["B", "A", "C", "D", "E"]
    assert stored(Lesson, foreign.id).position == 7
