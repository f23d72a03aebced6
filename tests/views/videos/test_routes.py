"""The routes of a video, and whom they refuse."""

import uuid

import pytest
from flask.testing import FlaskClient

from lessonadmin.db import db
from lessonadmin.domain.models import Lesson, User
from tests.factories import in_context, make_lesson
from tests.pages import page_of, post

pytestmark = pytest.mark.usefixtures("app")

FORM = {"title": "Bread", "description": "Flour.", "price": "9.99", "course_id": "", "status": "published"}


def stored(lesson_id: uuid.UUID) -> Lesson:
    with in_context():
        return db.session.get_one(Lesson, lesson_id)


def test_typed_by_hand_the_state_leads_to_its_page(browser: FlaskClient, instructor: User) -> None:
    lesson = make_lesson(creator=instructor)
    assert browser.get(f"/lessons/{lesson.id}/video").headers["Location"] == f"/lessons/{lesson.id}/edit"


@pytest.mark.parametrize("page", ["edit", "video", "delete", "unpublish", "cancel", "remove"])
def test_what_belongs_to_another_user_is_not_there(browser: FlaskClient, page: str) -> None:
    foreign = make_lesson(title="Not yours", status="published")
    assert browser.get(f"/lessons/{foreign.id}/{page}").status_code == 404
    assert post(browser, f"/lessons/{foreign.id}/{page}", **FORM).status_code in (404, 405)
    assert stored(foreign.id).title == "Not yours"
    assert "Not yours" not in page_of(browser.get("/lessons")).text("main")
