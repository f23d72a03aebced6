"""Files to download with a lesson: added part by part over a bad connection, removed and restored, downloaded by a buyer, at both sizes of screen."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.school import School
from tests.browser.stack import Person, Stack, Visitor
from tests.browser.test_videos import Good

PARTS = re.compile(r"/api/lessons/[^/]+/files/[^/]+/parts$")


def files_of(tmp_path: Path) -> tuple[str, bytes, str]:
    """A file of three parts, and one that is too large for a lesson."""
    plan, large = tmp_path / "plan of the loaf.pdf", tmp_path / "film.zip"
    data = bytes(range(256)) * 9000
    plan.write_bytes(data)
    with large.open("wb") as file:
        file.truncate(25_000_001)
    return str(plan), data, str(large)


@pytest.mark.parametrize("width", [1280, 390])
def test_a_file_is_added_removed_restored_and_downloaded(
    visit: Visitor,
    instructor: Person,
    school: School,
    stack: Stack,
    accessible: Good,
    tmp_path: Path,
    width: int,
) -> None:
    plan, data, large = files_of(tmp_path)
    lesson = school.lesson("Wet in wet", real=True)
    page: Page = visit(instructor, width=width, dark=width < 1000, errors=True)
    page.goto(f"/lessons/{lesson}/edit")
    page.get_by_role("link", name="Files to download").click()
    expect(page.get_by_text("This lesson has no files yet.")).to_be_visible()
    accessible(page)

    lost: list[str] = []

    def lose_one(route: Route) -> None:
        """The second part does not get through at first."""
        if len(lost) == 1:
            lost.append("lost")
            return route.abort()
        lost.append("sent")
        return route.continue_()

    page.route(PARTS, lose_one)
    page.get_by_label("Choose files").set_input_files([large, plan])
    adding = page.locator("[data-adding]")
    expect(adding).to_contain_text("“film.zip” is too large")
    link = page.get_by_role("link", name="plan of the loaf.pdf")
    expect(link).to_be_visible()
    assert lost == ["sent", "lost", "sent", "sent"]
    accessible(page)
    page.get_by_role("button", name="Cancel: film.zip").click()
    expect(adding.locator("li")).to_have_count(0)

    page.get_by_role("button", name="Remove “plan of the loaf.pdf”").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("is removed. You can restore it below.")).to_be_visible()
    accessible(page)
    page.get_by_role("button", name="Restore “plan of the loaf.pdf”").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("is restored.")).to_be_visible()

    student = visit(stack.person("student", "Stu Student"), width=width, dark=width < 1000)
    student.goto(f"/catalog/{lesson}")
    accessible(student)
    with student.expect_download() as given:
        student.get_by_role("link", name="plan of the loaf.pdf").click()
    assert given.value.suggested_filename == "plan of the loaf.pdf"
    assert given.value.path().read_bytes() == data


def test_a_file_that_is_chosen_before_the_script_has_come_is_added(
    visit: Visitor, instructor: Person, school: School, tmp_path: Path
) -> None:
    plan, _, _ = files_of(tmp_path)
    page = visit(instructor)
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route(re.compile("/add-files"), hold)
    page.goto(f"/lessons/{school.lesson('Wet in wet')}/files")
    page.get_by_label("Choose files").set_input_files(plan)
    expect(page.locator("[data-adding] li")).to_have_count(0)
    for route in held:
        route.continue_()
    expect(page.get_by_role("link", name="plan of the loaf.pdf")).to_be_visible()
    assert held


def test_a_file_that_changes_on_disk_and_a_session_that_ends_say_so_and_go_on(
    page: Page, school: School, stack: Stack, tmp_path: Path, visit: Visitor, instructor: Person
) -> None:
    plan, data, _ = files_of(tmp_path)
    lesson = school.lesson("Wet in wet")
    page = visit(instructor, errors=True)
    page.goto(f"/lessons/{lesson}/files")
    page.route(PARTS, lambda route: route.fulfill(status=401, json={}))
    page.get_by_label("Choose files").set_input_files(plan)
    expect(page.locator("[data-adding]")).to_contain_text("Sign in again in another tab, then press “Go on”.")
    page.unroute(PARTS)
    page.get_by_role("button", name="Go on: plan of the loaf.pdf").click()
    expect(page.get_by_role("link", name="plan of the loaf.pdf")).to_be_visible()
    parts = stack.sql(
        "SELECT string_agg(p.data, ''::bytea ORDER BY p.number) FROM lesson_file_parts p JOIN lesson_files f ON f.id = p.file_id"
        " WHERE f.lesson_id = %s",
        lesson,
    )
    assert bytes(parts[0][0]) == data

    page.route(PARTS, lambda route: route.fulfill(status=401, json={}))
    other = tmp_path / "other.pdf"
    other.write_bytes(data)
    page.get_by_label("Choose files").set_input_files(str(other))
    expect(page.get_by_role("button", name="Go on: other.pdf")).to_be_visible()
    other.write_bytes(b"something else")
    page.unroute(PARTS)
    page.get_by_role("button", name="Go on: other.pdf").click()
    expect(page.locator("[data-adding]")).to_contain_text("The file on your disk was changed or deleted.")
