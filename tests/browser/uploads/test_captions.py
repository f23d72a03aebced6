"""Captions of a lesson's video: asked for on its page, followed without a reload, checked by a person, removed; by keyboard alone."""

import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.school import School
from tests.browser.stack import Stack, Visitor
from tests.browser.steps import published, tab_to

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


def test_own_captions_are_checked_fetched_by_mux_and_take_the_place_of_those_it_made(
    page: Page, visit: Visitor, stack: Stack, school: School, accessible: Good, tmp_path: Path
) -> None:
    lesson = school.lesson("Wet in wet", real=True)
    page.goto(f"/lessons/{lesson}/edit")
    published(page)
    captions = page.locator("#captions")
    captions.locator("summary", has_text="Make captions").click()
    captions.get_by_label("Language that is spoken").select_option("de")
    captions.get_by_role("button", name="Make captions").click()
    expect(captions.get_by_role("listitem")).to_contain_text("made by Mux")
    expect(captions).to_contain_text("Captions in German are in the player.", timeout=30_000)

    wrong, right, film = tmp_path / "wrong.srt", tmp_path / "right.srt", tmp_path / "film.vtt"
    film.write_bytes(b"x" * 10_000_000)
    wrong.write_text("1\n00:00:04,000 --> 00:00:01,000\nGood morning.\n")
    right.write_bytes("1\n00:00:01,000 --> 00:00:04,000\nSchönen Morgen.\n".encode("cp1252"))
    captions.locator("summary", has_text="Add your own captions").focus()
    page.keyboard.press("Enter")
    accessible(page)
    captions.get_by_label("File").set_input_files(film)
    told = captions.get_by_label("File").evaluate("input => input.validationMessage")
    assert told == "The file has 10.0 MB; it may have 1 MB."
    captions.get_by_label("File").set_input_files(wrong)
    captions.get_by_label("Language", exact=True).select_option("de")
    captions.get_by_role("button", name="Add captions").click()
    expect(page.get_by_text("Line 2: the caption ends before it begins.").first).to_be_visible()
    captions.get_by_label("File").set_input_files(right)
    expect(captions.get_by_label("Language", exact=True)).to_have_value("de")
    captions.get_by_role("button", name="Add captions").click()
    expect(page.get_by_text("The captions are taken, and Mux fetches them.").first).to_be_visible()
    track = captions.get_by_role("listitem")
    expect(track).to_have_count(1, timeout=30_000)
    expect(track).to_contain_text("your own", timeout=30_000)
    expect(track).to_contain_text("read as Windows-1252")
    accessible(page)
    [(asset,)] = stack.sql("SELECT mux_asset_id FROM lessons WHERE id = %s", lesson)

    def at_mux() -> list[str]:
        return [one["status"] for one in stack.mux.asset(str(asset))["tracks"] if one["type"] == "text"]

    stack.until(lambda: at_mux() == ["ready"])

    page.goto(f"/catalog/{lesson}")
    line = page.get_by_role("button", name="Schönen Morgen.")
    tab_to(page, page.locator("summary", has_text="Transcript"))
    expect(line).to_be_hidden()
    page.keyboard.press("Enter")
    tab_to(page, line, most=2)  # the list scrolls, so a browser may stop at it
    accessible(page)
    page.keyboard.press("Enter")
    expect(line).to_have_attribute("aria-current", "true")
    page.wait_for_function("document.querySelector('mux-player').currentTime >= 1")
    for search in ("/catalog?q=schonen+morgen", "/catalog?q=schönen+morgen", "/lessons?q=morgen"):
        page.goto(search)
        expect(page.get_by_role("link", name="Wet in wet")).to_have_count(1)
    student = visit(stack.person("student"))
    for price, found in ((0, 1), (900, 0)):  # one who may not play it does not find it
        stack.sql("UPDATE lessons SET price_cents = %s WHERE id = %s", price, lesson)
        student.goto("/catalog?q=morgen")
        expect(student.get_by_role("searchbox", name="Search lessons")).to_have_value("morgen")
        expect(student.get_by_role("link", name="Wet in wet")).to_have_count(found)
