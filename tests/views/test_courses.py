"""Courses as a teacher's pages: the list, the form, the order of lessons, deleting; nobody else's."""

import re
import uuid
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from lessonadmin.db import db
from lessonadmin.domain.models import AuditLog, Course, Lesson, User
from tests.factories import in_context, make_course, make_lesson, make_tracking, make_user, signed_in
from tests.pages import Page, csrf_of, page_of
from tests.queries import counted

pytestmark = pytest.mark.usefixtures("app")


def post(browser: FlaskClient, path: str, **data: Any) -> TestResponse:
    return browser.post(path, data={"csrf_token": csrf_of(browser, "/account"), **data})


def stored(model: type[Any], row_id: uuid.UUID) -> Any:
    with in_context():
        return db.session.get(model, row_id)


@pytest.fixture
def instructor() -> User:
    return make_user()


@pytest.fixture
def browser(instructor: User) -> FlaskClient:
    return signed_in(instructor)


def test_the_list_shows_ones_own_with_their_lessons_and_previews(
    instructor: User, browser: FlaskClient
) -> None:
    bread = make_course(
        instructor=instructor,
        title="Bread <b>at home</b>",
        video_processing_status="ready",
        mux_asset_id="a",
        mux_playback_id="p",
    )
    make_course(instructor=instructor, title="Watercolour")
    make_course(title="Somebody else's")
    make_lesson(creator=instructor, course=bread, status="published")
    make_lesson(creator=instructor, course=bread)
    page = page_of(browser.get("/courses"))
    text = page.text("table")
    assert "Bread <b>at home</b>" in text
    assert "2, 1 published" in text
    assert "Ready" in text
    assert "No video" in text
    assert "Somebody else" not in text
    assert "2 courses" in page.text("nav")


def test_a_page_of_courses_costs_the_same_however_many_they_are(
    instructor: User, browser: FlaskClient
) -> None:
    figures = []
    for _ in range(2):
        for _ in range(8):
            course = make_course(instructor=instructor)
            make_lesson(creator=instructor, course=course)
            make_tracking(course)
        with counted() as asked:
            assert browser.get("/courses").status_code == 200
        figures.append(len(asked))
    assert figures[0] == figures[1] <= 7


def test_the_list_is_searched_by_the_beginning_of_words_and_paged(
    instructor: User, browser: FlaskClient
) -> None:
    for number in range(22):
        make_course(instructor=instructor, title=f"Bread, part {number}")
    make_course(instructor=instructor, title="Watercolour", description="Flat washes")
    page = page_of(browser.get("/courses?q=wash"))
    assert "Watercolour" in page.text("table")
    assert "Bread" not in page.text("table")
    second = page_of(browser.get("/courses?q=brea&page=2"))
    assert len(re.findall("Bread, part", second.text("td"))) == 2
    assert "q=brea" in (second.one("a", rel="prev")["href"] or "")
    assert "No course matches “<i>x”" in page_of(browser.get("/courses?q=<i>x")).text()
    assert "fewer pages" in page_of(browser.get("/courses?page=99")).text()
    for odd in ("0", "-1", "x", "9" * 30, "²"):
        page_of(browser.get(f"/courses?page={odd}"))


def test_staff_see_all_with_their_instructors(instructor: User) -> None:
    make_course(instructor=instructor, title="Bread")
    page = page_of(signed_in(make_user(role="support")).get("/courses"))
    assert instructor.name in page.text("table")


def test_the_empty_list_leads_to_the_first_course(browser: FlaskClient) -> None:
    page = page_of(browser.get("/courses"))
    assert "No courses yet" in page.text("h2")
    assert any(a["href"] == "/courses/new" for a in page.all("a"))


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


@pytest.mark.parametrize(("role", "named"), [("support", "Support"), ("instructor", "You, in another tab")])
def test_a_conflict_says_who_saved(browser: FlaskClient, instructor: User, role: str, named: str) -> None:
    course = make_course(instructor=instructor, title="Bread")
    address = f"/courses/{course.id}/edit"
    first = browser if role == "instructor" else signed_in(make_user(role=role, name="Sue"))
    assert post(first, address, title="Bread, slowly", description="", version="1").status_code == 302
    answer = post(browser, address, title="Bread, quickly", description="", version="1")
    assert f"{named}" in page_of(answer).text("h2")
    seen_by_staff = post(signed_in(make_user(role="admin")), address, title="B", description="", version="1")
    assert ("Sue" if role == "support" else instructor.name) in page_of(seen_by_staff).text("h2")


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


def order_of(course: Course) -> list[str]:
    with in_context():
        rows = select(Lesson.title).where(Lesson.course_id == course.id).order_by(Lesson.position, Lesson.id)
        return list(db.session.scalars(rows))


@pytest.fixture
def course(instructor: User) -> Course:
    made = make_course(instructor=instructor)
    for position, title in enumerate("ABCD", start=1):
        make_lesson(creator=instructor, course=made, title=title, position=position)
    return made


def ids_on(page: Page) -> list[str]:
    return [a["value"] or "" for a in page.all("input", name="lesson_id")]


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


def test_deleting_a_course_is_asked_in_words_and_leaves_its_lessons(
    course: Course, browser: FlaskClient, instructor: User
) -> None:
    page = page_of(browser.get(f"/courses/{course.id}/delete"))
    assert "Its 4 lessons stay" in page.text("main")
    assert stored(Course, course.id) is not None
    answer = post(browser, f"/courses/{course.id}/delete")
    assert answer.location == "/courses"
    assert stored(Course, course.id) is None
    with in_context():
        left = list(db.session.scalars(select(Lesson).where(Lesson.creator_id == instructor.id)))
    assert sorted(one.title for one in left) == ["A", "B", "C", "D"]
    assert {one.course_id for one in left} == {None}


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
    assert figures[0] == figures[1] <= 9


def test_a_new_lesson_of_a_course_begins_in_it(course: Course, browser: FlaskClient) -> None:
    page = page_of(browser.get(f"/lessons/new?course_id={course.id}"))
    assert [a["value"] for a in page.all("option") if "selected" in a and a["value"]][:1] == [str(course.id)]


GETS = ("edit", "delete", "remove", "cancel", "video")
POSTS = ("edit", "delete", "remove", "cancel", "ask", "undo", "order")


@pytest.mark.parametrize("path", GETS)
def test_foreign_and_missing_courses_look_the_same(browser: FlaskClient, path: str) -> None:
    for course_id in (make_course().id, uuid.uuid4()):
        assert browser.get(f"/courses/{course_id}/{path}").status_code == 404


@pytest.mark.parametrize("path", POSTS)
def test_nobody_changes_a_foreign_course(browser: FlaskClient, app: Flask, path: str) -> None:
    foreign = make_course(title="Before")
    assert post(browser, f"/courses/{foreign.id}/{path}", title="After").status_code == 404
    student = signed_in(make_user(role="student"))
    assert post(student, f"/courses/{foreign.id}/{path}", title="After").status_code == 403
    assert student.get("/courses").location == "/catalog"
    assert stored(Course, foreign.id).title == "Before"
