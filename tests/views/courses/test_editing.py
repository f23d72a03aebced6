"""The course form: what is wrong is said at once, what was typed is kept, and nothing is overwritten."""

import uuid
from typing import Any

import pytest
from flask.testing import FlaskClient

from lessonadmin.db import db
from lessonadmin.domain.models import Course, User
from tests.factories import in_context, make_course, make_lesson, make_playing_lesson, make_tracking
from tests.pages import Page, csrf_of, page_of, post
from tests.queries import counted

pytestmark = pytest.mark.usefixtures("app")


def stored(model: type[Any], row_id: uuid.UUID) -> Any:
    with in_context():
        return db.session.get(model, row_id)


def test_a_course_is_written_and_changed(instructor: User, browser: FlaskClient) -> None:
    answer = post(browser, "/courses/new", title="  Bread  ", description="Flour\r\nand water")
    assert answer.status_code == 302
    address = answer.location or ""
    course = stored(Course, uuid.UUID(address.split("/")[2]))
    assert (course.title, course.description, course.instructor_id) == (
        "Bread",
        "Flour\nand water",
        instructor.id,
    )
    page = page_of(browser.get(address))
    version = page.one("input", name="version")["value"] or ""
    assert page.one("input", name="title")["value"] == "Bread"
    assert post(browser, address, title="Good bread", description="", version=version).status_code == 302
    assert stored(Course, course.id).title == "Good bread"


@pytest.mark.parametrize(
    ("title", "description", "wrong"),
    [
        ("", "", ["title"]),
        ("   ", "x" * 20_001, ["title", "description"]),
        ("x" * 201, "", ["title"]),
        ("line\nbreak", "", ["title"]),
    ],
)
def test_everything_wrong_is_said_at_once_and_what_was_typed_stays(
    browser: FlaskClient, instructor: User, title: str, description: str, wrong: list[str]
) -> None:
    course = make_course(instructor=instructor, title="Before")
    for path in ("/courses/new", f"/courses/{course.id}/edit"):
        answer = post(browser, path, title=title, description=description, version="1")
        assert answer.status_code == 400
        page = page_of(answer)
        assert page.text("title").startswith("Error: ")
        invalid = [a["name"] for _, a in page.elements if a.get("aria-invalid")]
        assert invalid == wrong
        summary = {a["href"] for a in page.all("a") if (a["href"] or "").startswith("#field-")}
        assert summary == {f"#field-{name}" for name in wrong}
        if "description" in wrong:
            assert description in page.text("textarea")
    assert stored(Course, course.id).title == "Before"


def test_two_tabs_are_told_of_each_other_and_nothing_is_overwritten(
    browser: FlaskClient, instructor: User
) -> None:
    course = make_course(instructor=instructor, title="Bread", description="Old text")
    address = f"/courses/{course.id}/edit"
    assert (
        post(browser, address, title="Bread, slowly", description="Old text", version="1").status_code == 302
    )
    answer = post(browser, address, title="Bread, quickly", description="Old text", version="1")
    assert answer.status_code == 409
    page = page_of(answer)
    assert "You, in another tab or window, saved this course" in page.text("h2")
    assert "Saved nowBread, slowly" in page.text("dl")
    assert "YoursBread, quickly" in page.text("dl")
    assert "Old text" not in page.text("dl")
    assert page.one("input", name="title")["value"] == "Bread, quickly"
    assert stored(Course, course.id).title == "Bread, slowly"
    version = page.one("input", name="version")["value"] or ""
    assert (
        post(browser, address, title="Bread, quickly", description="Old text", version=version).status_code
        == 302
    )
    assert stored(Course, course.id).title == "Bread, quickly"


def test_two_languages_are_told_by_their_names(browser: FlaskClient, instructor: User) -> None:
    course = make_course(instructor=instructor, title="Bread")
    address = f"/courses/{course.id}/edit"
    assert post(browser, address, language="de", version="1").status_code == 302
    for typed, named in (("fr", "French"), ("", "Not chosen: Mux detects it")):
        answer = post(browser, address, language=typed, version="1")
        assert answer.status_code == 409
        assert f"Saved nowGerman Yours{named}" in page_of(answer).text("dl")
    assert stored(Course, course.id).language == "de"


def test_an_open_page_saves_without_being_left(browser: FlaskClient) -> None:
    token = csrf_of(browser, "/courses/new")
    data = {"csrf_token": token, "title": "Bread", "description": ""}
    answer = browser.post("/courses/new", data=data, headers={"X-Fragment": "form"})
    assert (answer.status_code, answer.headers["X-Fragment"], answer.headers["X-Status"]) == (
        200,
        "form",
        "201",
    )
    form = Page(answer.get_data(as_text=True)).one("form", id="course-form")
    assert form["data-state-url"] == f"/courses/{form['data-owner']}/video"
    wrong = browser.post("/courses/new", data={**data, "title": ""}, headers={"X-Fragment": "form"})
    assert wrong.headers["X-Status"] == "400"


def test_the_page_of_a_course_costs_the_same_however_many_lessons_it_has(
    course: Course, browser: FlaskClient, instructor: User
) -> None:
    figures = []
    for _ in range(2):
        with counted() as asked:
            assert browser.get(f"/courses/{course.id}/edit").status_code == 200
        figures.append(len(asked))
        for position in range(10):
            make_tracking(make_lesson(creator=instructor, course=course, position=10 + position))
    assert figures[0] == figures[1] <= 10


def test_a_new_lesson_of_a_course_begins_in_it(course: Course, browser: FlaskClient) -> None:
    page = page_of(browser.get(f"/lessons/new?course_id={course.id}"))
    assert [a["value"] for a in page.all("option") if "selected" in a and a["value"]][:1] == [str(course.id)]


def test_the_language_of_a_course_is_what_captions_of_its_lessons_begin_with(
    instructor: User, browser: FlaskClient
) -> None:
    address = post(browser, "/courses/new", title="Bread", description="", language="de").location or ""
    course = stored(Course, uuid.UUID(address.split("/")[2]))
    assert course.language == "de"
    lesson = make_playing_lesson(creator=instructor, course_id=course.id)
    other = make_playing_lesson(creator=instructor)
    for path, times in (
        (f"/lessons/{lesson.id}/edit", 3),
        (f"/lessons/{other.id}/edit", 0),
        (f"/courses/{course.id}/upload", 2),  # for all, and in each new row
    ):
        page = page_of(browser.get(path))
        selected = [one["value"] for one in page.all("option") if "selected" in one]
        assert selected.count("de") == times
    version = page_of(browser.get(address)).one("input", name="version")["value"] or ""
    assert post(browser, address, title="Good bread", version=version).status_code == 302
    assert stored(Course, course.id).language == "de", "a form without the field keeps it"
    refused = post(browser, "/courses/new", title="Bread", description="", language="tlh")
    assert (refused.status_code, "Choose one of the languages" in refused.text) == (400, True)
