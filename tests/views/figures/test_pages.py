"""Figures as pages: one's own alone, in words where there is nothing, and as cheap for many lessons as for one."""

import re
from datetime import UTC, datetime, timedelta

from flask.testing import FlaskClient
from sqlalchemy import func

from lessonadmin.db import db
from lessonadmin.domain.figures import counting
from lessonadmin.domain.models import CountedDay, Lesson, LessonProgress, Purchase, User
from tests import queries
from tests.factories import (
    in_context,
    keep,
    make_playing_lesson,
    make_purchase,
    make_user,
    make_view,
    signed_in,
)
from tests.pages import page_of
from tests.settings import overridden
from tests.views.figures.conftest import DAY, counted


def text_of(browser: FlaskClient, address: str) -> str:
    answer = browser.get(address)
    assert answer.status_code == 200, address
    return re.sub(r"\s+", " ", page_of(answer).text("main"))


def test_an_instructor_sees_what_came_of_their_lessons(browser: FlaskClient, lesson: Lesson) -> None:
    one = f"/lessons/{lesson.id}/figures"
    for address in ("/figures", one, "/figures?span=all", f"{one}?span=7"):
        said = text_of(browser, address)
        assert "Minutes watched2.0" in said
        assert "Sales1 Sold for9.00EUR" in said
        assert f"Minutes are counted until {DAY.day} {DAY:%b %Y}. Mux counts them about 12 hours late" in said
        assert "Foreign" not in said
        assert "Sam Student" not in said
    assert "=Bread" in text_of(browser, "/figures")
    assert one in browser.get(f"/lessons/{lesson.id}/edit").text


def test_it_says_how_many_students_began_and_did_a_lesson_and_not_who(
    browser: FlaskClient, lesson: Lesson
) -> None:
    for done_at in (None, func.now()):
        student = make_user(role="student", name="Sam Student")
        keep(
            LessonProgress(
                user_id=student.id,
                lesson_id=lesson.id,
                seconds=30,
                duration=61,
                done_at=done_at,
                updated_at=func.now(),
            )
        )
    said = text_of(browser, f"/lessons/{lesson.id}/figures?span=7")
    assert "Began to watch2 Done1" in said
    assert "Sam Student" not in said


def test_staff_see_the_school_and_any_instructor(lesson: Lesson) -> None:
    support = signed_in(make_user(role="support"))
    school = text_of(support, "/figures")
    assert "Minutes watched102" in school
    assert "Foreign" in school
    said = text_of(support, f"/figures?instructor={lesson.creator_id}")
    assert "Minutes watched2.0" in said
    assert "Foreign" not in said
    person = support.get(f"/admin/person/details/?id={lesson.creator_id}").text
    assert f"/figures?instructor={lesson.creator_id}" in person
    assert f"/lessons/{lesson.id}/figures" in support.get(f"/admin/lesson/details/?id={lesson.id}").text


def test_where_there_is_nothing_it_says_why(browser: FlaskClient, instructor: User) -> None:
    free = make_playing_lesson(creator=instructor)
    address = f"/lessons/{free.id}/figures"
    assert "Nothing of this time is counted yet." in text_of(browser, address)
    counted()
    said = text_of(browser, address)
    assert "This lesson was not watched in this time." in said
    assert "Sales" not in said
    assert "Sold for" not in said
    assert "Nothing came of this time yet" in text_of(browser, "/figures")
    assert "There are not that many pages." in text_of(browser, "/figures?page=4")


def test_why_there_are_no_plays_is_said(browser: FlaskClient, lesson: Lesson) -> None:
    support = signed_in(make_user(role="support"))
    assert "Plays are not counted, since players do not report to Mux Data." in text_of(browser, "/figures")
    assert "MUX_ENV_KEY is not set" in text_of(support, "/figures")
    with overridden(mux_env_key="key"):
        assert "Plays are not counted yet." in text_of(browser, "/figures")
        refused = {"failed_at": datetime.now(UTC), "failure": counting.NOT_ALLOWED}
        keep(CountedDay(what="plays", day=DAY - timedelta(days=1), **refused))
        assert "since Mux does not tell them to this server." in text_of(browser, "/figures")
        assert "lacks the permission Mux Data, read" in text_of(support, "/figures")
        counted("plays")
        assert "Plays3" in text_of(browser, "/figures")


def test_given_and_revoked_purchases_are_no_money(browser: FlaskClient, lesson: Lesson) -> None:
    given, revoked = (make_purchase(lesson, make_user(role="student")).id for _ in range(2))
    by = make_user(role="admin")
    with in_context():
        one, other = db.session.get_one(Purchase, given), db.session.get_one(Purchase, revoked)
        one.price_cents, one.given_by, one.give_reason = 0, by.id, "Won"
        other.revoked_at, other.revoke_reason, other.lesson_title = func.now(), "Twice", "Bread"
        db.session.commit()
    said = text_of(browser, "/figures")
    assert "Sales1 Sold for9.00EUR" in said
    assert "Not counted: 1 lesson given at no charge, 1 revoked purchase." in said


def test_odd_words_in_the_address_are_no_error(browser: FlaskClient, lesson: Lesson) -> None:
    assert text_of(browser, "/figures?span=x&sort=mood&page=-1") == text_of(browser, "/figures")


def test_more_lessons_cost_no_more_statements_and_a_small_page(
    browser: FlaskClient, instructor: User, lesson: Lesson
) -> None:
    def cost() -> tuple[int, int]:
        with queries.counted() as sent:
            answer = browser.get("/figures?span=90&sort=cents")
        return len(sent), len(answer.data)

    browser.get("/figures")
    before, _ = cost()
    buyer = make_user(role="student")
    for _ in range(25):
        more = make_playing_lesson(creator=instructor, price_cents=900, title="x" * 200)
        make_view(more, DAY)
        make_purchase(more, buyer)
    after, size = cost()
    assert after <= before <= 16
    assert size < 150_000
    assert "page=2" in browser.get("/figures?sort=cents").text
