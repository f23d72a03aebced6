"""The bell and its list: told without a reload, read by opening, and accessible."""

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.school import School
from tests.browser.stack import Person, Stack, Visitor

Axe = Callable[[Page], list[str]]


def test_a_notice_is_read_by_opening_what_it_is_about(
    page: Page, school: School, stack: Stack, instructor: Person
) -> None:
    """Two of them: one that is there, and what the clock tells of a file that Mux has been waiting for since yesterday."""
    lesson = school.without_video("Wet in wet", "error")
    school.notice(instructor, "video_failed", "The video of “Wet in wet” failed.", lesson_id=lesson)
    page.goto("/courses")
    page.get_by_role("link", name="Notifications, 1 unread").click()
    page.get_by_role("button", name="A video failed: Wet in wet", exact=True).click()
    expect(page).to_have_url(re.compile(f"/lessons/{lesson}/edit$"))
    page.goto("/notifications")
    expect(page.get_by_role("link", name="Notifications", exact=True)).to_be_visible()
    expect(page.get_by_text("New", exact=True)).to_have_count(0)
    waiting = school.on_its_way(
        "Rye", "uploading", created_at="yesterday", last_answer="upload_waiting", expires_at="tomorrow"
    )
    stack.until(lambda: bool(stack.sql("SELECT 1 FROM notifications WHERE lesson_id = %s", waiting)))
    page.goto("/notifications")
    told = page.get_by_role("button", name="The file of a video has not arrived: Rye", exact=True)
    expect(page.get_by_text("Mux has been waiting for it since")).to_be_visible()
    told.focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"/lessons/{waiting}/edit$"))
    expect(page.get_by_test_id("video-status")).to_have_text("File not arrived")


def test_one_and_all_are_marked_by_keyboard(page: Page, school: School, instructor: Person) -> None:
    for n in range(3):
        school.notice(instructor, "video_ready", f"The video of “Lesson {n}” is ready.")
    page.goto("/notifications")
    page.get_by_role("button", name=re.compile("^Mark as read")).first.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Notifications, 2 unread")).to_be_visible()
    page.get_by_role("button", name="Mark all as read").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Mark all as read")).to_have_count(0)


def test_a_digest_opens_to_every_lesson(page: Page, school: School, instructor: Person) -> None:
    for n in range(12):
        lesson = school.without_video(f"Lesson {n}", "error")
        school.notice(
            instructor, "video_failed", f"“Lesson {n}” failed.", lesson_id=lesson, cause="asset_errored"
        )
    page.goto("/notifications")
    expect(page.get_by_role("heading", name="12 videos failed")).to_be_visible()
    expect(page.get_by_role("link", name="Lesson 7")).to_be_hidden()
    page.get_by_text("Show all 12").click()
    page.get_by_role("link", name="Lesson 7").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Lesson 7")


def test_the_figure_in_the_bell_follows_without_a_reload(
    page: Page, school: School, instructor: Person
) -> None:
    page.goto("/courses")
    expect(page.get_by_role("link", name="Notifications", exact=True)).to_be_visible()
    school.notice(instructor, "video_ready", "It is ready.")
    for _ in range(50):  # the behaviour may not be loaded yet
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        page.wait_for_timeout(100)
        if page.get_by_role("link", name="Notifications, 1 unread").count():
            break
    expect(page.get_by_role("link", name="Notifications, 1 unread")).to_be_visible()


def test_the_list_is_accessible(
    visit: Visitor, school: School, stack: Stack, instructor: Person, axe: Axe
) -> None:
    newcomer = stack.person()
    for kind in ("lesson_published", "video_ready", "needs_attention", "video_deleted", "alarm"):
        school.notice(
            instructor, kind, "Something with averyveryveryverylongwordinitthatdoesnotwrapbyitself. " * 3
        )
    for _ in range(3):
        school.notice(instructor, "video_failed", "It failed.", cause="asset_errored")
    for width, dark in ((390, False), (1280, True)):
        for person in (instructor, newcomer):
            page = visit(person, width=width, dark=dark)
            for address in ("", "?show=unread"):
                page.goto(f"/notifications{address}")
                assert axe(page) == [], (width, dark, address)
                assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_account_page_is_accessible_and_signs_out_everywhere(
    visit: Visitor, instructor: Person, axe: Axe
) -> None:
    elsewhere = visit(instructor)
    page = visit(instructor, width=390)
    page.goto("/account")
    assert axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("link", name="Sessions and sign-ins").click()
    expect(page.get_by_text("This browser")).to_be_visible()
    expect(page.locator("#sessions").get_by_text("Chrome on Linux")).to_have_count(2)
    assert axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    wrong = visit(instructor, errors=True)
    wrong.goto("/account")
    wrong.get_by_label("Current password").fill("x")
    wrong.get_by_label("New password", exact=True).fill("short")
    wrong.get_by_label("New password again").fill("short")
    wrong.get_by_role("button", name="Change password").click()
    expect(wrong.locator(".error-summary")).to_be_focused()
    assert axe(wrong) == []
    page.get_by_role("button", name="Sign out everywhere", exact=True).click()
    expect(page).to_have_url(re.compile("/login"))
    elsewhere.goto("/account")
    expect(elsewhere).to_have_url(re.compile("/login"))
