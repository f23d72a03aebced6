"""A draft is looked at as students will see it, and shown to a person without an account for a day, at both sizes of screen."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.school import School
from tests.browser.stack import Person, Stack, Visitor
from tests.browser.test_videos import Good


@pytest.mark.parametrize("width", [1280, 390])
def test_a_draft_is_previewed_and_shown_by_a_link_until_it_is_ended(
    visit: Visitor, instructor: Person, school: School, stack: Stack, accessible: Good, width: int
) -> None:
    lesson = school.lesson("Wet in wet", price=900, real=True, status="draft", published_at=None)
    page: Page = visit(instructor, width=width, dark=width < 1000)
    page.goto(f"/lessons/{lesson}/edit")
    page.get_by_role("link", name="Preview", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(rf"/lessons/{lesson}/preview$"))
    expect(page.get_by_text("students do not see it now")).to_be_visible()
    expect(page.locator("mux-player")).to_be_visible()
    accessible(page)
    page.get_by_role("link", name="Show what a student sees who has not bought it").click()
    expect(page.get_by_role("button", name="Buy this lesson")).to_be_disabled()
    expect(page.locator("mux-player")).to_have_count(0)
    accessible(page)

    page.get_by_role("button", name="Create a preview link").focus()
    page.keyboard.press("Enter")
    address = page.get_by_test_id("preview-link").inner_text()
    accessible(page)
    stranger = visit(None, width=width, dark=width < 1000, errors=True)
    stranger.goto(address)
    expect(stranger.get_by_role("heading", level=1)).to_have_text("Wet in wet")
    expect(stranger.locator("mux-player")).to_be_visible()
    stack.until(lambda: stranger.locator("mux-player").evaluate("player => player.readyState >= 1"))
    accessible(stranger)
    assert stack.sql("SELECT status FROM lessons WHERE id = %s", lesson) == [("draft",)]

    page.goto(f"/lessons/{lesson}/preview")
    page.get_by_role("button", name="End the preview link").click()
    expect(page.get_by_text("The link shows nothing any more.")).to_be_visible()
    stranger.reload()
    expect(stranger.get_by_role("heading", level=1)).to_have_text("This preview has ended")
    accessible(stranger)
