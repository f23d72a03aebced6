"""What support does in the panel, with everything running: find it, see why, put it right, for one lesson or for many."""

import json
import re
import uuid
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.school import School
from tests.browser.stack import Person, Stack, Visitor
from tests.browser.test_every_button import STATES

WHOLE_CLASS = 22  # more than run at once


@pytest.fixture
def support(stack: Stack) -> Person:
    return stack.person("support", "Sam Support")


@pytest.fixture
def panel(visit: Visitor, support: Person) -> Page:
    page = visit(support)
    page.goto("/admin/")
    return page


def upload(page: Page, stack: Stack, lesson: str) -> str:
    """The instructor's upload, as the browser asks for it; Mux has the file and is at work. The asset's id."""
    token = re.search(r'name="csrf-token" content="([^"]+)"', page.request.get("/account").text())
    assert token is not None
    stack.mux.hold_processing(True)
    answer = page.request.post(
        "/api/mux/upload-url",
        data={"lesson_id": lesson, "filename": "talk.mp4", "size": 1000},
        headers={"X-CSRFToken": token[1]},
    )
    assert answer.status == 201, answer.text()
    upload_id = answer.json()["upload_id"]
    stack.mux.complete_upload(upload_id)
    stack.until(lambda: state(stack, lesson)[1] == "processing")
    return str(stack.mux.upload(upload_id)["asset_id"])


def state(stack: Stack, lesson: str) -> tuple[str, str]:
    ((status, video),) = stack.sql(
        "SELECT status, video_processing_status FROM lessons WHERE id = %s", lesson
    )
    return status, video


def lose_the_webhooks(stack: Stack, lesson: str, asset: str) -> None:
    """Mux makes it ready, its message is lost, and the clock would look only tomorrow."""
    stack.mux.set_switch("deliveries_paused", True)
    stack.sql(
        "UPDATE mux_asset_tracking SET created_at = now() - interval '2 hours', next_check_at = now() + interval '1 day'"
        " WHERE lesson_id = %s",
        lesson,
    )
    stack.mux.set_asset_ready(asset)
    stack.mux.hold_processing(False)


def budget(stack: Stack, calls: int) -> None:
    """How many calls to Mux may be made right now; one more each second."""
    stack.sql("UPDATE mux_budget SET tokens = %s, filled_at = now()", calls)


def paste(panel: Page, text: str) -> None:
    panel.get_by_role("searchbox", name="Search by ID, email, URL or title").fill(text)
    panel.keyboard.press("Enter")


def choose_all_of(panel: Page, person: Person, action: str) -> None:
    """Filter the lessons by their owner, by keyboard, and take all that match, not only the page."""
    panel.goto("/admin/lesson/?page_size=20")
    panel.get_by_role("button", name="Filters").focus()
    panel.keyboard.press("Enter")
    panel.get_by_label("Owner: value").fill(person.email)
    panel.keyboard.press("Enter")
    panel.wait_for_url("**flt0_owner_is=**")
    panel.get_by_label(f"Select all {WHOLE_CLASS}").check()
    panel.get_by_role("button", name=action, exact=True).click()
    expect(panel.get_by_role("heading", level=1)).to_have_text(f"{action}: {WHOLE_CLASS} lessons")


def test_a_stuck_lesson_is_found_by_its_asset_and_put_right_by_keyboard(
    page: Page, panel: Page, stack: Stack, instructor: Person
) -> None:
    lesson = stack.lesson(instructor, title="Stuck somewhere")
    asset = upload(page, stack, lesson)
    lose_the_webhooks(stack, lesson, asset)
    paste(panel, f"  {asset} ")
    expect(panel.get_by_role("heading", level=1)).to_have_text("Stuck somewhere")
    case = panel.locator("#case")
    expect(case.get_by_role("heading")).to_have_text("Status")
    panel.get_by_role("link", name="Compare with Mux").focus()
    panel.keyboard.press("Enter")
    expect(case.locator(".finding--main")).to_contain_text("its message has not arrived")
    expect(case.get_by_role("row", name=re.compile(r"^Asset id .*Yes"))).to_be_visible()
    case.locator(".finding--main").get_by_role("button", name="Check with Mux").focus()
    panel.keyboard.press("Enter")
    expect(panel.get_by_test_id("lesson-status")).to_have_text("Published")
    expect(panel.locator("#case")).to_contain_text("It is published and plays.")
    expect(panel.locator("#story")).to_contain_text("Published")
    assert state(stack, lesson) == ("published", "ready")
    with panel.expect_download() as ticket:
        panel.get_by_role("link", name="Download as text").click()
    assert asset in ticket.value.path().read_text()


def test_a_whole_class_is_republished_with_preview_reason_and_progress(
    panel: Page, stack: Stack, instructor: Person, school: School
) -> None:
    for number in range(WHOLE_CLASS - 2):
        school.lesson(f"Draft {number:02}", status="draft", published_at=None)
    school.without_video("Nothing there", "none")
    stack.mux.set_switch("deliveries_paused", True)
    gone = school.lesson("Gone at Mux", status="draft", published_at=None)
    ((asset,),) = stack.sql("SELECT mux_asset_id FROM lessons WHERE id = %s", gone)
    stack.mux.delete_asset_in_dashboard(asset)
    # one page would answer for all of them at once; without it they are asked about one by one, and that can be stopped
    stack.mux.fault("api", "status", match={"operation": "list_assets"}, status=500)

    choose_all_of(panel, instructor, "Re-sync and publish")
    expect(panel.locator("#changes")).to_contain_text(f"{WHOLE_CLASS - 1} lessons")
    expect(panel.locator("#skipped")).to_contain_text("Nothing there")
    budget(stack, 0)
    panel.get_by_label("Reason").fill("The course opens today")
    panel.keyboard.press("Enter")
    panel.wait_for_url("**/admin/batch/details/**")
    progress = panel.get_by_role("progressbar")
    expect(progress).to_have_attribute("value", "0")
    expect(progress).not_to_have_attribute("value", "0")

    budget(stack, -60)  # a minute in which no further row can be asked about
    panel.get_by_role("button", name="Stop").click()
    expect(panel.locator("#progress")).to_contain_text(re.compile(r"Stopped with \d+ lessons left"))
    budget(stack, 18)
    panel.get_by_role("button", name="Resume").click()
    expect(panel.get_by_text("It goes on.")).to_be_visible()
    budget(stack, 18)
    expect(progress).to_have_attribute("value", "100")
    expect(panel.locator("#progress")).to_contain_text(f"{WHOLE_CLASS} of {WHOLE_CLASS} lessons")
    assert stack.sql("SELECT count(*) FROM lessons WHERE creator_id = %s AND status = 'published'", instructor.id) == [(WHOLE_CLASS - 2,)]  # fmt: skip
    expect(panel.get_by_role("row", name=re.compile("Nothing there"))).to_contain_text("Skipped")
    panel.get_by_role("row", name=re.compile("Gone at Mux")).get_by_role("link").click()
    expect(panel.locator("#case")).to_contain_text("deleted at Mux")


def test_what_was_unpublished_too_hastily_is_undone(
    panel: Page, stack: Stack, instructor: Person, school: School
) -> None:
    for number in range(WHOLE_CLASS):
        school.lesson(f"Open {number:02}")

    def published() -> int:
        ((count,),) = stack.sql(
            "SELECT count(*) FROM lessons WHERE creator_id = %s AND status = 'published'", instructor.id
        )
        return int(count)

    choose_all_of(panel, instructor, "Unpublish")
    panel.get_by_role("button", name="Unpublish 22 lessons").click()
    expect(panel.get_by_label("Reason")).to_be_focused()  # nothing is done without one
    assert published() == WHOLE_CLASS
    panel.get_by_label("Reason").fill("Wrong term")
    panel.keyboard.press("Enter")
    expect(panel.locator("#progress")).to_contain_text("22 of 22 lessons")
    assert published() == 0
    panel.get_by_role("button", name="Undo…").click()
    question = panel.get_by_role("dialog")
    question.get_by_label("Reason").fill("It was the right term")
    panel.keyboard.press("Enter")
    expect(panel.get_by_role("heading", level=1)).to_have_text("Undo of “Unpublish 22 lessons”")
    expect(panel.locator("#progress")).to_contain_text("22 of 22 lessons")
    assert published() == WHOLE_CLASS


def test_clearing_wants_the_word_and_can_be_taken_back(
    panel: Page, stack: Stack, instructor: Person, school: School
) -> None:
    lesson = school.lesson("Cleared by mistake", real=True)
    ((asset,),) = stack.sql("SELECT mux_asset_id FROM lessons WHERE id = %s", lesson)
    paste(panel, lesson)
    panel.get_by_role("button", name="Remove video…").click()
    expect(panel.get_by_role("radio", name=re.compile("Keep the videos for 24 hours"))).to_be_checked()
    panel.get_by_label("Reason").fill("The teacher asked")
    panel.get_by_label("Type “remove” to confirm").fill("yes")
    panel.keyboard.press("Enter")
    expect(panel.locator(".error-summary")).to_be_focused()
    expect(panel.get_by_label("Reason")).to_have_value("The teacher asked")
    assert state(stack, lesson) == ("published", "ready")
    panel.get_by_label("Type “remove” to confirm").fill("remove")
    panel.keyboard.press("Enter")
    expect(panel.get_by_test_id("video-status")).to_have_text("Deleting")
    expect(panel.locator("#case")).to_contain_text("kept at Mux for the grace time")
    assert state(stack, lesson) == ("draft", "deleting")
    assert stack.mux.asset(asset)["id"] == asset, "Mux keeps it for the grace time"

    panel.get_by_role("link", name="Details").click()
    panel.get_by_role("button", name="Undo…").click()
    panel.get_by_role("dialog").get_by_label("Reason").fill("It was another lesson")
    panel.keyboard.press("Enter")
    expect(panel.locator("#progress")).to_contain_text("1 of 1 lesson")
    stack.until(lambda: state(stack, lesson)[1] == "ready")
    assert stack.sql("SELECT mux_asset_id FROM lessons WHERE id = %s", lesson) == [(asset,)]


def test_a_failed_event_is_read_and_replayed(
    page: Page, panel: Page, stack: Stack, instructor: Person
) -> None:
    lesson = stack.lesson(instructor, title="Waiting for news")
    asset = upload(page, stack, lesson)
    lose_the_webhooks(stack, lesson, asset)
    told = next(
        one
        for one in stack.mux.events()
        if one["type"] == "video.asset.ready" and one["object"]["id"] == asset
    )
    payload = {k: v for k, v in told.items() if k not in ("seq", "lane", "deliveries")}
    stack.sql(
        "INSERT INTO mux_events (id, mux_event_id, type, object_id, asset_id, outcome, attempts, error, payload)"
        " VALUES (%s, %s, %s, %s, %s, 'failed', 8, 'OperationalError: the database went away', %s)",
        uuid.uuid4(),
        told["id"],
        told["type"],
        asset,
        asset,
        json.dumps(payload),
    )
    paste(panel, told["id"])
    expect(panel.get_by_role("heading", level=1)).to_have_text("video.asset.ready")
    expect(panel.get_by_text("OperationalError: the database went away")).to_be_visible()
    expect(panel.get_by_role("region", name="Payload")).to_contain_text(asset)
    panel.get_by_role("button", name="Replay…").focus()
    panel.keyboard.press("Enter")
    expect(panel.get_by_role("heading", level=1)).to_have_text("Replay: 1 event")
    expect(panel.locator("#changes")).to_contain_text("The event is applied again.")
    panel.get_by_role("button", name="Replay 1 event").click()
    expect(panel.get_by_label("Reason")).to_be_focused()  # nothing is done without one
    assert state(stack, lesson) == ("draft", "processing")
    panel.get_by_label("Reason").fill("The database is back")
    panel.keyboard.press("Enter")
    expect(panel.get_by_text("Applied", exact=True).first).to_be_visible()
    assert state(stack, lesson) == ("published", "ready")
    reasons = stack.sql(
        "SELECT detail ->> 'reason' FROM audit_log WHERE action = 'event.replayed' ORDER BY at"
    )
    assert reasons[-1] == ("The database is back",)
    panel.get_by_role("link", name="Waiting for news").click()
    expect(panel.get_by_test_id("lesson-status")).to_have_text("Published")


def test_the_panel_is_not_for_instructors(visit: Visitor, instructor: Person, panel: Page) -> None:
    theirs = visit(instructor, errors=True)
    for path in ("/admin/", "/admin/lesson/", "/admin/doctor/", "/admin/search/?q=x"):
        answer = theirs.goto(path)
        assert answer is not None
        assert answer.status == 404, path
    expect(panel.get_by_role("link", name="Accounts")).to_have_count(0)


LONG_WORDS = "Watercolour for absolute beginners: wet in wet, glazing, dry brush and how to save a sheet that has gone wrong"
LONG_WORD = "Donaudampfschifffahrtsgesellschaft" * 5
# what is wider than its place, inside the page; ids are shortened on purpose and copied whole
CUT = """() => [...document.querySelectorAll("main *")].filter((one) => !one.closest(".hidden-text, thead, .copy, svg") && one.clientWidth > 1
  && (one.getBoundingClientRect().right > innerWidth + 1 || (getComputedStyle(one).overflowX !== "visible" && one.scrollWidth > one.clientWidth + 1)))
  .map((one) => `${one.tagName}.${one.className} ${one.textContent.trim().slice(0, 40)}`)"""
ROWS = """() => [...document.querySelectorAll("tbody tr")].map((row) => { const box = row.getBoundingClientRect();
  const out = [...row.querySelectorAll("*")].some((one) => getComputedStyle(one).display !== "none" && !one.closest(".cell__words, .cell__text, svg") && one.getBoundingClientRect().bottom > box.bottom + 1);
  return [Math.round(box.height), out, row.innerText]; })"""
# addresses of which a part between its dots stands on two lines
HALVED = """() => [...document.querySelectorAll("tbody .email")].filter((one) => [...one.childNodes].some((part) => { const range = document.createRange();
  range.selectNodeContents(part); return new Set([...range.getClientRects()].map((box) => Math.round(box.top))).size > 1; })).map((one) => one.textContent)"""


def crowded(stack: Stack, school: School) -> None:
    """Rows of every list, with long titles, addresses and errors, and lessons in every state."""
    for make in STATES.values():
        stack.sql(
            "UPDATE lessons SET title = %s, publish_on_ready = true WHERE id = %s", LONG_WORDS, make(school)
        )
    for title in (LONG_WORDS, LONG_WORD):
        lesson = school.without_video(title, "error")
        stack.sql(
            "UPDATE lessons SET video_error_type = 'asset_errored', video_error_message = %s WHERE id = %s", LONG_WORDS, lesson
        )  # fmt: skip
        school.course(title)
        student = stack.person("student", LONG_WORD[:90])
        stack.sql("UPDATE users SET email = %s WHERE id = %s", f"maximiliane.{student.id.hex[:12]}@thelongnameofaschool.example", student.id)  # fmt: skip
        stack.sql("INSERT INTO purchases (lesson_id, user_id, price_cents) VALUES (%s, %s, 900)", lesson, student.id)  # fmt: skip
        stack.sql("INSERT INTO audit_log (actor_type, actor_id, action, target_type, target_id, detail) VALUES ('user', %s, 'lesson.updated', 'lesson', %s, %s)", student.id, lesson, json.dumps({"reason": LONG_WORDS}))  # fmt: skip
        stack.sql("INSERT INTO mux_asset_tracking (lesson_id, owner_id, upload_id, filename, status, error_type, error_message) VALUES (%s, %s, %s, %s, 'error', 'asset_errored', %s)", lesson, school.owner.id, f"{LONG_WORD}{student.id}", title, LONG_WORDS)  # fmt: skip
        stack.sql("INSERT INTO asset_deletions (mux_asset_id, reason, target_type, target_id, requested_by, last_error, attempts) VALUES (%s, 'replaced', 'lesson', %s, %s, %s, 3)", f"{LONG_WORD}{student.id}", lesson, student.id, LONG_WORDS)  # fmt: skip
        stack.sql("INSERT INTO mux_events (id, mux_event_id, type, target_type, target_id, outcome, attempts, error, payload) VALUES (gen_random_uuid(), %s, 'video.asset.errored', 'lesson', %s, 'failed', 3, %s, '{}')", f"event-{student.id}", lesson, LONG_WORDS)  # fmt: skip


def test_every_list_fits_a_desktop_and_a_phone(
    visit: Visitor, stack: Stack, school: School, accessible: Callable[[Page], None]
) -> None:
    crowded(stack, school)
    page = visit(stack.person("admin", "Ada Admin"))
    for slug in ("lesson", "course", "purchase", "tracking", "event", "deletion", "user", "audit"):
        for width in (1280, 390):
            page.set_viewport_size({"width": width, "height": 844})
            page.goto(f"/admin/{slug}/")
            assert page.evaluate(CUT) == [], (slug, width)
            assert page.evaluate(HALVED) == [], (slug, width)
            rows = page.evaluate(ROWS)
            assert rows
            assert [words for _, sticks_out, words in rows if sticks_out] == [], (slug, width)
            assert width > 390 or [words for height, _, words in rows if height > 88] == [], slug
    page.goto("/admin/lesson/?search=Donaudampf")
    accessible(page)
    page.set_viewport_size({"width": 390, "height": 844})
    remove = page.get_by_role("button", name="Remove video", exact=True)
    expect(remove).to_be_hidden()
    page.get_by_label(f"Select {LONG_WORD}").check()
    page.get_by_role("button", name="Actions").click()
    remove.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Remove video: 1 lesson")
