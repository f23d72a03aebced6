"""Nothing unfinished goes out: a lesson that is begun with its video, and a page with unsaved changes."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Dialog, Page, expect

from tests.browser.school import School
from tests.browser.stack import Person, Stack, Visitor
from tests.browser.steps import choose, lesson_id, published, write

Film = Callable[..., str]
Good = Callable[[Page], None]
UNSAVED = "Unsaved changes"
HELD = "Not published while you have unsaved changes. Save to publish."
STATE = "SELECT status, publish_on_ready, is_unsaved FROM lessons WHERE id = %s"


def is_ready(stack: Stack, lesson: str) -> bool:
    query = "SELECT 1 FROM lessons WHERE id = %s AND video_processing_status = 'ready'"
    return bool(stack.sql(query, lesson))


def holds(stack: Stack, lesson: str) -> int:
    return len(stack.sql("SELECT 1 FROM editing_holds WHERE lesson_id = %s", lesson))


def test_a_video_that_is_ready_before_the_title_is_typed_publishes_nothing(
    page: Page, visit: Visitor, stack: Stack, film: Film, accessible: Good
) -> None:
    page.goto("/lessons/new")
    expect(page.get_by_label("Title")).to_be_focused()
    choose(page, film(name="sample.mp4"))
    lesson = lesson_id(page)
    page.get_by_label("Title").fill("Paid masterclass")
    stack.until(lambda: is_ready(stack, lesson))
    page.get_by_label("Price").fill("199")
    expect(page.get_by_test_id("video-status")).to_have_text("Ready")
    expect(page.get_by_text(UNSAVED, exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="Save and publish", exact=True)).to_be_visible()
    accessible(page)
    assert stack.sql(STATE, lesson) == [("draft", False, True)]
    student = visit(stack.person("student"))
    student.goto("/catalog?q=masterclass")
    expect(student.get_by_role("link", name="Paid masterclass")).to_have_count(0)
    page.get_by_role("button", name="Save and publish", exact=True).click()
    published(page)
    expect(page.get_by_text(UNSAVED, exact=True)).to_be_hidden()
    assert stack.sql("SELECT title, price_cents FROM lessons WHERE id = %s", lesson) == [
        ("Paid masterclass", 19_900)
    ]
    student.reload()
    expect(student.get_by_role("link", name="Paid masterclass")).to_be_visible()


def test_a_lesson_begun_by_a_video_says_what_is_missing_when_it_is_saved(
    page: Page, stack: Stack, film: Film
) -> None:
    page.goto("/lessons/new")
    choose(page, film(name="sample.mp4"))
    lesson = lesson_id(page)
    stack.until(lambda: is_ready(stack, lesson))
    page.get_by_role("button", name="Save and publish").click()
    alert = page.get_by_role("alert").filter(has_text="Enter a title")
    expect(alert).to_contain_text("Enter a price, or choose “Free”.")
    page.get_by_label("Title").fill("Bread")
    page.get_by_label("Price").fill("9")
    page.get_by_label("Free").check()
    expect(page.get_by_label("Price")).to_have_value("")
    page.get_by_label("Keep as draft").check()
    page.get_by_role("button", name="Save draft").click()
    expect(page.locator("[data-saved]")).to_have_text("Saved.")
    assert stack.sql(STATE, lesson) == [("draft", False, False)]
    page.get_by_label("Publish when you save").check()
    page.get_by_role("button", name="Save and publish", exact=True).click()
    published(page)


def test_publication_waits_for_unsaved_changes_and_comes_with_saving(
    page: Page, stack: Stack, film: Film
) -> None:
    stack.mux.hold_processing()
    write(page)
    choose(page, film())
    lesson = lesson_id(page)
    expect(page.get_by_test_id("video-status")).to_contain_text("Processing")
    expect(page.get_by_text(UNSAVED, exact=True)).to_be_hidden()
    page.get_by_label("Description").press_sequentially("More to come")
    expect(page.get_by_text(HELD)).to_be_visible()
    stack.until(lambda: holds(stack, lesson) == 1)
    stack.mux.hold_processing(False)
    expect(page.get_by_test_id("video-status")).to_have_text("Ready")
    expect(page.locator("#publication")).to_contain_text("when its unsaved changes are saved or discarded")
    assert stack.sql(STATE, lesson) == [("draft", True, False)]
    asked: list[Dialog] = []
    page.on("dialog", lambda dialog: (asked.append(dialog), dialog.dismiss()))
    page.evaluate("location.assign('/lessons')")
    stack.until(lambda: bool(asked))
    assert asked[0].type == "beforeunload"
    page.get_by_role("button", name="Save and publish", exact=True).click()
    published(page)
    assert holds(stack, lesson) == 0
    page.goto("/lessons")
    assert len(asked) == 1


@pytest.mark.parametrize("left", ["with a word", "without a word"])
def test_a_page_that_is_left_publishes_its_lesson_without_the_changes(
    visit: Visitor, stack: Stack, instructor: Person, left: str
) -> None:
    """A closed tab says so; of a closed laptop the clock finds the hold when it has expired."""
    lesson = School(stack, instructor).lesson(
        "Rye", real=True, status="draft", published_at=None, publish_on_ready=True
    )
    page = visit(instructor, errors=True)
    page.goto(f"/lessons/{lesson}/edit")
    page.get_by_label("Title").press_sequentially(", never saved")
    stack.until(lambda: holds(stack, lesson) == 1)
    if left == "with a word":
        page.on("dialog", lambda dialog: dialog.accept())
        page.goto("/lessons")
    else:
        page.context.set_offline(True)
        assert stack.sql(STATE, lesson) == [("draft", True, False)]
        stack.sql("UPDATE editing_holds SET expires_at = now() WHERE lesson_id = %s", lesson)
        stack.sql("UPDATE lessons SET held_until = now() WHERE id = %s", lesson)
    stack.until(lambda: stack.sql(STATE, lesson) == [("published", False, False)])
    title = "SELECT title FROM lessons WHERE id = %s"
    assert stack.sql(title, lesson) == [("Rye",)]
    told = "SELECT kind FROM notifications WHERE lesson_id = %s"
    assert stack.sql(told, lesson) == [("lesson_published",)]
    assert holds(stack, lesson) == 0
