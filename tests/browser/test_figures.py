"""What came of lessons, looked at by their instructor with the keyboard alone, and by support; at both sizes of screen."""

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.school import School
from tests.browser.stack import Stack, Visitor
from tests.browser.test_videos import Good

DAY = datetime.now(UTC).date() - timedelta(days=2)


def counted_school(stack: Stack, school: School) -> str:
    """A sold lesson that was watched, one that was not; the id of the first."""
    lesson = school.lesson("Wet in wet", price=900, real=True)
    school.lesson("Never watched")
    stack.sql(
        "INSERT INTO counted_days (what, day, counted_at) SELECT 'minutes', %s::date - n, now()"
        " FROM generate_series(0, 20) n ON CONFLICT DO NOTHING",
        DAY,
    )
    stack.sql(
        "INSERT INTO lesson_views (lesson_id, day, mux_asset_id, owner_id, seconds)"
        " SELECT %s, %s::date - n, 'watched', %s, 600 FROM generate_series(0, 14) n",
        lesson, DAY, school.owner.id,
    )  # fmt: skip
    buyer = stack.person("student", "Sam Student")
    stack.sql(
        "INSERT INTO purchases (lesson_id, user_id, owner_id, price_cents) VALUES (%s, %s, %s, 900)",
        lesson, buyer.id, school.owner.id,
    )  # fmt: skip
    return lesson


def press(page: Page, name: str) -> None:
    """A link that is reached with the keyboard."""
    link = page.get_by_role("link", name=name, exact=True)
    for _ in range(80):
        page.keyboard.press("Tab")
        if link.evaluate("(link) => link === document.activeElement"):
            return page.keyboard.press("Enter")
    raise AssertionError(f"{name} is not reached with the keyboard")


def test_an_instructor_looks_at_what_came_of_their_lessons_with_the_keyboard(
    page: Page, stack: Stack, school: School, accessible: Good, tmp_path: Path
) -> None:
    lesson = counted_school(stack, school)
    page.goto("/lessons")
    press(page, "Figures")
    expect(page.get_by_role("heading", level=1)).to_have_text("Figures")
    sums = page.locator("#days").locator("xpath=preceding-sibling::dl")
    expect(sums).to_contain_text("150")
    expect(page.get_by_role("img", name="Minutes watched")).to_be_visible()
    accessible(page)
    press(page, "7 days")
    expect(page.get_by_role("link", name="7 days")).to_have_attribute("aria-current", "page")
    expect(sums).to_contain_text("50")
    page.get_by_text("The numbers as a table").focus()
    page.keyboard.press("Enter")
    days = page.get_by_role("table", name="The numbers by day")
    expect(days.get_by_role("row")).to_have_count(8)
    expect(days.get_by_role("row").nth(1)).to_contain_text("not yet")
    expect(days.get_by_role("row").nth(3)).to_contain_text("10")
    accessible(page)
    expect(page.get_by_text("Never watched")).to_have_count(0)
    press(page, "Sold for")
    expect(page.get_by_role("columnheader", name="Sold for").last).to_have_attribute(
        "aria-sort", "descending"
    )
    with page.expect_download() as taken:
        press(page, "Download CSV of all lessons")
    taken.value.save_as(tmp_path / "lessons.csv")
    rows = list(csv.DictReader((tmp_path / "lessons.csv").read_text().splitlines()))
    assert {row["title"]: (row["minutes_watched"], row["sold_for"]) for row in rows} == {
        "Wet in wet": ("50.0", "9.00"), "Never watched": ("0.0", "0.00"),
    }  # fmt: skip
    press(page, "Wet in wet")
    expect(page).to_have_url(f"{stack.url}/lessons/{lesson}/figures?span=7")
    expect(page.get_by_role("heading", level=1)).to_have_text("Figures of Wet in wet")
    accessible(page)
    assert "Sam Student" not in page.content()


def test_support_looks_at_an_instructor_and_at_the_school(
    stack: Stack, school: School, visit: Visitor, accessible: Good
) -> None:
    lesson = counted_school(stack, school)
    panel = visit(stack.person("support", "Sue Support"))
    panel.goto(f"/admin/person/details/?id={school.owner.id}")
    panel.get_by_role("link", name="Figures of their lessons").click()
    expect(panel.get_by_role("heading", level=1)).to_have_text("Figures of Tina Instructor")
    expect(panel.get_by_text("MUX_ENV_KEY is not set")).to_be_visible()
    accessible(panel)
    panel.get_by_label("Breadcrumbs").get_by_role("link", name="Figures").click()
    expect(panel.get_by_text("What came of the lessons of all instructors.")).to_be_visible()
    accessible(panel)
    panel.goto(f"/admin/lesson/details/?id={lesson}")
    panel.get_by_role("main").get_by_role("link", name="Figures", exact=True).click()
    expect(panel.get_by_role("heading", level=1)).to_have_text("Figures of Wet in wet")
