"""What a teacher lives through, from the first word to the published lesson. Nobody waits and nobody reloads."""

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.conftest import House, Person

EDIT = re.compile(r"/lessons/[0-9a-f-]{36}/edit$")


def write(page: Page, title: str = "Bread, slowly", price: str = "9.99") -> None:
    page.goto("/lessons/new")
    page.get_by_label("Title").fill(title)
    page.get_by_label("Description").fill("A starter and one good loaf.")
    page.get_by_label("Price").fill(price)


def choose(page: Page, path: str) -> None:
    page.locator("mux-uploader input[type=file]").set_input_files(path)


def test_a_lesson_with_a_video_publishes_itself(
    page: Page, film: Callable[..., str], house: House
) -> None:
    write(page)
    house.mux.hold_processing()
    choose(page, film())
    expect(page).to_have_url(EDIT)
    expect(page.get_by_test_id("lesson-status")).to_have_text("Draft")
    expect(page.get_by_test_id("video-status")).to_contain_text("Processing")
    expect(page.get_by_test_id("video-progress")).to_be_visible()
    house.mux.hold_processing(False)
    expect(page.get_by_test_id("lesson-status")).to_have_text("Published")
    expect(page.get_by_test_id("video-status")).to_have_text("Ready")
    playback_id = page.get_by_test_id("mux-playback-id").inner_text()
    assert playback_id == house.mux.assets()[0]["playback_ids"][0]["id"]
    assert not playback_id.startswith("temp_")
    expect(page.locator("mux-player")).to_be_visible()
