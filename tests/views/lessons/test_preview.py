"""The preview of a lesson, and the links that show it to others."""

import re

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from lessonadmin.db import db
from lessonadmin.domain.models import Lesson, PreviewLink, User
from tests.factories import in_context, make_course, make_lesson, make_playing_lesson, make_user, signed_in
from tests.pages import Page, post

pytestmark = pytest.mark.usefixtures("app")


def shown(browser: FlaskClient, lesson: Lesson, seen_as: str = "") -> str:
    answer = browser.get(f"/lessons/{lesson.id}/preview", query_string={"as": seen_as} if seen_as else {})
    assert answer.status_code == 200
    return str(answer.text)


def words_of(html: str) -> str:
    return Page(html).text("main")


def test_a_draft_is_seen_as_buyers_and_as_visitors_see_it(browser: FlaskClient, instructor: User) -> None:
    lesson = make_playing_lesson(creator=instructor, status="draft", price_cents=900)
    as_buyer, as_visitor = shown(browser, lesson), shown(browser, lesson, "visitor")
    assert "<mux-player" in as_buyer
    assert 'id="buy"' not in as_buyer
    assert "<mux-player" not in as_visitor
    assert 'id="buy"' in as_visitor
    assert "students do not see it now" in words_of(as_buyer)
    assert "students do not see it now" not in shown(
        browser, make_playing_lesson(creator=instructor, status="published", price_cents=900)
    )


def test_a_free_lesson_has_one_view_and_one_without_a_video_says_so(
    browser: FlaskClient, instructor: User
) -> None:
    free = make_playing_lesson(creator=instructor, status="draft", price_cents=0)
    assert "<mux-player" in shown(browser, free, "visitor")
    course = make_course(instructor=instructor, title="Baking")
    words = words_of(shown(browser, make_lesson(creator=instructor, course=course)))
    assert "There is no video yet" in words
    assert "Baking" in words


@pytest.mark.parametrize("role", ["instructor", "student"])
def test_others_do_not_see_it(role: str) -> None:
    lesson = make_playing_lesson(status="draft")
    answer = signed_in(make_user(role=role)).get(f"/lessons/{lesson.id}/preview")
    assert answer.status_code == (404 if role == "instructor" else 302)


def created(browser: FlaskClient, lesson: Lesson) -> str:
    """The path of a new link, as its page tells it."""
    answer = post(browser, f"/lessons/{lesson.id}/preview-links")
    assert answer.status_code == 200
    found = re.search(r"(/preview/[\w-]{43})<", answer.text)
    assert found, "the address is shown once"
    assert found[1] not in shown(browser, lesson)
    return found[1]


def test_a_link_opens_the_draft_to_the_signed_out_until_it_is_ended(
    browser: FlaskClient, instructor: User, client: FlaskClient
) -> None:
    lesson = make_playing_lesson(creator=instructor, status="draft", price_cents=900, title="Bread & butter")
    address = created(browser, lesson)
    answer = client.get(address)
    assert answer.status_code == 200
    assert Page(answer.text).text("h1") == "Bread & butter"
    assert "<mux-player" in answer.text
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["X-Robots-Tag"] == "noindex, nofollow"
    assert "no-store" in answer.headers["Cache-Control"]
    assert f"/lessons/{lesson.id}" not in answer.text
    assert 'id="buy"' not in answer.text

    with in_context():
        link_id = db.session.scalars(select(PreviewLink.id)).one()
    end = f"/lessons/{lesson.id}/preview-links/{link_id}/end"
    assert post(signed_in(make_user()), end).status_code == 404
    for words in ("The link shows nothing any more.", "The link had ended already."):
        assert post(browser, end).status_code == 302
        assert words in shown(browser, lesson)
    ended, never = client.get(address), client.get("/preview/" + "x" * 43)
    assert (ended.status_code, never.status_code) == (404, 404)
    assert words_of(ended.text) == words_of(never.text)
    assert "This preview has ended" in ended.text


def test_the_shared_page_of_a_lesson_without_a_video_or_description(
    browser: FlaskClient, instructor: User, client: FlaskClient
) -> None:
    course = make_course(instructor=instructor, title="Baking")
    answer = client.get(created(browser, make_lesson(creator=instructor, course=course)))
    assert "There is no video yet" in answer.text
    assert f"/catalog/courses/{course.id}" not in answer.text, "no link to what needs an account"
