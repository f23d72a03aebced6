"""The frame around every page: who may go where, who is signed in, what waits."""

from datetime import UTC, datetime

import pytest
from flask import Flask, flash
from flask.testing import FlaskClient

from lessonadmin.domain.models import Notification, User
from tests.factories import keep, make_user, signed_in
from tests.pages import Page, page_of
from tests.queries import counted

pytestmark = pytest.mark.usefixtures("app")

FIRST_PAGES = {
    "student": ("/catalog", "/notifications", "/account"),
    "instructor": ("/lessons", "/catalog", "/notifications", "/account"),
    "support": ("/admin/", "/lessons", "/catalog", "/notifications", "/account"),
    "admin": ("/admin/", "/lessons", "/catalog", "/notifications", "/account"),
}


def links_of(page: Page) -> set[str]:
    return {attrs["href"] or "" for attrs in page.all("a") if (attrs.get("class") or "").endswith("__link")}


@pytest.mark.parametrize(("role", "path"), [(r, p) for r, paths in FIRST_PAGES.items() for p in paths])
def test_the_first_pages_are_whole(role: str, path: str) -> None:
    answer = signed_in(make_user(role=role)).get(path)
    assert answer.status_code == 200
    page = page_of(answer)
    assert page.text("title").endswith("– Lessonadmin")
    assert not page.text("title").startswith("Error")


@pytest.mark.parametrize("role", FIRST_PAGES)
def test_the_navigation_shows_only_what_opens(role: str) -> None:
    browser = signed_in(make_user(role=role))
    page = page_of(browser.get("/account"))
    links = links_of(page)
    assert ("/admin/" in links) == (role in ("support", "admin"))
    assert ("/lessons" in links) == (role != "student")
    assert "/catalog" in links
    for link in links:
        assert browser.get(link).status_code == 200, link


def test_the_page_where_one_stands_is_marked() -> None:
    page = page_of(signed_in(make_user()).get("/lessons"))
    current = [attrs["href"] for attrs in page.all("a") if attrs.get("aria-current") == "page"]
    assert set(current) == {"/lessons"}


@pytest.mark.parametrize(("path", "current"), [("/catalog", "/catalog"), ("/catalog/mine", "/catalog/mine")])
def test_what_a_student_bought_is_a_main_entry(path: str, current: str) -> None:
    page = page_of(signed_in(make_user(role="student")).get(path))
    assert links_of(page) >= {"/catalog", "/catalog/mine"}
    in_bar = [one["href"] for one in page.all("a", **{"class": "bar__link"}) if one.get("aria-current")]
    assert in_bar == [current]


def test_only_students_have_a_page_of_what_they_bought() -> None:
    browser = signed_in(make_user())
    assert "/catalog/mine" not in links_of(page_of(browser.get("/catalog")))
    assert browser.get("/catalog/mine").location == "/catalog"


@pytest.mark.parametrize("path", ["/admin/", "/admin/lesson/", "/admin/doctor/"])
def test_the_panel_has_one_navigation_and_one_search_of_everything(path: str) -> None:
    page = page_of(signed_in(make_user(role="support")).get(path))
    assert page.all("a", **{"class": "bar__link"}) == []
    sections = [one for one in page.all("a", **{"class": "side__link"}) if one.get("aria-current")]
    assert [one["href"] for one in sections] == [path] * 2, (
        "beside the page, and in the menu of small screens"
    )
    assert len(page.all("input", name="q")) == 1
    assert len(page.all("input", type="search")) == (2 if path == "/admin/lesson/" else 1)
    assert {"/lessons", "/courses", "/catalog"} <= {
        one["href"] for one in page.all("a", **{"class": "side__link"})
    }


def test_strangers_see_no_navigation(client: FlaskClient) -> None:
    page = page_of(client.get("/login"))
    assert page.all("nav") == []
    assert page.csrf


def test_a_keyboard_reaches_the_content_first() -> None:
    page = page_of(signed_in(make_user()).get("/lessons"))
    first = next(attrs for tag, attrs in page.elements if tag in ("a", "button", "input"))
    assert first["href"] == "#main"
    assert page.one("main")["id"] == "main"


def notice(user: User, *, read: bool = False) -> None:
    keep(
        Notification(
            user_id=user.id,
            kind="lesson_published",
            message="Out.",
            read_at=datetime.now(UTC) if read else None,
        )
    )


@pytest.mark.parametrize(("unread", "shown"), [(0, ""), (1, "1"), (120, "99+")])
def test_the_bell_counts_what_is_unread(unread: int, shown: str) -> None:
    user, other = make_user(), make_user()
    notice(user, read=True)
    notice(other)
    for _ in range(unread):
        notice(user)
    page = page_of(signed_in(user).get("/account"))
    if unread:
        assert f"Notifications, {unread} unread" in page.text()
        assert shown in page.text()
    else:
        assert "unread" not in page.text()


@pytest.mark.parametrize("name", ["<b>Ada</b>", '"><script>alert(1)</script>', "{{ 7 * 7 }}", "", "Ä" * 100])
def test_names_are_shown_as_they_are(name: str) -> None:
    page = page_of(signed_in(make_user(name=name)).get("/account"))
    assert "<b>Ada" not in page.html
    assert "alert(1)</script>" not in page.html
    assert " ".join((name or "@school.example").split()) in page.text()


def test_messages_are_escaped_and_shown_once(app: Flask) -> None:
    browser = signed_in(make_user())
    with app.test_request_context():
        flash("<img src=x> is out", "success")
        flash("This failed", "error")
        from flask import session

        flashes = session["_flashes"]
    with browser.session_transaction() as cookie:
        cookie["_flashes"] = flashes
    page = page_of(browser.get("/account"))
    assert "<img src=x> is out" in page.text()
    roles = [
        attrs.get("role") for attrs in page.all("div") if (attrs.get("class") or "").startswith("toast ")
    ]
    assert roles == ["status", "alert"]
    assert "is out" not in page_of(browser.get("/account")).text()


def test_a_first_page_asks_the_database_twice_at_most(app: Flask) -> None:
    browser = signed_in(make_user())
    browser.get("/notifications")
    with counted() as asked:
        browser.get("/notifications")
    assert len(asked) <= 3, asked
