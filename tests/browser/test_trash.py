"""Second thoughts about a deletion: a lesson goes to the trash, comes back and ends; support brings one back; a bought lesson leaves
the sale instead. Each is asked about in words that name what will happen, at both sizes of screen and by the keyboard."""

import re

from playwright.sync_api import Page, expect

from tests.browser.school import School
from tests.browser.stack import Person, Stack, Visitor
from tests.browser.steps import published
from tests.browser.test_videos import Good, ask, asset_of, until_gone


def test_a_lesson_goes_to_the_trash_comes_back_and_ends(
    page: Page, stack: Stack, school: School, visit: Visitor, accessible: Good
) -> None:
    lesson = school.lesson("Wet in wet", price=900, real=True)
    page.goto(f"/lessons/{lesson}/edit")
    published(page)
    asset_id = asset_of(stack, lesson)
    question = ask(page, "Delete lesson…")
    expect(question).to_contain_text("It can be restored for 30 days")
    accessible(page)
    question.get_by_role("button", name="Delete lesson").click()
    expect(page).to_have_url(re.compile("/lessons$"))
    expect(page.get_by_text("“Wet in wet” is in the trash.")).to_be_visible()
    student = visit(stack.person("student", "Stu Student"), errors=True)
    assert (answer := student.goto(f"/catalog/{lesson}")) is not None
    assert answer.status == 404
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("“Wet in wet” is restored.")).to_be_visible()
    expect(page.get_by_test_id("lesson-status")).to_have_text("Draft")
    expect(page.get_by_test_id("video-status")).to_have_text("Ready")
    page.get_by_role("button", name="Publish now").click()
    published(page)

    ask(page, "Delete lesson…").get_by_role("button", name="Delete lesson").click()
    page.get_by_role("link", name="Trash").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Trash")
    accessible(page)
    again = page.get_by_role("button", name="Restore and publish the lesson “Wet in wet”")
    again.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("“Wet in wet” is restored and published.")).to_be_visible()
    published(page)

    ask(page, "Delete lesson…").get_by_role("button", name="Delete lesson").click()
    page.goto("/trash")
    question = ask(page, "Delete permanently… the lesson “Wet in wet”")
    expect(question).to_contain_text("This can't be undone")
    accessible(page)
    assert asset_id in {one["id"] for one in stack.mux.assets()}
    question.get_by_role("button", name="Delete permanently").click()
    expect(page.get_by_text("“Wet in wet” is deleted permanently.")).to_be_visible()
    expect(page.get_by_text("The trash is empty")).to_be_visible()
    assert stack.sql("SELECT id FROM lessons WHERE id = %s", lesson) == []
    until_gone(stack, asset_id)


def test_support_brings_back_what_an_instructor_deleted_and_can_undo_that(
    page: Page, stack: Stack, school: School, visit: Visitor, accessible: Good
) -> None:
    course = school.course("Rye and wheat", preview=True)
    school.lesson("Rye", course_id=course)
    page.goto(f"/courses/{course}/edit")
    ask(page, "Delete course…").get_by_role("button", name="Delete course").click()
    panel = visit(stack.person("support", "Sam Support"), errors=True)  # seeded videos have no storyboard
    panel.goto("/admin/trash/")
    accessible(panel)
    for _ in range(2):
        question = ask(panel, "Restore the course “Rye and wheat”…")
        expect(question).to_contain_text("1 lesson is in it again.")
        question.get_by_label("Reason").fill("Asked by mail")
        question.get_by_role("button", name="Restore").click()
        expect(panel.get_by_text("“Rye and wheat” is restored.")).to_be_visible()
        assert stack.sql("SELECT count(*) FROM lessons WHERE course_id = %s", course) == [(1,)]
        panel.locator(".toast").get_by_role("button", name="Undo", exact=True).click()
        expect(panel.get_by_text("It is in the trash again.")).to_be_visible()
        assert stack.sql("SELECT count(*) FROM lessons WHERE course_id = %s", course) == [(0,)]
    audited = stack.sql(
        "SELECT action, detail ->> 'reason' FROM audit_log WHERE target_id = %s AND action LIKE 'course.%%' ORDER BY id",
        course,
    )
    assert audited[-2:] == [("course.restored", "Asked by mail"), ("course.deleted", "Undo: Asked by mail")]


def test_a_bought_lesson_is_withdrawn_from_sale_and_put_back(
    page: Page, stack: Stack, school: School, visit: Visitor, accessible: Good
) -> None:
    lesson = school.lesson("Rye", price=900, real=True)
    buyer: Person = stack.person("student", "Bea Buyer")
    students = visit(buyer, errors=True)
    students.goto(f"/catalog/{lesson}")
    students.get_by_role("button", name=re.compile("^Buy")).first.click()
    expect(students.locator("mux-player")).to_have_count(1)
    page.goto(f"/lessons/{lesson}/edit")
    here = page.locator("#delete")
    expect(here).to_contain_text("1 student bought this lesson, so it cannot be deleted.")
    here.get_by_role("button", name="Withdraw from sale…").click()
    question = page.get_by_role("dialog")
    expect(question).to_contain_text("students who bought it can still play it")
    accessible(page)
    question.get_by_role("button", name="Withdraw from sale").click()
    expect(page.locator("#publication")).to_contain_text("It is withdrawn from sale")
    students.reload()
    expect(students.locator("mux-player")).to_have_count(1)
    stranger = visit(stack.person("student", "Sid Student"), errors=True)
    assert (answer := stranger.goto(f"/catalog/{lesson}")) is not None
    assert answer.status == 404
    page.get_by_role("button", name="Put back on sale").click()
    published(page)
    stranger.reload()
    expect(stranger.get_by_role("button", name=re.compile("^Buy"))).to_be_visible()
