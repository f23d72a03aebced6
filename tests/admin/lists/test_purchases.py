"""The list of purchases, over HTTP: who bought what for how much; found by buyer, by lesson and by state; given, revoked and restored."""

import pytest
from flask import Flask

from lessonadmin.domain.models import Purchase
from tests.admin.samples import browser, exported
from tests.factories import make_playing_lesson, make_purchase, make_user
from tests.pages import page_of, post


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


def test_a_row_says_what_was_paid_and_leads_to_its_page_and_that_to_the_lesson(app: Flask) -> None:
    purchase, _ = make_two()
    page = page_of(browser().get("/admin/purchase/"))
    for words in ("Circles", "ada@school.example", "EUR 1,234.00", "Free"):
        assert words in page.text("tbody"), words
    about = f"/admin/purchase/details/?id={purchase.id}"
    assert page.all("a", href=about)
    page = page_of(browser().get(about))
    assert page.all("a", href=f"/admin/lesson/details/?id={purchase.lesson_id}")
    assert page.all("a", href=f"/admin/person/details/?id={purchase.user_id}")


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


def press(role: str, action: str, **form: object) -> str:
    """One of the panel's buttons; what the page says after it."""
    pressing = browser(role)
    answer = post(pressing, f"/admin/purchase/{action}", **form)
    assert answer.status_code == 302
    return page_of(pressing.get(answer.headers["Location"])).text()


def exported_states(query: str = "") -> dict[str, str]:
    return {row["Lesson"]: row["State"] for row in exported(browser(), "purchase", query)}


def test_support_gives_revokes_and_restores_with_a_reason_and_the_list_knows_each_state(app: Flask) -> None:
    bought, _ = make_two()
    free = make_playing_lesson(title="Rye", price_cents=900)
    address = f"http://localhost/admin/lesson/details/?id={free.id}"
    said = press("support", "give", lesson=address, email="ADA@school.example", reason="Won it", url="/admin/purchase/?view=given")  # fmt: skip
    assert "The lesson is given, and the student is notified." in said
    assert "Rye" in said
    assert "Circles" not in said
    assert "is revoked" in press("admin", "revoke", id=bought.id, reason="Paid twice")
    assert exported_states() == {"Rye": "given", "Circles": "revoked", "Lines": "bought"}
    for state, lesson in (("given", "Rye"), ("revoked", "Circles"), ("bought", "Lines")):
        assert set(exported_states(f"flt0_state_is={state}")) == {lesson}
    for view, lesson in (("given", "Rye"), ("revoked", "Circles")):
        assert set(exported_states(f"view={view}")) == {lesson}
    assert [row["Revoke Reason"] for row in exported(browser(), "purchase", "view=revoked")] == ["Paid twice"]
    page = press("support", "restore", id=bought.id, reason="A mistake")
    assert "is restored" in page
    assert "EUR 1,234.00" in page
    assert exported_states()["Circles"] == "bought"


@pytest.mark.parametrize("action", ["give", "revoke", "restore"])
def test_nothing_is_done_without_a_reason(app: Flask, action: str) -> None:
    bought, _ = make_two()
    if action == "restore":
        press("support", "revoke", id=bought.id, reason="Paid twice")
    before = exported_states()
    form = {"id": bought.id, "lesson": bought.lesson_id, "email": "other@school.example", "reason": "  "}
    assert "Write a reason for the audit log." in press("support", action, **form)
    assert exported_states() == before


def test_what_cannot_be_given_is_said_in_words(app: Flask) -> None:
    bought, _ = make_two()
    for form, words in (
        ({"email": "nobody@school.example"}, "No account has this e-mail address."),
        ({"email": "ada@school.example", "lesson": "Circles"}, "Paste the ID of the lesson"),
        ({"email": "ada@school.example"}, "ada@school.example has bought this lesson already."),
    ):
        assert words in press("support", "give", **{"lesson": bought.lesson_id, "reason": "x"} | form)
    assert len(exported_states()) == 2


def test_the_pages_of_a_lesson_and_of_a_student_offer_to_give_it(app: Flask) -> None:
    bought, _ = make_two()
    admin = browser()
    page = page_of(admin.get(f"/admin/lesson/details/?id={bought.lesson_id}"))
    assert page.all("a", href=f"/admin/purchase/?flt0_lesson_is={bought.lesson_id}")
    assert page.all("form", action="/admin/purchase/give")
    assert page_of(admin.get(f"/admin/person/details/?id={bought.user_id}")).all("form", action="/admin/purchase/give")  # fmt: skip
    teacher = admin.get(f"/admin/person/details/?id={make_user().id}")
    assert not page_of(teacher).all("form", action="/admin/purchase/give"), "only students are given lessons"
    press("support", "revoke", id=bought.id, reason="Paid twice")
    mine = page_of(admin.get(f"/admin/person/details/?id={bought.user_id}"))
    assert "Revoked" in mine.text()
