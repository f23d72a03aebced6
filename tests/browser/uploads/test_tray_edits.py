"""What is typed in the rows of many files while they are sent, their order, and what the page says when it cannot go on."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser import tray
from tests.browser.school import School
from tests.browser.stack import Person, Stack, Visitor

Film = tray.Film
Good = Callable[[Page], None]
NAMES = ["1 a.mp4", "2 b.mp4", "3 c.mp4"]


@pytest.fixture
def errors(visit: Visitor, instructor: Person) -> Page:
    """A page whose requests fail, which browsers write to their console."""
    found = visit(instructor, errors=True)
    found.on("dialog", lambda dialog: dialog.accept())
    return found


def standing_still(page: Page, film: Film, stack: Stack, course: str = "") -> None:
    tray.opened(page, course)
    tray.hold(stack)
    tray.choose(page, tray.films(film, NAMES))
    tray.all_in(page, "sending", 2)
    expect(page.locator(".tray__row [data-part=open]:visible")).to_have_count(3)


def typed(page: Page, title: str, field: str, value: str) -> None:
    tray.row(page, title).locator(f"[data-field={field}]").fill(value)
    page.keyboard.press("Tab")


def test_rows_are_edited_one_by_one_and_all_at_once(
    errors: Page, film: Film, stack: Stack, course: str, instructor: Person
) -> None:
    page = errors
    standing_still(page, film, stack, course)
    typed(page, "1 a", "title", "Paper")
    expect(tray.row(page, "Paper")).to_contain_text("Saved.")
    typed(page, "Paper", "price", "free of charge")
    expect(tray.row(page, "Paper")).to_contain_text("Not saved: Enter the price as 9.99, or 0")
    typed(page, "Paper", "price", "4,50")
    expect(tray.row(page, "Paper").locator("[data-part=edited]")).to_have_text(re.compile("Saved."))
    expect(tray.row(page, "Paper").locator("[data-field=captions]")).to_be_disabled()
    expect(tray.row(page, "Paper")).to_contain_text("Sending has begun.")
    tray.row(page, "3 c").locator("[data-field=captions]").select_option("de")
    tray.row(page, "2 b").locator("[data-field=publish]").uncheck()
    wanted = [("Paper", "draft", 450, True), ("2 b", "draft", 0, False), ("3 c", "draft", 0, True)]
    stack.until(lambda: tray.stored(stack, course, instructor.id) == wanted)
    for_all = page.locator("[data-part=all]")
    for_all.get_by_label("Price").fill("7.00")
    for_all.get_by_label("Publish when ready").uncheck()
    for_all.locator("[data-field=captions]").select_option("fr")
    for_all.get_by_role("button", name="Set for all lessons below").click()
    wanted = [(title, "draft", 700, False) for title in ("Paper", "2 b", "3 c")]
    stack.until(lambda: tray.stored(stack, course, instructor.id) == wanted)
    tray.row(page, "2 b").locator("[data-field=publish]").check()
    stack.until(lambda: tray.stored(stack, course, instructor.id)[1][3] is True)
    stack.mux.clear_faults()
    tray.all_in(page, "published", 1)
    tray.all_in(page, "ready", 2)
    asked = stack.sql(
        "SELECT l.title, t.caption_language FROM lessons l JOIN mux_asset_tracking t ON t.lesson_id = l.id"
        " WHERE l.course_id = %s ORDER BY l.position",
        course,
    )
    assert asked == [("Paper", None), ("2 b", None), ("3 c", "fr")]


def test_what_another_page_saved_is_not_written_over(
    errors: Page, film: Film, stack: Stack, course: str, instructor: Person
) -> None:
    page = errors
    standing_still(page, film, stack, course)
    stack.sql("UPDATE lessons SET price_cents = 300, version = version + 1 WHERE course_id = %s", course)
    typed(page, "1 a", "title", "Paper")
    expect(tray.row(page, "Paper")).to_contain_text("Saved.")
    expect(tray.row(page, "Paper").locator("[data-field=price]")).to_have_value("3.00")
    stack.sql(
        "UPDATE lessons SET title = 'Theirs', version = version + 1 WHERE title = '2 b' AND course_id = %s",
        course,
    )
    typed(page, "2 b", "title", "Mine")
    expect(tray.row(page, "Mine")).to_contain_text("the title is “Theirs” now. What you typed is still here.")
    assert "Theirs" in str(tray.stored(stack, course, instructor.id))
    tray.row(page, "Mine").get_by_role("button", name="Save mine").click()
    expect(tray.row(page, "Mine").locator("[data-part=edited]")).to_have_text(re.compile("Saved."))
    titles = [title for title, *_ in tray.stored(stack, course, instructor.id)]
    assert titles == ["Paper", "Mine", "3 c"]


def test_the_order_is_changed_by_keys_and_by_dragging(
    page: Page, film: Film, stack: Stack, school: School, course: str, instructor: Person
) -> None:
    school.lesson("Before", course=course, position=1)
    standing_still(page, film, stack, course)

    def order() -> list[object]:
        return [title for title, *_ in tray.stored(stack, course, instructor.id)]

    tray.row(page, "3 c").get_by_role("button", name="Move “3 c” up").focus()
    page.keyboard.press("Enter")
    stack.until(lambda: order() == ["Before", "1 a", "3 c", "2 b"])
    expect(page.locator("[data-announce]")).to_have_text("“3 c” is now number 2 of 3.")
    start = tray.row(page, "2 b").locator("[data-handle]").bounding_box()
    goal = tray.row(page, "1 a").bounding_box()
    assert start is not None
    assert goal is not None
    page.mouse.move(start["x"] + 5, start["y"] + 5)
    page.mouse.down()
    page.mouse.move(start["x"] + 5, start["y"] - 80, steps=8)
    page.mouse.move(start["x"] + 5, goal["y"] - 40, steps=12)
    page.mouse.up()
    stack.until(lambda: order() == ["Before", "2 b", "1 a", "3 c"])
    stack.mux.clear_faults()
    tray.all_in(page, "published", 3)


def test_on_a_phone_by_the_keyboard_alone(
    visit: Visitor, instructor: Person, film: Film, stack: Stack, course: str, accessible: Good
) -> None:
    page = visit(instructor, width=390, dark=True)
    begun: list[str] = []
    page.on("request", lambda request: begun.append(request.url) if request.method == "PUT" else None)
    page.on(
        "filechooser", lambda _: None
    )  # the browser hands dialogues over from now on, not from the press on
    tray.opened(page, course)
    tray.hold(stack, 0)
    pick = page.get_by_role("button", name="Choose video files")
    pick.focus()
    expect(pick).to_be_focused()
    with page.expect_file_chooser() as dialogue:
        page.keyboard.press("Enter")
    dialogue.value.set_files(tray.films(film, NAMES))
    tray.all_in(page, "sending", 2)
    waiting = tray.row(page, "3 c")
    price, captions = (waiting.get_by_label(name).bounding_box() for name in ("Price", "Captions"))
    assert price
    assert captions
    assert abs(price["y"] - captions["y"]) < 8, "beside each other, so that rows are low"
    title = tray.row(page, "1 a").get_by_label("Title")
    title.focus()
    page.keyboard.press("Control+A")
    page.keyboard.type("Paper")
    page.keyboard.press("Enter")
    stack.until(lambda: tray.stored(stack, course, instructor.id)[0][0] == "Paper")
    # what is paused before its first byte waits for a press; what is under way is sent to the end of its part
    stack.until(lambda: page.evaluate("1") and len(begun) == 2)
    tray.row(page, "2 b").get_by_role("button", name="Pause").focus()
    page.keyboard.press("Enter")
    expect(tray.row(page, "2 b").get_by_role("button", name="Cancel")).to_be_focused()
    tray.row(page, "3 c").get_by_role("button", name="Cancel").focus()
    page.keyboard.press("Enter")
    expect(tray.row(page, "3 c").get_by_role("button", name="Undo")).to_be_visible()
    accessible(page)
    stack.mux.clear_faults()
    tray.all_in(page, "published", 2)
    assert [title for title, *_ in tray.stored(stack, course, instructor.id)] == ["Paper", "2 b"]


def test_signed_out_offline_and_without_mux_the_rest_waits_and_goes_on(
    errors: Page, visit: Visitor, film: Film, stack: Stack, instructor: Person
) -> None:
    page = errors
    standing_still(page, film, stack)
    stack.sql("UPDATE user_sessions SET ended_at = now() WHERE user_id = %s", instructor.id)
    stack.mux.clear_faults()
    expect(page.get_by_role("alert")).to_contain_text(
        "You are signed out. What is being sent goes on; the rest waits."
    )
    visit.sign_in(page.context, instructor)
    tray.all_in(page, "published", 3)
    expect(page.locator("[data-part=trouble]")).to_be_hidden()
    page.context.set_offline(True)
    tray.choose(page, tray.films(film, ["later.mp4"]))
    expect(page.get_by_role("alert")).to_contain_text("The server cannot be reached.")
    page.context.set_offline(False)
    tray.all_in(page, "published", 4)
    stack.mux.fault("api", "status", match={"operation": "create_upload"}, status=503)
    tray.choose(page, tray.films(film, ["last.mp4"]))
    tray.all_in(page, "failed", 1)
    expect(tray.row(page, "last").get_by_role("button", name="Try again")).to_be_visible()
    stack.mux.clear_faults()
    stack.sql("UPDATE mux_budget SET tokens = 18, filled_at = now(), failures = 0, paused_until = NULL")
    tray.press(page, "last", "Try again")
    tray.all_in(page, "published", 5)


def test_after_the_limit_of_an_hour_the_rest_waits_until_then(
    errors: Page, film: Film, stack: Stack, instructor: Person
) -> None:
    page = errors
    page.clock.install()
    tray.opened(page)
    tray.hold(stack)
    key = f"uploads:{instructor.id}"
    # all but two of this hour, which ends in ten minutes
    stack.sql(
        "INSERT INTO throttles (key, started_at, count) VALUES (%s, now() - interval '50 minutes', 998)", key
    )
    tray.choose(page, tray.films(film, NAMES))
    tray.all_in(page, "sending", 2)
    stack.mux.clear_faults()
    expect(tray.row(page, "3 c")).to_contain_text("You have started too many uploads within an hour.")
    expect(tray.row(page, "3 c")).to_contain_text(re.compile(r"It goes on automatically at \d\d:\d\d"))
    tray.all_in(page, "published", 2)
    expect(tray.row(page, "3 c")).to_have_attribute("data-state", "waiting")
    stack.sql("UPDATE throttles SET started_at = started_at - interval '11 minutes' WHERE key = %s", key)
    page.clock.fast_forward("11:00")
    tray.all_in(page, "published", 3)


def test_a_lesson_without_a_price_stays_a_draft_and_the_last_price_is_offered(
    page: Page, film: Film, stack: Stack, course: str, instructor: Person
) -> None:
    tray.opened(page, course, price="")
    tray.choose(page, tray.films(film, ["a.mp4"]))
    row = tray.row(page, "a")
    expect(row).to_contain_text("Not saved: Enter the price as 9.99, or 0")
    tray.all_in(page, "ready", 1)
    assert tray.stored(stack, course, instructor.id) == [("a", "draft", 0, False)]
    typed(page, "a", "price", "9.00")
    tray.all_in(page, "published", 1)
    assert tray.stored(stack, course, instructor.id) == [("a", "published", 900, False)]
    page.goto("/lessons/upload")
    expect(page.get_by_role("group", name="For all files").get_by_label("Price")).to_have_value("9.00")
