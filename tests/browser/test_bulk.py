"""Many lessons at once: an instructor ticks rows of the list, sees what would become of each, runs it, looks at it and undoes it."""

import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.school import School
from tests.browser.stack import Stack, Visitor
from tests.browser.test_videos import Good
from tests.chromium import alive

BATCH = re.compile(r"/lessons/bulk/[0-9a-f-]{36}$")
STATES = "SELECT status, count(*) FROM lessons WHERE creator_id = %s GROUP BY status ORDER BY status"


def by_key(page: Page, role: str, name: str) -> None:
    button = page.get_by_role(role, name=name, exact=True)  # type: ignore[arg-type]  # the roles of two kinds of buttons
    button.focus()
    page.keyboard.press("Enter")


def test_rows_are_published_and_taken_back_by_the_keyboard(
    page: Page, stack: Stack, school: School, accessible: Good
) -> None:
    """One of them changes hands while the question is read: it is left alone, and nothing of it is shown."""
    rye = school.lesson("Rye", status="draft", published_at=None)
    wheat = school.lesson("Wheat", status="draft", published_at=None)
    given = school.lesson("Spelt", status="draft", published_at=None)
    page.goto("/lessons")
    publish = page.get_by_role("button", name="Publish", exact=True)
    for title in ("Rye", "Wheat", "Spelt"):
        page.get_by_label(f"Select {title}").focus()
        page.keyboard.press("Space")
    expect(page.locator("[data-count]")).to_have_text("3 selected")
    expect(page.get_by_role("button", name="Unpublish", exact=True)).to_be_disabled()
    accessible(page)
    publish.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Publish 3 lessons")
    expect(page.locator("tbody tr")).to_have_count(3)
    expect(page.locator("tbody tr").first).to_contain_text("Published.")
    accessible(page)
    stranger = stack.person(name="Ines Other")
    for statement in (
        "UPDATE lessons SET creator_id = %s WHERE id = %s",
        "UPDATE mux_asset_tracking SET owner_id = %s WHERE lesson_id = %s",
    ):
        stack.sql(statement, stranger.id, given)
    by_key(page, "button", "Publish 3 lessons")
    expect(page).to_have_url(BATCH)
    expect(page.locator("#progress")).to_contain_text("2 lessons done, 1 skipped, 0 failed.")
    expect(page.locator("tbody")).to_contain_text("A lesson that is not there any more")
    expect(page.locator("tbody")).not_to_contain_text("Spelt")
    expect(page.locator("tbody")).to_contain_text("Published")
    accessible(page)
    states = "SELECT status FROM lessons WHERE id IN (%s, %s, %s) ORDER BY title"
    assert stack.sql(states, rye, given, wheat) == [("published",), ("draft",), ("published",)]
    by_key(page, "button", "Undo…")
    question = page.get_by_role("dialog")
    expect(question).to_contain_text("Undo this for 2 lessons?")
    accessible(page)
    by_key(page, "button", "Undo")
    expect(page.get_by_role("heading", level=1)).to_have_text("Undo of “Publish 3 lessons”")
    expect(page.locator("#progress")).to_contain_text("2 lessons done")
    assert stack.sql(states, rye, given, wheat) == [("draft",)] * 3


@pytest.mark.parametrize(("times", "said"), [(1, "2 selected"), (2, re.compile("^Select rows"))])
def test_a_box_ticked_before_its_script_has_come_selects_the_page(
    page: Page, school: School, times: int, said: str | re.Pattern[str]
) -> None:
    """Ticked, or ticked and taken back, while the script is on its way: what the box showed last is what counts."""
    school.lesson("Rye")
    school.lesson("Wheat")
    late = "**/js/behaviours/choose-all.js"
    held: list[Route] = []
    page.route(late, lambda route: held.append(route))
    page.goto("/lessons", wait_until="commit")
    box = page.get_by_label("Select all lessons of this page")
    for _ in range(times):
        box.focus()
        page.keyboard.press("Space")
    while not held:
        page.wait_for_timeout(20)
    page.unroute(late)
    alive(page)
    expect(page.locator("[data-count]")).to_have_text(said)


def test_all_that_match_are_done_in_the_background(
    page: Page, stack: Stack, school: School, visit: Visitor, accessible: Good
) -> None:
    for number in range(22):
        school.lesson(f"Loaf {number:02}")
    other = School(stack, stack.person())
    foreign = other.lesson("Loaf of another")
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto("/lessons?state=published")
    page.get_by_label("Select all 22").check()
    accessible(page)
    page.set_viewport_size({"width": 390, "height": 844})
    page.get_by_role("button", name="Actions").click()
    page.get_by_role("button", name="Unpublish", exact=True).click()
    expect(page.locator(".outcome").first).to_contain_text("22 lessons")
    expect(page.get_by_text("run in the background")).to_be_visible()
    accessible(page)
    page.get_by_role("button", name="Unpublish 22 lessons").click()
    expect(page.locator("#progress")).to_contain_text("22 lessons done, 0 skipped, 0 failed.")
    accessible(page)
    assert stack.sql(STATES, school.owner.id) == [("draft", 22)]
    assert stack.sql("SELECT status FROM lessons WHERE id = %s", foreign) == [("published",)]
    strangers = visit(other.owner, errors=True)
    assert (answer := strangers.goto(page.url)) is not None
    assert answer.status == 404
    page.get_by_role("button", name="Undo…").click()
    page.get_by_role("dialog").get_by_role("button", name="Undo").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Undo of “Unpublish 22 lessons”")
    expect(page.locator("#progress")).to_contain_text("22 lessons done")
    assert stack.sql(STATES, school.owner.id) == [("published", 22)]


def test_a_price_for_thirty_lessons_and_back_again(
    visit: Visitor, stack: Stack, school: School, accessible: Good
) -> None:
    for number in range(30):
        school.lesson(f"Loaf {number:02}", price=500 if number else 999)
    page = visit(school.owner, errors=True)  # a price that is none is answered with 400
    page.goto("/lessons")
    page.get_by_label("Select all 30").check()
    by_key(page, "button", "Set price…")
    price = page.get_by_label("Price")
    expect(price).to_be_focused()
    page.keyboard.type("ten")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Enter the price as 9.99, or 0 if the lesson is free.")).to_be_visible()
    expect(price).to_have_value("ten")
    accessible(page)
    price.fill("9,99")
    page.keyboard.press("Enter")
    expect(page.locator(".outcomes").first).to_contain_text("29 lessons")
    expect(page.locator("#skipped")).to_contain_text("It has this price already.")
    accessible(page)
    by_key(page, "button", "Set the price of 29 lessons")
    expect(page.locator("#progress")).to_contain_text("29 lessons done, 1 skipped, 0 failed.")
    prices = "SELECT DISTINCT price_cents FROM lessons WHERE creator_id = %s ORDER BY price_cents"
    assert stack.sql(prices, school.owner.id) == [(999,)]
    by_key(page, "button", "Undo…")
    by_key(page, "button", "Undo")
    expect(page.locator("#progress")).to_contain_text("29 lessons done")
    assert stack.sql(prices, school.owner.id) == [(500,), (999,)]


def test_lessons_are_moved_deleted_and_put_back(
    page: Page, stack: Stack, school: School, accessible: Good
) -> None:
    old, new = school.course("Old grains"), school.course("New grains")
    rye = school.lesson("Rye", course_id=old, position=2)
    school.lesson("Wheat", course_id=new, position=7)
    where = "SELECT course_id::text, position, deleted_at IS NULL, status FROM lessons WHERE id = %s"
    before = stack.sql(where, rye)
    for action, confirm, after in (
        ("Move to a course…", "Move 1 lesson to another course", (new, 8, True, "published")),
        ("Move to trash", "Move 1 lesson to the trash", (old, 2, False, "draft")),
    ):
        page.goto("/lessons")
        page.get_by_label("Select Rye").check()
        by_key(page, "button", action)
        if action.endswith("…"):
            page.get_by_label("Course").select_option("New grains")
            accessible(page)
            by_key(page, "button", "Continue")
        expect(page.locator("tbody tr")).to_have_count(1)
        accessible(page)
        by_key(page, "button", confirm)
        expect(page.locator("#progress")).to_contain_text("1 lesson done")
        assert stack.sql(where, rye) == [after]
        by_key(page, "button", "Undo…")
        by_key(page, "button", "Undo")
        expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("^Undo of"))
        expect(page.locator("#progress")).to_contain_text("1 lesson done")
        assert stack.sql(where, rye) == before


def test_several_lessons_and_courses_are_restored_from_the_trash(
    page: Page, stack: Stack, school: School, accessible: Good
) -> None:
    rye, wheat = school.lesson("Rye"), school.lesson("Wheat", status="draft", published_at=None)
    page.goto("/lessons")
    page.get_by_label("Select all lessons of this page").focus()
    page.keyboard.press("Space")
    expect(page.locator("[data-count]")).to_have_text("2 selected")
    by_key(page, "button", "Move to trash")
    by_key(page, "button", "Move 2 lessons to the trash")
    expect(page.locator("tbody")).to_contain_text("In the trash")
    page.goto("/trash")
    page.get_by_label("Select all of this page").focus()
    page.keyboard.press("Space")
    expect(page.locator("[data-count]")).to_have_text("2 selected")
    accessible(page)
    by_key(page, "button", "Restore and publish")
    expect(page.locator("tbody")).to_contain_text("It is restored from the trash and published.")
    accessible(page)
    by_key(page, "button", "Restore 2 lessons and publish")
    expect(page.locator("#progress")).to_contain_text("2 lessons done")
    states = "SELECT status, deleted_at IS NULL FROM lessons WHERE id IN (%s, %s) ORDER BY title"
    assert stack.sql(states, rye, wheat) == [("published", True), ("draft", True)]
    by_key(page, "button", "Undo…")
    by_key(page, "button", "Undo")
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("^Undo of"))
    expect(page.locator("#progress")).to_contain_text("2 lessons done")
    assert stack.sql(states, rye, wheat) == [("draft", False), ("draft", False)]
    course = school.course("Grains")
    page.goto(f"/courses/{course}/delete")
    page.get_by_role("button", name="Delete course").click()
    page.goto("/trash")
    page.get_by_label("Select the course “Grains”").focus()
    page.keyboard.press("Space")
    page.get_by_label("Select the lesson “Rye”").check()
    expect(page.locator("[data-count]")).to_have_text("2 selected")
    by_key(page, "button", "Restore as drafts")
    expect(page.get_by_role("heading", level=1)).to_have_text("Restore 1 course and 1 lesson")
    accessible(page)
    by_key(page, "button", "Restore 1 course and 1 lesson")
    there = "SELECT deleted_at IS NULL FROM courses WHERE id = %s UNION ALL SELECT deleted_at IS NULL FROM lessons WHERE id IN (%s, %s)"
    expect(page.get_by_text("1 course and 1 lesson are restored.")).to_be_visible()
    assert sorted(stack.sql(there, course, rye, wheat)) == [(False,), (True,), (True,)]
    by_key(page, "button", "Undo")
    expect(page.get_by_text("1 course and 1 lesson are in the trash again.")).to_be_visible()
    assert stack.sql(there, course, rye, wheat) == [(False,)] * 3
