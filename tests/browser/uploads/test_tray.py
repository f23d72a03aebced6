"""Many files at once: each becomes a lesson, two are sent at a time, and what happens to one stops no other."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser import tray
from tests.browser.school import School
from tests.browser.stack import Person, Stack, Visitor
from tests.browser.uploads.test_upload import LONG

Film = tray.Film
Good = Callable[[Page], None]
NAMES = ["10 Glazing.mp4", "2 Washes.mp4", "1_Paper and brushes.mp4", "3 Skies.mp4", "4 Water.mp4"]
IN_ORDER = ["1 Paper and brushes", "2 Washes", "3 Skies", "4 Water", "10 Glazing"]


@pytest.fixture
def errors(visit: Visitor, instructor: Person) -> Page:
    """A page whose requests may fail, and that is left although it warns."""
    found = visit(instructor, errors=True)
    found.on("dialog", lambda dialog: dialog.accept())
    return found


def test_six_files_of_which_one_is_none_are_published_in_their_order(
    page: Page, film: Film, stack: Stack, school: School, course: str, instructor: Person, accessible: Good
) -> None:
    school.lesson("Already there", course=course, position=1)
    page.goto(f"/courses/{course}/edit")
    page.get_by_role("link", name="Upload many files").click()
    expect(page.get_by_text("Two are sent at a time")).to_be_visible()
    accessible(page)
    page.evaluate(tray.SMALL_PARTS)
    tray.hold(stack)
    tray.choose(page, [*tray.films(film, NAMES), film(b"words", name="notes.txt")])
    expect(page.locator(".tray__refused li")).to_have_text(re.compile("“notes.txt” cannot be used"))
    tray.all_in(page, "sending", 2)
    tray.all_in(page, "waiting", 3)
    expect(page.locator("[data-part=said]")).to_have_text("5 files added, 1 not taken.")
    assert tray.titles(page) == IN_ORDER
    there = ["Already there", *IN_ORDER]
    stack.until(lambda: [title for title, *_ in tray.stored(stack, course, instructor.id)] == there)
    accessible(page)
    stack.mux.clear_faults()
    tray.all_in(page, "published", 5)
    expect(page.get_by_text("All 5 files are sent. You can close this page now.").first).to_be_visible()
    accessible(page)
    found = tray.stored(stack, course, instructor.id)[1:]
    assert found == [(title, "published", 0, False) for title in IN_ORDER]
    page.get_by_role("button", name="Dismiss", exact=True).click()
    expect(page.get_by_text("Not taken")).to_be_hidden()
    page.reload()
    expect(page.get_by_role("heading", name="Lessons")).to_be_hidden()


def test_paused_cancelled_and_tried_again(errors: Page, film: Film, stack: Stack, instructor: Person) -> None:
    page = errors
    tray.opened(page)
    tray.hold(stack, 2)
    tray.choose(page, tray.films(film, ["a.mp4", "b.mp4", "c.mp4"], data=LONG))
    expect(tray.row(page, "a").locator("[data-figure]")).to_have_text("49 %")
    tray.press(page, "a", "Pause")
    stack.mux.clear_faults()
    tray.all_in(page, "paused", 1)
    tray.all_in(page, "published", 2)
    stack.mux.fault("upload", "status", match={"operation": "put"}, times=1, status=404)
    tray.press(page, "a", "Continue")
    expect(tray.row(page, "a")).to_contain_text("Mux has ended this upload")
    tray.hold(stack, 1)
    tray.press(page, "a", "Try again")
    expect(tray.row(page, "a").locator("[data-figure]")).to_have_text("33 %")
    tray.press(page, "a", "Cancel")
    page.get_by_role("dialog").get_by_role("button", name="Keep uploading").click()
    tray.press(page, "a", "Cancel")
    page.get_by_role("dialog").get_by_role("button", name="Cancel the upload").click()
    expect(tray.row(page, "a")).to_contain_text("is in the trash")
    stack.mux.clear_faults()
    stack.until(lambda: stack.mux.uploads()[0]["status"] == "cancelled")
    assert [title for title, *_ in tray.stored(stack, None, instructor.id)] == ["b", "c"]
    tray.press(page, "a", "Undo")
    tray.all_in(page, "published", 3)
    assert len(tray.stored(stack, None, instructor.id)) == 3


def test_cancelled_while_it_asks_for_its_address(page: Page, film: Film, stack: Stack) -> None:
    """The lesson goes to the trash after the answer: a request for a lesson that is gone would be an error in the console."""
    held: list[Route] = []
    answered: list[str] = []
    page.on(
        "response", lambda answer: answered.append(f"{answer.request.method} {answer.url.split('/')[-2]}")
    )
    tray.opened(page)
    page.route("**/api/mux/upload-url", lambda route: held.append(route))
    tray.choose(page, tray.films(film, ["a.mp4"]))
    tray.all_in(page, "sending", 1)
    stack.until(lambda: page.evaluate("1") and held)
    answered.clear()
    tray.press(page, "a", "Cancel")
    expect(tray.row(page, "a")).to_contain_text("Being cancelled…")
    held.pop().continue_()
    expect(tray.row(page, "a")).to_contain_text("is in the trash")
    assert [one for one in answered if one in ("POST mux", "DELETE lessons")] == [
        "POST mux",
        "DELETE lessons",
    ]
    stack.until(lambda: stack.mux.uploads()[0]["status"] == "cancelled")


def test_leaving_is_guarded_only_while_something_is_sent(page: Page, film: Film, stack: Stack) -> None:
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    tray.opened(page)
    page.mouse.click(5, 400)
    tray.hold(stack)
    tray.choose(page, tray.films(film, ["a.mp4"]))
    tray.all_in(page, "sending", 1)
    page.evaluate("setTimeout(() => location.reload(), 0)")
    stack.until(lambda: page.evaluate("1") and asked == ["beforeunload"])
    stack.mux.clear_faults()
    tray.all_in(page, "published", 1)
    page.reload()
    assert asked == ["beforeunload"]
