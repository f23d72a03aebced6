"""Courses as an instructor makes them: written, filled with lessons in an order, given a preview, and deleted."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.school import School
from tests.browser.stack import Person, Stack, Visitor

Axe = Callable[[Page], list[str]]
EDIT = re.compile(r"/courses/[0-9a-f-]{36}/edit$")


@pytest.fixture
def course(school: School) -> str:
    """Four lessons, A to D."""
    made = school.course("Watercolour")
    for position, title in enumerate("ABCD", start=1):
        school.without_video(title, "none", course_id=made, position=position)
    return made


def order(page: Page) -> list[str]:
    return [title.strip() for title in page.locator(".order__title").all_inner_texts()]


def stored(stack: Stack, course: str) -> list[str]:
    rows = stack.sql("SELECT title FROM lessons WHERE course_id = %s ORDER BY position, id", course)
    return [title for (title,) in rows]


def until_stored(page: Page, stack: Stack, course: str, wanted: list[str]) -> None:
    for _ in range(50):
        if stored(stack, course) == wanted:
            return
        page.wait_for_timeout(50)
    assert stored(stack, course) == wanted


def test_a_course_is_written_saved_in_place_and_deleted(page: Page, stack: Stack, school: School) -> None:
    page.goto("/courses")
    page.get_by_role("link", name="New course").click()
    page.get_by_label("Title").fill("Bread at home")
    page.get_by_role("button", name="Save course").click()
    expect(page).to_have_url(EDIT)
    expect(page.get_by_role("heading", level=1)).to_have_text("Bread at home")
    page.get_by_label("Description").fill("Flour and patience")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("[data-saved]")).to_have_text("Saved.")
    page.reload()
    expect(page.get_by_label("Description")).to_have_value("Flour and patience")
    course_id = page.url.split("/")[-2]
    school.without_video("It stays", "none", course_id=course_id)
    page.reload()
    page.get_by_role("button", name="Delete course…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Its lesson is kept")
    dialog.get_by_role("button", name="Delete course").click()
    expect(page).to_have_url(re.compile("/courses$"))
    assert stack.sql("SELECT course_id FROM lessons WHERE title = 'It stays' ORDER BY id DESC LIMIT 1") == [
        (None,)
    ]


def test_choosing_a_preview_on_a_new_course_saves_it_first_and_plays_in_the_end(
    page: Page, film: Callable[..., str]
) -> None:
    page.goto("/courses/new")
    page.get_by_label("Title").fill("Bread at home")
    page.locator("mux-uploader input[type=file]").set_input_files(film())
    expect(page).to_have_url(EDIT)
    expect(page.get_by_test_id("video-status")).to_have_text("Ready")
    expect(page.locator("mux-player")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_have_text("Bread at home")


def test_lessons_are_ordered_by_keyboard_and_the_focus_stays(page: Page, stack: Stack, course: str) -> None:
    page.goto(f"/courses/{course}/edit")
    expect(page.locator("[data-handle]").first).to_be_visible()
    button = page.get_by_role("button", name="Move “C” up")
    button.focus()
    page.keyboard.press("Enter")
    expect(button).to_be_focused()
    expect(page.locator("[data-js=order] [data-announce]")).to_have_text("“C” is now number 2 of 4.")
    page.keyboard.press("Space")
    page.keyboard.press("Enter")  # it is the first already: nothing happens
    assert order(page) == ["C", "A", "B", "D"]
    until_stored(page, stack, course, ["C", "A", "B", "D"])
    expect(button).to_have_attribute("aria-disabled", "true")
    page.reload()
    assert order(page) == ["C", "A", "B", "D"]


def test_lessons_are_ordered_by_dragging_and_escape_takes_it_back(
    page: Page, stack: Stack, course: str
) -> None:
    page.goto(f"/courses/{course}/edit")
    handles = page.locator("[data-handle]")
    expect(handles.first).to_be_visible()

    def drag(row: int, rows_down: float) -> None:
        box = handles.nth(row).bounding_box()
        height = page.locator(".order__item").nth(row).bounding_box()
        assert box is not None
        assert height is not None
        page.mouse.move(box["x"] + 5, box["y"] + 10)
        page.mouse.down()
        for step in range(1, 9):
            page.mouse.move(box["x"] + 5, box["y"] + 10 + height["height"] * rows_down * step / 8)

    handles.first.scroll_into_view_if_needed()
    drag(0, 2)
    page.mouse.up()
    assert order(page) == ["B", "C", "A", "D"]
    until_stored(page, stack, course, ["B", "C", "A", "D"])
    drag(2, -2)
    page.keyboard.press("Escape")
    page.mouse.up()
    assert order(page) == ["B", "C", "A", "D"]
    assert stored(stack, course) == ["B", "C", "A", "D"]


def rows(page: Page) -> list[str]:
    """All rows; a section with a stroke before it."""
    items = page.locator(".order__item").all()
    stroke = {True: "/", False: ""}
    return [
        stroke[one.get_attribute("data-section") is not None] + (one.get_attribute("data-title") or "")
        for one in items
    ]


def inside(stack: Stack, course: str) -> list[tuple[str | None, str]]:
    return stack.sql(
        "SELECT s.title, l.title FROM lessons l LEFT JOIN course_sections s ON s.id = l.section_id"
        " WHERE l.course_id = %s ORDER BY l.position, l.id",
        course,
    )


def test_sections_are_made_filled_and_moved_by_keyboard_and_by_dragging(
    page: Page, stack: Stack, course: str, axe: Axe
) -> None:
    page.goto(f"/courses/{course}/edit")
    for title in ("Basics", "Practice"):
        page.get_by_label("New section").fill(title)
        page.keyboard.press("Enter")
        expect(page.locator(".order__item--section h3").last).to_have_text(title)
    expect(page.locator("[data-handle]").first).to_be_visible()
    assert rows(page) == ["A", "B", "C", "D", "/Basics", "/Practice"]
    said = page.locator("[data-js=order] [data-announce]")
    down = page.get_by_role("button", name="Move “D” down")
    down.focus()
    page.keyboard.press("Enter")
    expect(said).to_have_text("“D” is now number 4 of 4, in the section “Basics”.")
    page.keyboard.press("Enter")
    expect(down).to_be_focused()
    page.get_by_role("button", name="Move “C” down").focus()
    page.keyboard.press("Enter")
    assert rows(page) == ["A", "B", "/Basics", "C", "/Practice", "D"]
    page.get_by_role("button", name="Move section “Basics” down").focus()
    page.keyboard.press("Enter")
    expect(said).to_have_text("“Basics” is now number 2 of 2.")
    assert rows(page) == ["A", "B", "/Practice", "D", "/Basics", "C"]
    handle = page.locator(".order__item--section [data-handle]").nth(1)
    handle.scroll_into_view_if_needed()
    box = handle.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 5, box["y"] + 10)
    page.mouse.down()
    for step in range(1, 13):
        page.mouse.move(box["x"] + 5, box["y"] + 10 - 14 * step)
    page.mouse.up()
    assert rows(page) == ["A", "B", "/Basics", "C", "/Practice", "D"]
    wanted = [(None, "A"), (None, "B"), ("Basics", "C"), ("Practice", "D")]
    for _ in range(50):
        if inside(stack, course) == wanted:
            break
        page.wait_for_timeout(50)
    assert inside(stack, course) == wanted
    page.reload()
    assert rows(page) == ["A", "B", "/Basics", "C", "/Practice", "D"]
    assert axe(page) == []
    page.get_by_role("link", name="Edit the section “Basics”").click()
    assert axe(page) == []
    page.get_by_role("textbox", name="Title").fill("Ground")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".order__item--section h3").first).to_have_text("Ground")
    page.get_by_role("link", name="Edit the section “Ground”").click()
    page.get_by_role("button", name="Remove section").click()
    expect(page.get_by_text("Its lessons are still in the course.")).to_be_visible()
    assert rows(page) == ["A", "B", "C", "/Practice", "D"]


def test_an_order_that_cannot_be_stored_goes_back(
    visit: Visitor, instructor: Person, stack: Stack, course: str
) -> None:
    page = visit(instructor, errors=True)
    page.goto(f"/courses/{course}/edit")
    expect(page.locator("[data-handle]").first).to_be_visible()
    page.context.set_offline(True)
    page.get_by_role("button", name="Move “D” up").click()
    expect(page.get_by_role("alert")).to_contain_text("The order is not saved")
    assert order(page) == ["A", "B", "C", "D"]
    page.context.set_offline(False)
    assert stored(stack, course) == ["A", "B", "C", "D"]


def test_without_scripts_everything_still_works(
    chromium: Browser, visit: Visitor, instructor: Person, stack: Stack, course: str
) -> None:
    page = visit(instructor, errors=True)
    state = page.context.storage_state()
    bare = chromium.new_context(base_url=stack.url, java_script_enabled=False, storage_state=state)
    plain = bare.new_page()
    plain.goto(f"/courses/{course}/edit")
    plain.get_by_role("button", name="Move “B” up").click()
    assert order(plain) == ["B", "A", "C", "D"]
    plain.get_by_label("Title").fill("")
    plain.get_by_role("button", name="Save", exact=True).click()
    expect(plain.get_by_role("alert")).to_contain_text("Enter a title")
    plain.goto(f"/courses/{course}/edit")
    plain.get_by_role("link", name="Delete course…").click()
    expect(plain.get_by_text("Its 4 lessons are kept")).to_be_visible()
    plain.get_by_role("button", name="Delete course").click()
    expect(plain.get_by_text("Its lessons are kept")).to_be_visible()
    bare.close()


def test_two_tabs_are_told_of_each_other(visit: Visitor, instructor: Person, course: str, axe: Axe) -> None:
    first, second = visit(instructor), visit(instructor)
    for page in (first, second):
        page.goto(f"/courses/{course}/edit")
    first.get_by_label("Title").fill("Watercolour, slowly")
    first.get_by_role("button", name="Save", exact=True).click()
    expect(first.locator("[data-saved]")).to_have_text("Saved.")
    second.get_by_label("Title").fill("Watercolour, quickly")
    second.get_by_role("button", name="Save", exact=True).click()
    expect(second.get_by_role("alert")).to_contain_text("You, in another tab or window, saved this course")
    expect(second.get_by_label("Title")).to_have_value("Watercolour, quickly")
    assert axe(second) == []
    second.get_by_role("button", name="Save again").click()
    expect(second.locator("[data-saved]")).to_have_text("Saved.")
    first.reload()
    expect(first.get_by_label("Title")).to_have_value("Watercolour, quickly")


def test_the_pages_are_accessible(
    visit: Visitor, school: School, instructor: Person, stack: Stack, course: str, axe: Axe
) -> None:
    filled = school.course("A course with a title that is rather long for a small screen " * 2, preview=True)
    for state in ("none", "uploading", "processing", "error"):
        school.without_video(
            f"averyveryverylongwordwithoutanyplacetobreakit {state}", state, course_id=filled
        )
    school.lesson("Plays", price=499, course=filled)
    newcomer = stack.person()
    for width, dark in ((390, False), (1280, True)):
        page = visit(instructor, width=width, dark=dark)
        for address in (
            "",
            "?q=nothing",
            "/new",
            f"/{course}/edit",
            f"/{filled}/edit",
            f"/{course}/delete",
            f"/{filled}/remove",
        ):
            page.goto(f"/courses{address}")
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (address, width)
            assert axe(page) == [], (address, width, dark)
        page.goto("/courses/new")
        page.get_by_role("button", name="Save course").click()
        expect(page.locator(".error-summary")).to_be_focused()
        assert axe(page) == []
    page = visit(newcomer)
    page.goto("/courses")
    expect(page.get_by_role("link", name="Create your first course")).to_be_visible()
    assert axe(page) == []
