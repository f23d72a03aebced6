"""Captions of a lesson's video: asked for on its page, followed without a reload, checked by a person, removed; by keyboard alone."""

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.school import School
from tests.browser.stack import Stack
from tests.browser.steps import published

Good = Callable[[Page], None]


def test_captions_are_made_checked_and_removed_on_the_page_of_a_lesson(
    page: Page, stack: Stack, school: School, accessible: Good
) -> None:
    lesson = school.lesson("Wet in wet", real=True)
    page.goto(f"/lessons/{lesson}/edit")
    published(page)
    captions = page.locator("#captions")
    expect(captions).to_contain_text("This video has no captions.")
    opener = captions.locator("summary", has_text="Make captions")
    opener.focus()
    page.keyboard.press("Enter")
    accessible(page)
    language = captions.get_by_label("Language that is spoken")
    page.keyboard.press("Tab")
    expect(language).to_be_focused()
    language.select_option("de")
    page.keyboard.press("Tab")
    expect(captions.get_by_role("button", name="Make captions")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Mux is asked to make captions.").first).to_be_visible()
    expect(captions).to_contain_text("Captions in German are in the player.", timeout=30_000)
    track = captions.get_by_role("listitem")
    expect(track).to_contain_text("made by Mux")
    [(asset,)] = stack.sql("SELECT mux_asset_id FROM lessons WHERE id = %s", lesson)
    at_mux = [one for one in stack.mux.asset(str(asset))["tracks"] if one["type"] == "text"]
    assert [(one["language_code"], one["status"]) for one in at_mux] == [("de", "ready")]
    check = captions.get_by_role("button", name="Mark as checked: captions in German")
    check.focus()
    page.keyboard.press("Enter")
    expect(track).to_contain_text(re.compile("checked by .+"))
    accessible(page)
    captions.get_by_role("button", name="Remove: captions in German").click()
    expect(captions).to_contain_text("This video has no captions.")
    expect(page.get_by_text("The captions are removed.").first).to_be_visible()
    stack.until(lambda: not [one for one in stack.mux.asset(str(asset))["tracks"] if one["type"] == "text"])
    page.goto("/lessons")
    expect(page.get_by_role("row", name=re.compile("Wet in wet"))).not_to_contain_text("Captions")
