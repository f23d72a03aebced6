"""What tests do again and again in a lesson's page, said once."""

import hashlib
import re

from playwright.sync_api import Locator, Page, expect

from tests.browser.stack import Stack

EDIT = re.compile(r"/lessons/[0-9a-f-]{36}/edit$")
SMALL_PARTS = "document.querySelector('mux-uploader').setAttribute('chunk-size', '256')"
PART = 256 * 1024


def write(page: Page, title: str = "Bread, slowly", price: str = "9.99") -> None:
    """A new lesson, typed and not saved."""
    page.goto("/lessons/new")
    page.get_by_label("Title").fill(title)
    page.get_by_label("Description").fill("A starter and one good loaf.")
    page.get_by_label("Price").fill(price)


def choose(page: Page, path: str) -> None:
    """A file, by the real uploader's own input."""
    page.locator("mux-uploader input[type=file]").set_input_files(path)


def choose_in_parts(page: Page, path: str) -> None:
    """The same, sent in the smallest parts that the protocol has, so that there is something to interrupt."""
    page.locator("mux-uploader input[type=file]").wait_for(state="attached")
    page.evaluate(SMALL_PARTS)
    choose(page, path)


def drop(page: Page, script: str) -> None:
    """Drag and drop onto the drop zone; `script` fills the DataTransfer `data`."""
    page.locator("mux-uploader input[type=file]").wait_for(state="attached")
    page.evaluate(
        "(fill) => { const data = new DataTransfer(); new Function('data', fill)(data);"
        " const zone = document.querySelector('mux-uploader').shadowRoot.querySelector('mux-uploader-drop');"
        " zone.dispatchEvent(new DragEvent('drop',"
        " {dataTransfer: data, bubbles: true, composed: true, cancelable: true})); }",
        script,
    )


def published(page: Page) -> None:
    expect(page.get_by_test_id("lesson-status")).to_have_text("Published")
    expect(page.get_by_test_id("video-status")).to_have_text("Ready")


def tab_to(page: Page, wanted: Locator, *, most: int = 60) -> None:
    """From where the focus is, by Tab alone."""
    wanted.wait_for()
    for _ in range(most):
        page.keyboard.press("Tab")
        if wanted.evaluate("element => element === document.activeElement"):
            return
    raise AssertionError(f"{wanted} is not reached by {most} times Tab")


def lesson_id(page: Page) -> str:
    expect(page).to_have_url(EDIT)
    return page.url.split("/")[-2]


def arrived(stack: Stack, lesson: str) -> str:
    """The fingerprint of the file that Mux got for the lesson's newest upload."""
    ((upload_id,),) = stack.sql(
        "SELECT upload_id FROM mux_asset_tracking WHERE lesson_id = %s ORDER BY created_at DESC LIMIT 1",
        lesson,
    )
    asset_id = stack.mux.upload(upload_id)["asset_id"]
    return hashlib.sha256((stack.simulator.core.assets.media(asset_id) / "source").read_bytes()).hexdigest()


def fingerprint(path: str) -> str:
    with open(path, "rb") as file:  # noqa: PTH123 - a plain path
        return hashlib.sha256(file.read()).hexdigest()


def puts(stack: Stack) -> int:
    """How many parts have reached Mux, or tried to."""
    return len(stack.mux.calls(target="upload", operation="put"))
