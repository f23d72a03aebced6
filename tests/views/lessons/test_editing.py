"""The lesson form: what is wrong is said at once, what was typed is kept, and nothing is overwritten."""

import uuid

import pytest
from flask.testing import FlaskClient

from lessonadmin.db import db
from lessonadmin.domain.models import Lesson, User
from tests.factories import in_context, make_lesson, make_user, signed_in
from tests.pages import Page, page_of, post

pytestmark = pytest.mark.usefixtures("app")

FORM = {"title": "Bread", "description": "Flour.", "price": "9.99", "course_id": "", "status": "published"}


def stored(lesson_id: uuid.UUID) -> Lesson:
    with in_context():
        return db.session.get_one(Lesson, lesson_id)


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
    ("typed", "cents"), [("12,50", 1250), ("€ 9.90", 990), ("0", 0), ("7", 700), ("999999.00", 99_999_900)]
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


@pytest.mark.parametrize(("role", "is_told"), [("support", True), ("instructor", False)])
def test_staff_are_told_whose_lesson_they_edit(role: str, is_told: bool) -> None:
    tina = make_user(name="Tina")
    lesson = make_lesson(creator=tina)
    browser = signed_in(tina if role == "instructor" else make_user(role=role))
    page = page_of(browser.get(f"/lessons/{lesson.id}/edit"))
    assert ("You are editing a lesson of Tina." in page.text("main")) is is_told
