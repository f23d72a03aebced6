"""The page for many files, as tests use it: dropping, rows by their titles, and what they wait for."""

import re
from collections.abc import Callable, Iterable

from playwright.sync_api import Locator, Page, expect

from muxsim.videos.sample import SAMPLE_VIDEO
from tests.browser.stack import Stack

Film = Callable[..., str]
SMALL_PARTS = "document.querySelector('.tray').dataset.partKib = '256'"
PART = 256 * 1024


def films(film: Film, names: Iterable[str], *, data: bytes = SAMPLE_VIDEO) -> list[str]:
    """Files that differ, each by a box that players pass over, so that none is taken for another."""
    return [film(data + free_box(name.encode()), name=name) for name in names]


def free_box(content: bytes) -> bytes:
    return (len(content) + 8).to_bytes(4, "big") + b"free" + content


def opened(page: Page, course: str = "", *, price: str = "0") -> None:
    """`price`: of whatever is dropped next."""
    page.goto(f"/courses/{course}/upload" if course else "/lessons/upload")
    expect(page.get_by_role("button", name="Choose video files")).to_be_visible()
    page.evaluate(SMALL_PARTS)
    page.get_by_role("group", name="For all files").get_by_label("Price").fill(price)


def choose(page: Page, paths: Iterable[str]) -> None:
    page.locator("[data-part=files]").set_input_files(list(paths))


def choose_again(page: Page, paths: Iterable[str]) -> None:
    page.evaluate(SMALL_PARTS)
    page.locator("[data-part=same]").set_input_files(list(paths))


def rows(page: Page) -> Locator:
    return page.locator(".tray__row:visible")


def row(page: Page, title: str) -> Locator:
    return page.locator(f'.tray__row[data-title="{title}"]')


def press(page: Page, title: str, name: str) -> None:
    row(page, title).get_by_role("button", name=re.compile(f"^{name}")).click()


def titles(page: Page) -> list[str]:
    return [str(one.get_attribute("data-title")) for one in rows(page).all()]


def all_in(page: Page, state: str, count: int) -> None:
    expect(page.locator(f'.tray__row[data-state="{state}"]')).to_have_count(count)


def hold(stack: Stack, part: int = 0) -> None:
    """Every upload stands still in this part until the faults are cleared."""
    stack.mux.fault("upload", "slow", match={"operation": "put", "chunk": part}, seconds=100)


def stored(stack: Stack, course: str | None, creator: object) -> list[tuple[object, ...]]:
    """Title, status, price and what was meant, in the order of the course."""
    return stack.sql(
        "SELECT title, status, price_cents, publish_on_ready FROM lessons WHERE course_id IS NOT DISTINCT FROM %s"
        " AND creator_id = %s AND deleted_at IS NULL ORDER BY position, id",
        course,
        creator,
    )
