"""The panel's lists in Chromium: filter, choose, be asked, act; with and without a script, under the strict policy."""

from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from lessonadmin import config, create_app
from lessonadmin.db import db
from tests.admin.example_views import LIST, add_to
from tests.chromium import alive
from tests.factories import make_lesson, make_user
from tests.shell.conftest import serving

Good = Callable[[Page], None]
Window = Callable[..., Page]


@pytest.fixture(scope="module")
def panel(settings_environment: dict[str, str], app: Flask) -> Iterator[str]:
    """The address of a product whose panel also has the tests' own views."""
    before = config.current()
    application = create_app(config.load(settings_environment))
    add_to(application)
    with serving(application) as address:
        yield address
    with application.app_context():
        db.engine.dispose()
    config.use(before)


@pytest.fixture
def lessons(app: Flask) -> None:
    instructor = make_user(name="Ada")
    for number in range(23):
        state = "published" if number % 3 == 0 else "draft"
        make_lesson(creator=instructor, title=f"Lesson {number:02}", price_cents=number * 100, status=state)


def open_list(window: Window, panel: str, query: str = "", *, script: bool = True) -> Page:
    page = window(at=panel, signed_in="support", script=script)
    page.goto(LIST + query)
    if script:
        alive(page)
    return page


@pytest.mark.parametrize("query", ["", "?search=lesson&flt0_status_equals=draft", "?search=nothing"])
def test_a_list_is_accessible_and_fits(
    window: Window, panel: str, lessons: None, accessible: Good, query: str
) -> None:
    accessible(open_list(window, panel, query))


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_filters_are_chosen_and_taken_away(window: Window, panel: str, lessons: None, script: bool) -> None:
    page = open_list(window, panel, script=script)
    page.get_by_role("button", name="Filter").click()
    page.get_by_label("Status: value").locator("visible=true").select_option("published")
    page.get_by_label("Price Cents: how to compare").select_option("greater than")
    page.get_by_label("Price Cents: value").locator("visible=true").fill("1000")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url("**flt0_status_equals=published&flt1_price_cents_greater_than=1000")
    expect(page.locator("tbody tr")).to_have_count(4)
    page.get_by_role("link", name="Remove the filter Price Cents greater than 1000").click()
    expect(page.locator("tbody tr")).to_have_count(8)


def test_the_input_fits_the_comparison(window: Window, panel: str) -> None:
    make_lesson()
    page = open_list(window, panel)
    page.get_by_role("button", name="Filter").click()
    page.get_by_label("Created At: how to compare").select_option("between")
    value = page.get_by_label("Created At: value").locator("visible=true")
    expect(value).to_have_count(1)
    expect(value).to_have_attribute("placeholder", "2026-01-01 to 2026-01-31")


def test_an_action_asks_names_what_is_chosen_and_runs_once_agreed(
    window: Window, panel: str, lessons: None, axe: Callable[[Page], list[str]]
) -> None:
    page = open_list(window, panel)
    page.get_by_role("button", name="Clear", exact=True).click()
    expect(page.get_by_text("Select at least one row first.")).to_be_visible()
    page.get_by_label("Select Lesson 22").check()
    page.get_by_label("Select Lesson 07").check()
    expect(page.get_by_text("2 selected")).to_be_visible()
    page.get_by_role("button", name="Clear", exact=True).click()
    question = page.get_by_role("dialog")
    expect(question.get_by_role("heading")).to_have_text("Clear: 2 selected")
    expect(question).to_contain_text("The videos go.")
    assert axe(page) == []
    question.get_by_role("button", name="Cancel").click()
    expect(question).to_be_hidden()
    page.get_by_role("button", name="Clear", exact=True).click()
    question.get_by_role("button", name="Clear").click()
    page.wait_for_url("**/cleared/2")


def test_an_action_without_a_question_runs_at_once_also_without_a_script(
    window: Window, panel: str, lessons: None
) -> None:
    for script in (True, False):
        page = open_list(window, panel, script=script)
        page.get_by_label("Select Lesson 22").check()
        page.get_by_role("button", name="Publish").click()
        page.wait_for_url("**/published/1?scope=None*")


def test_all_rows_that_match_can_be_chosen(window: Window, panel: str, lessons: None) -> None:
    page = open_list(window, panel, "?page_size=20&flt0_price_cents_greater_than=100")
    page.get_by_label("Select all 21").check()
    page.get_by_role("button", name="Publish").click()
    page.wait_for_url("**/published/0?scope=filter&page_size=20&flt0_price_cents_greater_than=100")


def test_the_box_in_the_head_ticks_the_page(window: Window, panel: str, lessons: None) -> None:
    page = open_list(window, panel, "?page_size=20")
    head = page.get_by_label("Select all rows of this page")
    head.check()
    expect(page.get_by_text("20 selected")).to_be_visible()
    page.get_by_label("Select Lesson 22").uncheck()
    assert head.evaluate("box => box.indeterminate")
    head.check()
    head.uncheck()
    expect(page.get_by_text("Select rows to act on")).to_be_visible()
