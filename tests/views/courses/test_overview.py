"""The list of courses: counts, previews, search and pages."""

import re

import pytest
from flask.testing import FlaskClient

from lessonadmin.domain.models import User
from tests.factories import make_course, make_lesson, make_tracking, make_user, signed_in
from tests.pages import page_of
from tests.queries import counted

pytestmark = pytest.mark.usefixtures("app")


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
    assert "not that many pages" in page_of(browser.get("/courses?page=99")).text()
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
