"""What has an undo is done and undone through the pages, and the rows are what they were: every bulk action, and an edit."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from lessonadmin.domain.batches import registry
from tests.browser.school import School
from tests.browser.stack import Person, Stack, Visitor

UNDOABLE = [one for one in registry.ALL if one.offered and one.undone_by]
# The marks of every change; a length that the school guesses, which Mux corrects when it is asked; and that the lesson was
# published once, which stays true: students may have been told of it, and are not told twice.
LEFT_OUT = ("updated_at", "version", "video_duration", "first_published_at")


@pytest.fixture
def panel(visit: Visitor, stack: Stack) -> Page:
    return visit(stack.person("support", "Sam Support"))


def row(stack: Stack, table: str, row_id: str) -> dict[str, Any]:
    ((found,),) = stack.sql(f"SELECT to_jsonb(t) FROM {table} t WHERE id = %s", row_id)  # noqa: S608 - a table's name
    return {name: value for name, value in found.items() if name not in LEFT_OUT}


def test_every_undo_restores(
    panel: Page, stack: Stack, instructor: Person, school: School, accessible: Any
) -> None:
    out = {"status": "published", "published_at": "2020-02-03T04:05:06Z"}
    draft = {"status": "draft", "published_at": None}
    starts = {"publish": draft, "republish": draft, "unpublish": out, "clear_asset": out}
    for action in UNDOABLE:
        if action.target == "lesson":
            row_id = school.lesson(action.label, **starts[action.name])
        else:
            row_id = school.course(action.label, preview=True)
        table = f"{action.target}s"
        before = row(stack, table, row_id)
        panel.goto(f"/admin/{action.target}/?search={row_id}")
        panel.locator(f"input[name=rowid][value='{row_id}']").check()
        panel.get_by_role("button", name=action.label, exact=True).click()
        panel.get_by_label("Reason").fill("By mistake")
        if action.dangerous:
            panel.get_by_label("Type “remove” to confirm").fill("remove")
        panel.keyboard.press("Enter")
        undo = panel.locator(".toast").get_by_role("button", name="Undo", exact=True)
        expect(undo).to_be_visible()
        assert row(stack, table, row_id) != before, action.name
        if action is UNDOABLE[0]:
            accessible(panel)
        undo.click()
        expect(panel.locator(".toast")).to_contain_text(f"Undo of “{action.label} 1 {action.target}”")
        assert row(stack, table, row_id) == before, action.name
        if action.name == "publish":
            ((once,),) = stack.sql("SELECT first_published_at FROM lessons WHERE id = %s", row_id)
            assert once is not None, "students would be told of its first publication twice"


def test_an_instructor_takes_an_edit_back(
    visit: Visitor, stack: Stack, instructor: Person, school: School, accessible: Any
) -> None:
    long = "Flour, water and salt. " * 40
    lesson = school.lesson("Rye", price=900, description=long)
    page = visit(instructor, errors=True)  # seeded videos have no storyboard
    page.goto(f"/lessons/{lesson}/edit")
    page.get_by_label("Title").fill("Rye bread")
    page.get_by_label("Description").fill("Nothing but rye.")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Rye bread")
    page.get_by_role("link", name="Earlier edits").click()
    edit = page.locator(".edits > li")
    expect(edit).to_have_count(1)
    expect(edit).to_contain_text("by you")
    accessible(page)
    edit.get_by_role("button", name="Take back").click()
    expect(page.locator(".toast")).to_contain_text("The edit is taken back.")
    expect(page.locator(".edits > li")).to_have_count(2)
    expect(page.locator(".edits > li").last).to_contain_text("Taken back")
    assert stack.sql("SELECT title, description, price_cents FROM lessons WHERE id = %s", lesson) == [
        ("Rye", long, 900)
    ]
