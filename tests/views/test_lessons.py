"""Lessons as a teacher's pages over HTTP: what is wrong is said at once, nothing is overwritten, nobody else's is shown."""

import uuid
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from lessonadmin.db import db
from lessonadmin.domain.models import Lesson, User
from tests.factories import (
    in_context,
    make_course,
    make_lesson,
    make_purchase,
    make_tracking,
    make_user,
    signed_in,
)
from tests.pages import Page, csrf_of, page_of

pytestmark = pytest.mark.usefixtures("app")
FORM = {"title": "Bread", "description": "Flour.", "price": "9.99", "course_id": "", "status": "published"}


def post(browser: FlaskClient, path: str, *, fragment: str = "", **data: Any) -> TestResponse:
    headers = {"X-Fragment": fragment} if fragment else {}
    return browser.post(path, data={"csrf_token": csrf_of(browser, "/account"), **data}, headers=headers)


def stored(lesson_id: uuid.UUID) -> Lesson:
    with in_context():
        return db.session.get_one(Lesson, lesson_id)


@pytest.fixture
def instructor() -> User:
    return make_user()


@pytest.fixture
def browser(instructor: User) -> FlaskClient:
    return signed_in(instructor)


def test_everything_that_is_wrong_is_said_at_once_and_what_was_typed_is_kept(browser: FlaskClient) -> None:
    wrong = {**FORM, "title": " ", "price": "a lot", "course_id": str(uuid.uuid4()), "description": "Kept."}
    answer = post(browser, "/lessons/new", **wrong)
    assert answer.status_code == 400
    page = page_of(answer)
    assert {a["href"] for a in page.all("a") if (a["href"] or "").startswith("#field-")} >= {
        "#field-title",
        "#field-price",
    }
    assert page.one("input", name="price")["value"] == "a lot"
    assert "Kept." in page.text("textarea")
    assert page.text("title").startswith("Error: ")


@pytest.mark.parametrize(
    ("typed", "cents"), [("12,50", 1250), ("€ 9.90", 990), ("", 0), ("7", 700), ("999999.00", 99_999_900)]
)
def test_prices_are_understood_as_people_write_them(browser: FlaskClient, typed: str, cents: int) -> None:
    answer = post(browser, "/lessons/new", **{**FORM, "price": typed})
    assert answer.status_code == 302
    assert stored(uuid.UUID(answer.headers["Location"].split("/")[-2])).price_cents == cents


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("1e5", "Enter the price as 9.99"),
        ("-1", "Enter the price as 9.99"),
        ("1000000", "999,999.00 at most"),
    ],
)
def test_what_is_no_price_is_said_beside_the_field(browser: FlaskClient, typed: str, sentence: str) -> None:
    answer = post(browser, "/lessons/new", **{**FORM, "price": typed})
    assert answer.status_code == 400
    assert sentence in page_of(answer).text("main")


def test_an_open_page_saves_without_being_left(browser: FlaskClient) -> None:
    answer = post(browser, "/lessons/new", fragment="form", **FORM)
    assert (answer.status_code, answer.headers["X-Status"]) == (200, "201")
    form = Page(answer.get_data(as_text=True)).one("form", id="lesson-form")
    assert answer.headers["Location"] == f"/lessons/{form['data-owner']}/edit"
    assert form["data-state-url"] == f"/lessons/{form['data-owner']}/video"


@pytest.mark.parametrize(("role", "named"), [("support", "Support"), ("instructor", "You, in another tab")])
def test_a_conflict_says_who_saved_and_what_differs(
    browser: FlaskClient, instructor: User, role: str, named: str
) -> None:
    lesson = make_lesson(creator=instructor, title="Bread")
    address = f"/lessons/{lesson.id}/edit"
    first = browser if role == "instructor" else signed_in(make_user(role=role, name="Sue"))
    version = str(stored(lesson.id).version)
    assert post(first, address, title="Bread, slowly", version=version).status_code == 302
    answer = post(browser, address, title="Bread, quickly", version=version)
    assert answer.status_code == 409
    page = page_of(answer)
    assert f"{named}" in page.text("h2")
    assert "Saved nowBread, slowly" in page.text("dl")
    assert "YoursBread, quickly" in page.text("dl")
    assert stored(lesson.id).title == "Bread, slowly"
    again = page.one("input", name="version")["value"] or ""
    assert post(browser, address, title="Bread, quickly", version=again).status_code == 302


@pytest.mark.parametrize("page", ["edit", "video", "delete", "unpublish", "cancel", "remove"])
def test_what_belongs_to_somebody_else_is_not_there(browser: FlaskClient, page: str) -> None:
    foreign = make_lesson(title="Not yours", status="published")
    assert browser.get(f"/lessons/{foreign.id}/{page}").status_code == 404
    assert post(browser, f"/lessons/{foreign.id}/{page}", **FORM).status_code in (404, 405)
    assert stored(foreign.id).title == "Not yours"
    assert "Not yours" not in page_of(browser.get("/lessons")).text("main")


def test_a_lesson_that_somebody_bought_is_not_deleted(browser: FlaskClient, instructor: User) -> None:
    lesson = make_lesson(creator=instructor, title="Sold", status="published")
    make_purchase(lesson, make_user(role="student"))
    assert "1 student bought this lesson" in page_of(browser.get(f"/lessons/{lesson.id}/edit")).text("main")
    assert browser.get(f"/lessons/{lesson.id}/delete").status_code == 404
    assert post(browser, f"/lessons/{lesson.id}/delete").status_code == 409
    assert stored(lesson.id).title == "Sold"


def test_after_sixty_asks_the_page_says_that_it_goes_on_without_it(
    browser: FlaskClient, instructor: User
) -> None:
    lesson = make_lesson(creator=instructor, video_processing_status="processing")
    make_tracking(lesson, status="processing", mux_asset_id="a")
    state = f"/lessons/{lesson.id}/video?attempt="
    headers = {"X-Fragment": "video"}
    assert 'data-next="30000"' in browser.get(f"{state}59", headers=headers).get_data(as_text=True)
    last = browser.get(f"{state}60", headers=headers).get_data(as_text=True)
    assert 'data-next=""' in last
    assert "It goes on in the background" in last
    assert 'data-next="5000"' in browser.get(f"{state}nonsense", headers=headers).get_data(as_text=True)


def test_typed_by_hand_the_state_leads_to_its_page(browser: FlaskClient, instructor: User) -> None:
    lesson = make_lesson(creator=instructor)
    assert browser.get(f"/lessons/{lesson.id}/video").headers["Location"] == f"/lessons/{lesson.id}/edit"


def test_odd_wishes_of_the_list_are_read_as_none(browser: FlaskClient, instructor: User) -> None:
    make_lesson(creator=instructor, title="Bread", course=make_course(instructor=instructor, title="Baking"))
    for query in ("page=0", "page=-1", "page=x", "page=99999999", "sort=evil", "state=evil", "page=٣"):
        answer = browser.get(f"/lessons?{query}")
        assert answer.status_code == 200, query
        assert "Baking" in page_of(answer).text("table"), query
