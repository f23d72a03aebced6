"""The list of purchases, over HTTP: who bought what for how much; found by buyer and by lesson; only read."""

import pytest
from flask import Flask

from lessonadmin.domain.models import Purchase
from tests.admin.samples import browser, exported
from tests.factories import make_playing_lesson, make_purchase, make_user
from tests.pages import page_of


def make_two() -> tuple[Purchase, Purchase]:
    """One purchase of Ada's, and one of another lesson by another student."""
    ada = make_user(role="student", name="Ada", email="ada@school.example")
    other = make_user(role="student", email="other@school.example")
    circles = make_playing_lesson(title="Circles", price_cents=123_400)
    return make_purchase(circles, ada), make_purchase(make_playing_lesson(title="Lines"), other)


@pytest.mark.parametrize(
    ("query", "lessons"),
    [
        ("", {"Circles", "Lines"}),
        ("search=ada@school.example", {"Circles"}),
        ("search=ada", {"Circles"}),
        ("search=nobody@school.example", set()),
        ("search=circles", set()),
        ("flt0_buyer_is=ada", {"Circles"}),
        ("flt0_bought_from=2000-01-01", {"Circles", "Lines"}),
        ("flt0_bought_until=2000-01-01", set()),
    ],
)
def test_a_search_and_a_filter_find_their_purchases(app: Flask, query: str, lessons: set[str]) -> None:
    make_two()
    assert {row["Lesson"] for row in exported(browser(), "purchase", query)} == lessons


@pytest.mark.parametrize("column", ["id", "lesson_id", "user_id"])
def test_an_id_finds_its_purchase(app: Flask, column: str) -> None:
    purchase, _ = make_two()
    rows = exported(browser(), "purchase", f"search={getattr(purchase, column)}")
    assert [row["Lesson"] for row in rows] == ["Circles"]


def test_a_lesson_is_filtered_by_its_id(app: Flask) -> None:
    _, purchase = make_two()
    rows = exported(browser(), "purchase", f"flt0_lesson_is={purchase.lesson_id}")
    assert [row["Lesson"] for row in rows] == ["Lines"]


def test_a_row_says_what_was_paid_and_leads_to_the_lesson(app: Flask) -> None:
    purchase, _ = make_two()
    page = page_of(browser().get("/admin/purchase/"))
    for words in ("Circles", "ada@school.example", "EUR 1,234.00", "Free"):
        assert words in page.text("tbody"), words
    assert page.all("a", href=f"/admin/lesson/details/?id={purchase.lesson_id}")


def test_what_was_paid_stays_when_the_price_changes(app: Flask) -> None:
    ada = make_user(role="student")
    lesson = make_playing_lesson(price_cents=500)
    make_purchase(lesson, ada)
    lesson.price_cents = 900
    assert [(row["Paid"], row["Currency"]) for row in exported(browser(), "purchase")] == [("5.00", "EUR")]


def test_its_file_names_buyers_and_prices_for_a_spreadsheet(app: Flask) -> None:
    purchase, _ = make_two()
    (row,) = exported(browser(), "purchase", "search=ada")
    assert (row["Lesson"], row["Buyer"], row["Paid"]) == ("Circles", "ada@school.example", "1234.00")
    assert row["Lesson Id"] == str(purchase.lesson_id)
