"""The menu of saved filters over HTTP: saved under a name, found again, and honest about what a list knows no more."""

from urllib.parse import parse_qsl

import pytest
from flask import Flask
from flask.testing import FlaskClient

from lessonadmin.admin.framework import saved_filters as menu
from lessonadmin.domain.models import SavedFilter, User
from tests.admin.samples import titles
from tests.factories import keep, make_lesson, make_user, signed_in
from tests.pages import Page, csrf_of, page_of

LIST = "/admin/lesson/"
POST = f"{LIST}saved-filters/"


@pytest.fixture
def sam(app: Flask) -> User:
    return make_user(role="support")


@pytest.fixture
def browser(sam: User) -> FlaskClient:
    return signed_in(sam)


def send(browser: FlaskClient, do: str, **fields: object) -> Page:
    """Post as the menu does; the list that it leads back to."""
    data = {"csrf_token": csrf_of(browser, "/account"), "do": do, **fields}
    answer = browser.post(POST, data=data)
    assert answer.status_code == 302
    return page_of(browser.get(answer.location))


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        ("flt0_state_is=draft&flt1_owner_is=a%40b.c&sort=2&desc=1&page=3&page_size=20&after=x", "flt0_state_is=draft&flt1_owner_is=a%40b.c"),
        ("?view=stuck&search=rye&bogus=1", "view=stuck&search=rye"),
        ("sort=2&search=", ""),
        ("", ""),
    ],
)  # fmt: skip
def test_what_narrows_the_list_is_kept_and_nothing_else(query: str, kept: str) -> None:
    assert menu.narrowing(query) == kept


def test_a_filter_is_saved_and_leads_to_the_same_rows(browser: FlaskClient) -> None:
    make_lesson(title="Draft", status="draft")
    make_lesson(title="Out", status="published")
    address = f"{LIST}?flt0_state_is=draft&sort=0"
    page = page_of(browser.get(address))
    assert page.one("input", id="saved-name")["maxlength"] == "60"
    query = page.all("input", name="query", value="flt0_state_is=draft")
    assert len(query) == 1
    page = send(browser, "save", name="Late drafts", query="flt0_state_is=draft&sort=0", url=address)
    assert "The filter is saved." in page.text()
    assert "The list shows “Late drafts”." in page.text()
    assert page.all("input", id="saved-name") == []
    link = page.one("a", href=f"{LIST}?flt0_state_is=draft", **{"aria-current": "page"})
    assert titles(browser, link["href"] or "") == ["Draft"]
    assert page.faults() == []


def test_the_same_filter_in_another_order_is_the_current_one(sam: User, browser: FlaskClient) -> None:
    keep(
        SavedFilter(
            user_id=sam.id, list_slug="lesson", name="Mine", query="flt0_state_is=draft&flt1_stuck_is=no"
        )
    )
    here = "The list shows “Mine”."
    assert here in page_of(browser.get(f"{LIST}?flt0_stuck_is=no&flt1_state_is=draft&page_size=20")).text()
    assert here not in page_of(browser.get(f"{LIST}?flt0_state_is=draft")).text()
    assert here not in page_of(browser.get(LIST)).text()


def test_it_is_renamed_and_removed(sam: User, browser: FlaskClient) -> None:
    kept = keep(SavedFilter(user_id=sam.id, list_slug="lesson", name="Late", query="view=stuck"))
    page = send(browser, "rename", id=kept.id, name="Too late")
    assert "The filter is renamed." in page.text()
    assert "Too late" in page.text("li")
    page = send(browser, "remove", id=kept.id, name="")
    assert "The saved filter is removed." in page.text()
    assert "Saved filters" not in page.text()


@pytest.mark.parametrize(
    ("do", "fields", "words"),
    [
        ("save", {"name": "", "query": "view=stuck"}, "Give the filter a name"),
        ("save", {"name": "Late", "query": "view=stuck"}, "You have a saved filter “Late”"),
        ("save", {"name": "All", "query": "sort=1"}, "This list is not filtered."),
        ("rename", {"name": " "}, "Give the filter a name"),
    ],
)
def test_what_is_wrong_is_said(
    sam: User, browser: FlaskClient, do: str, fields: dict[str, str], words: str
) -> None:
    kept = keep(SavedFilter(user_id=sam.id, list_slug="lesson", name="Late", query="view=stuck"))
    assert words in send(browser, do, id=kept.id, **fields).text()


def test_others_neither_see_nor_change_it(sam: User) -> None:
    kept = keep(SavedFilter(user_id=sam.id, list_slug="lesson", name="Only mine", query="view=stuck"))
    other = signed_in(make_user(role="admin"))
    assert "Only mine" not in page_of(other.get(f"{LIST}?view=stuck")).text()
    token = csrf_of(other, "/account")
    for do in ("rename", "remove", "nonsense", ""):
        answer = other.post(POST, data={"csrf_token": token, "do": do, "id": str(kept.id), "name": "x"})
        assert answer.status_code == 404, do


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("flt0_colour_is=blue&flt1_state_is=draft", "This list has no filter “colour_is”, so it is left out."),
        ("view=of-tomorrow&flt0_state_is=draft", "This list has no view “of-tomorrow”, so it is left out."),
        ("flt0_video_is=purple&flt1_state_is=draft", "The filter “Video” does not understand “purple” and is left out."),
    ],
)  # fmt: skip
def test_what_a_list_does_not_know_any_more_is_said_when_the_filter_is_used(
    sam: User, browser: FlaskClient, query: str, words: str
) -> None:
    make_lesson(title="Draft", status="draft")
    make_lesson(title="Out", status="published")
    keep(SavedFilter(user_id=sam.id, list_slug="lesson", name="Old", query=query))
    links = [one["href"] or "" for one in page_of(browser.get(LIST)).all("a")]
    (address,) = [one for one in links if parse_qsl(one.partition("?")[2]) == parse_qsl(query)]
    page = page_of(browser.get(address))
    assert page.text().count(words) == 1
    assert titles(browser, address) == ["Draft"]
