"""A list by pages that hold each row once, and what it says it holds, however that was counted: by its rows, by others
that are as many, by names."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from lessonadmin.domain.health import dashboard
from lessonadmin.domain.querying import bounded_count
from tests.admin.samples import browser, link, titles
from tests.factories import in_context, make_course, make_lesson, make_tracking, make_user
from tests.pages import page_of

LONG_AGO = datetime.now(UTC) - timedelta(days=2)


@pytest.mark.parametrize("query", ["view=stuck", "flt0_stuck_is=yes"])
def test_stuck_lessons_are_as_many_as_their_uploads(app: Flask, query: str) -> None:
    stuck = [make_lesson(title=f"Stuck {number}") for number in range(3)]
    for number, lesson in enumerate(stuck):
        make_tracking(lesson, upload_id=f"gone{number}", status="cancelled", created_at=LONG_AGO)
        make_tracking(lesson, upload_id=f"up{number}", status="uploading", created_at=LONG_AGO)
    make_tracking(make_lesson(title="Fresh"), upload_id="fresh", status="uploading")
    make_tracking(make_course(), upload_id="course", status="uploading", created_at=LONG_AGO)
    page = page_of(browser().get(f"/admin/lesson/?{query}"))
    assert "3 lessons" in page.text()
    with in_context():
        assert dashboard.lessons_stuck() == 3, "the dashboard and the metrics say the same"
    for lesson in stuck:
        assert lesson.title in page.text()
    assert "Fresh" not in page.text()


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("flt0_stuck_is=no", "1 lesson "),
        ("flt0_stuck_is=yes&flt1_price_at_least=2", "1 lesson "),
        ("view=stuck&search=stuck", "3 lessons"),
        ("view=stuck&search=fresh", "0 lessons"),
    ],
)
def test_not_stuck_and_stuck_with_something_else_are_counted_by_themselves(
    app: Flask, query: str, words: str
) -> None:
    for number in range(3):
        lesson = make_lesson(title=f"Stuck {number}", price_cents=100 * number)
        make_tracking(lesson, upload_id=f"up{number}", status="uploading", created_at=LONG_AGO)
    make_lesson(title="Fresh")
    assert words in page_of(browser().get(f"/admin/lesson/?{query}")).text()


def test_many_that_a_search_finds_are_said_to_be_more_than_were_counted(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounded_count, "NEWEST", 4)
    monkeypatch.setattr(bounded_count, "MANY_OF_NEWEST", 3)
    monkeypatch.setattr(bounded_count, "MAX_OF_MANY", 4)
    for number in range(8):
        make_lesson(title=f"Water {number}")
    page = page_of(browser().get("/admin/lesson/?search=water"))
    assert "more than 4 lessons" in page.text()
    assert all(f"Water {number}" in page.text() for number in range(8))


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("", "6 lessons"),
        ("flt0_state_is=draft", "more than 4 lessons"),
        ("flt0_state_is=draft&sort=0", "6 lessons"),
        ("flt0_state_is=draft&search=water", "6 lessons"),
        ("flt0_state_is=published", "0 lessons"),
    ],
)
def test_what_a_filter_leaves_is_counted_less_far_than_what_is_sorted(
    app: Flask, monkeypatch: pytest.MonkeyPatch, query: str, words: str
) -> None:
    monkeypatch.setattr("lessonadmin.admin.framework.table.MAX_FILTERED", 4)
    for number in range(6):
        make_lesson(title=f"Water {number}")
    page = page_of(browser().get(f"/admin/lesson/?{query}"))
    assert words in page.text()
    for number in range(6):
        assert (f"Water {number}" in page.text()) == ("published" not in query)


ORDERS = ["", "sort=0", "sort=0&desc=1", "sort=3", "sort=3&desc=1", "sort=4"]


def make_forty_five() -> None:
    """Lessons of which many are equal in price and in the beginning of their titles."""
    instructor = make_user()
    for number in range(45):
        title = f"Lesson {number % 7}-{number:02}"
        make_lesson(creator=instructor, title=title, price_cents=(number % 3) * 100)


@pytest.mark.parametrize("order", ORDERS)
def test_pages_by_key_hold_each_row_once_in_both_directions(app: Flask, order: str) -> None:
    make_forty_five()
    admin = browser()
    address, seen, pages = f"/admin/lesson/?page_size=20&{order}", [], []
    while address:
        pages.append(titles(admin, address))
        seen += pages[-1]
        last, address = address, link(admin, address, "next")
    assert len(seen) == len(set(seen)) == 45
    back = link(admin, last, "prev")
    assert titles(admin, back) == pages[1]
    assert titles(admin, link(admin, back, "prev")) == pages[0]
    end = titles(admin, f"/admin/lesson/?page_size=20&{order}&end=1")
    assert end == seen[-20:]


def test_a_page_by_its_number_is_the_same_page(app: Flask) -> None:
    make_forty_five()
    admin = browser()
    second = titles(admin, link(admin, "/admin/lesson/?page_size=20", "next"))
    assert len(second) == 20
    assert titles(admin, "/admin/lesson/?page_size=20&page=1") == second


def test_new_rows_at_the_top_do_not_shift_the_next_page(app: Flask) -> None:
    admin = browser()
    made = [make_lesson(title=f"Lesson {number:02}") for number in range(25)]
    following = link(admin, "/admin/lesson/?page_size=20", "next")
    make_lesson(title="Newer")
    assert titles(admin, following) == [one.title for one in reversed(made[:5])]


def test_counting_ends_somewhere(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lessonadmin.admin.framework.table.MAX_COUNTED", 5)
    for _ in range(8):
        make_lesson(title="Many")
    page = page_of(browser().get("/admin/lesson/"))
    assert "more than 5 lessons" in page.text()
