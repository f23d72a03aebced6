"""A student is told of what happens to their lessons and courses, goes there, and turns off by keyboard what they do not want."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.school import School
from tests.browser.stack import Person, Stack, Visitor
from tests.browser.test_catalog import fits

Axe = Callable[[Page], list[str]]


def test_a_student_is_told_goes_there_and_turns_off_what_they_do_not_want(
    page: Page, visit: Visitor, school: School, stack: Stack, instructor: Person, axe: Axe
) -> None:
    student = stack.person("student", "Stu Student")
    course = school.course("Watercolour for beginners")
    bought = school.lesson("Paper and water", course=course, price=900, real=True)
    school.insert(
        (
            "purchases",
            {"lesson_id": bought, "user_id": student.id, "owner_id": instructor.id, "price_cents": 900},
        )
    )
    drafts = [
        school.lesson(title, course=course, price=900, real=True, status="draft", published_at=None)
        for title in ("Wet in wet", "Edges")
    ]

    def publish(lesson: str) -> None:
        page.goto(f"/lessons/{lesson}/edit")
        page.get_by_role("button", name="Publish now").click()
        expect(page.get_by_test_id("lesson-status")).to_have_text("Published")
        are_told()

    def are_told() -> None:
        stack.until(lambda: stack.sql("SELECT 1 FROM announcements") == [])

    publish(drafts[0])
    theirs = visit(student)
    theirs.goto("/notifications")
    theirs.get_by_role("button", name="A course of yours has a new lesson: Wet in wet", exact=True).press(
        "Enter"
    )
    expect(theirs.get_by_role("heading", level=1)).to_have_text("Watercolour for beginners")

    publish(drafts[1])
    theirs.goto("/notifications")
    expect(theirs.get_by_text("has several new lessons. The newest is “Edges”.")).to_be_visible()
    expect(theirs.get_by_text("New", exact=True)).to_have_count(1)

    theirs.goto("/account")
    theirs.get_by_label("A course of mine has a new lesson").focus()
    theirs.keyboard.press("Space")
    theirs.get_by_label("A course of mine has a new lesson").press("Tab")
    while theirs.evaluate("document.activeElement.textContent.trim()") != "Save":
        theirs.keyboard.press("Tab")
    theirs.keyboard.press("Enter")
    expect(theirs.get_by_text("Your choice of notifications is saved.")).to_be_visible()
    expect(theirs.get_by_label("A course of mine has a new lesson")).not_to_be_checked()
    expect(theirs.get_by_label("A lesson that I bought has a new video")).to_be_checked()

    page.goto(f"/lessons/{bought}/edit")
    page.get_by_role("button", name="Withdraw from sale…").first.click()
    page.get_by_role("dialog").get_by_role("button", name="Withdraw from sale").click()
    expect(page.get_by_test_id("lesson-status")).to_have_text("Draft")
    are_told()
    stack.sql("DELETE FROM notifications WHERE kind = 'course_new_lesson'")
    publish(school.lesson("Skies", course=course, real=True, status="draft", published_at=None))
    theirs.goto("/notifications")
    expect(theirs.get_by_role("heading", level=2)).to_have_text(
        "A lesson of yours left the catalogue: Paper and water New"
    )
    expect(theirs.get_by_text("It stays yours: you can watch it as before.")).to_be_visible()
    theirs.get_by_role(
        "button", name="A lesson of yours left the catalogue: Paper and water", exact=True
    ).press("Enter")
    expect(theirs.get_by_role("heading", level=1)).to_have_text("Paper and water")

    for width, dark in ((390, False), (1280, True)):
        look = visit(student, width=width, dark=dark)
        for address in ("/account", "/notifications"):
            look.goto(address)
            assert fits(look)
            assert axe(look) == [], (width, dark, address)
