"""Signed out by half an hour without a hand at the page, and signed in with a password that an admin made."""

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.school import School
from tests.browser.stack import PASSWORD, Person, Stack, Visitor

NEW = "bread and butter on Sundays"


def sign_in(page: Page, person: Person) -> None:
    page.get_by_label("E-mail address").fill(person.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def test_an_open_page_does_not_prolong_the_session_says_so_and_loses_nothing(
    stack: Stack, visit: Visitor, instructor: Person
) -> None:
    support = stack.person("support", "Sam Support")
    lesson = School(stack, instructor).on_its_way("Rye", "processing", mux_asset_id="asset-slow")
    page = visit(support)
    page.goto(f"/lessons/{lesson}/edit")
    with page.expect_response("**/unsaved-changes"):  # typing does prolong it
        page.get_by_label("Title").fill("Rye, slowly")
    stack.sql(
        "UPDATE user_sessions SET last_seen_at = now() - interval '29 minutes 57 seconds' WHERE user_id = %s",
        support.id,
    )
    # the page asks every second or two; it is the session's end that comes, not another half hour
    expect(page.get_by_text("You are signed out.")).to_be_visible(timeout=15_000)
    expect(page.get_by_label("Title")).to_have_value("Rye, slowly")
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Sign in in a new tab").click()
    sign_in(opened.value, support)
    expect(opened.value).to_have_url(re.compile(f"/lessons/{lesson}/edit$"))
    expect(page.get_by_label("Title")).to_have_value("Rye, slowly")


def test_a_temporary_password_leads_to_ones_own_and_on_to_where_one_wanted(
    stack: Stack, visit: Visitor, instructor: Person, accessible: Callable[[Page], None]
) -> None:
    stack.sql(
        "UPDATE users SET password_temporary_until = now() + interval '1 day' WHERE id = %s", instructor.id
    )
    page = visit(None)
    page.goto("/lessons?q=bread")
    sign_in(page, instructor)
    expect(page.get_by_role("heading", level=1)).to_have_text("Choose your own password")
    accessible(page)
    page.goto("/courses")
    expect(page.get_by_role("heading", level=1)).to_have_text("Choose your own password")
    page.goto("/lessons?q=bread")
    page.get_by_label("Temporary password").fill(PASSWORD)
    page.get_by_label("Your own password", exact=True).fill(NEW)
    page.get_by_label("Your own password again").fill(NEW)
    page.get_by_role("button", name="Set the password").click()
    expect(page).to_have_url(re.compile(r"/lessons\?q=bread$"))
    expect(page.get_by_text("Your password is changed.")).to_be_visible()
