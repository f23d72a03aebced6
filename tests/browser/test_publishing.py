"""What an instructor does, from the first word to the published lesson, without waiting and without a reload."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.stack import Person, Stack, Visitor
from tests.browser.steps import choose, lesson_id, published, write

ASKS = "**/video?attempt=*"
FOCUSED = """(name) => {
  const one = document.activeElement;
  return [...(one.labels ?? []), one].some((each) => each.textContent.trim().startsWith(name));
}"""


def test_a_lesson_with_a_video_publishes_itself(page: Page, film: Callable[..., str], stack: Stack) -> None:
    write(page)
    stack.mux.hold_processing()
    choose(page, film())
    lesson = lesson_id(page)
    expect(page.get_by_test_id("lesson-status")).to_have_text("Draft")
    expect(page.get_by_test_id("video-status")).to_contain_text("Processing")
    expect(page.get_by_test_id("video-progress")).to_be_visible()
    expect(page.get_by_text("You can close this page").first).to_be_visible()
    stack.mux.hold_processing(False)
    published(page)
    playback_id = page.get_by_test_id("mux-playback-id").inner_text()
    assert playback_id == stack.mux.assets()[0]["playback_ids"][0]["id"]
    assert not playback_id.startswith("temp_")
    ((title, price),) = stack.sql("SELECT title, price_cents FROM lessons WHERE id = %s", lesson)
    assert (title, price) == ("Bread, slowly", 999)


def test_an_instructor_who_leaves_finds_it_published_and_is_told(
    page: Page, visit: Visitor, instructor: Person, film: Callable[..., str], stack: Stack
) -> None:
    stack.mux.set_switch("processing_seconds", 5.0)
    write(page)
    choose(page, film())
    expect(page.get_by_test_id("video-status")).to_contain_text("Processing")
    address = page.url
    page.close()
    later = visit(instructor)
    later.goto("/lessons")
    expect(later.get_by_test_id("lesson-status")).to_have_text("Published")
    later.goto(address)
    published(later)
    expect(later.get_by_role("link", name="Notifications, 1 unread")).to_be_visible()


def done_at_mux(stack: Stack, lesson: str) -> bool:
    ((upload_id,),) = stack.sql("SELECT upload_id FROM mux_asset_tracking WHERE lesson_id = %s", lesson)
    asset_id = stack.mux.upload(upload_id).get("asset_id")
    return asset_id is not None and stack.mux.asset(asset_id)["status"] == "ready"


def test_a_stuck_lesson_is_published_by_hand(page: Page, film: Callable[..., str], stack: Stack) -> None:
    stack.mux.set_switch("deliveries_paused", True)
    write(page)
    choose(page, film())
    lesson = lesson_id(page)
    expect(page.get_by_text("Upload complete").first).to_be_visible()
    expect(page.get_by_test_id("manual-publish-control")).to_have_count(0)
    stack.until(lambda: done_at_mux(stack, lesson))
    stack.sql(
        "UPDATE mux_asset_tracking SET created_at = now() - interval '2 hours', next_check_at = now() + interval '1 day'"
        " WHERE lesson_id = %s",
        lesson,
    )
    page.reload()
    expect(page.get_by_test_id("video-status")).to_have_text("Stuck")
    expect(page.get_by_test_id("manual-publish-control")).to_be_visible()
    page.get_by_label("Title").fill("Typed and not saved")
    page.get_by_test_id("manual-publish-button").click()
    expect(page.get_by_test_id("publish-success-message")).to_contain_text("published")
    published(page)
    expect(page.get_by_test_id("manual-publish-control")).to_have_count(0)
    expect(page.get_by_label("Title")).to_have_value("Typed and not saved")


def test_a_failed_video_says_why_and_is_tried_again(
    page: Page, film: Callable[..., str], stack: Stack
) -> None:
    write(page)
    choose(page, film(b"this is no video at all " * 500, name="broken.mp4"))
    expect(page.get_by_test_id("video-status")).to_have_text("Failed")
    expect(page.get_by_test_id("lesson-status")).to_have_text("Draft")
    expect(page.locator("#video .note--bad").first).to_contain_text("Mux could not process this video")
    expect(page.locator("#video .note--bad").first).to_contain_text("upload it again")
    choose(page, film())
    published(page)
    assert len({one["id"] for one in stack.mux.uploads()[:2]}) == 2


def test_a_video_that_fails_before_the_page_asks_again_is_tried_again_too(
    page: Page, film: Callable[..., str], stack: Stack
) -> None:
    """Mux may be so quick that the page, which asks now and then, never sees the state between."""
    held: list[Route] = []
    page.route(ASKS, lambda route: held.append(route))
    write(page)
    choose(page, film(b"this is no video at all " * 500, name="broken.mp4"))
    lesson = lesson_id(page)
    failed = "SELECT 1 FROM mux_asset_tracking WHERE lesson_id = %s AND status = 'error'"
    expect(page.get_by_text("Upload complete", exact=True)).to_be_visible()
    stack.until(lambda: stack.sql(failed, lesson))
    for route in held:
        route.continue_()
    page.unroute(ASKS)
    expect(page.get_by_test_id("video-status")).to_have_text("Failed")
    expect(page.get_by_text("Upload complete", exact=True)).to_be_hidden()
    choose(page, film())
    published(page)


def comes(stack: Stack, lesson: str, column: str) -> None:
    """That time of the lesson is a second away."""
    assert column in ("publish_not_before", "unpublish_at")
    stack.sql(f"UPDATE lessons SET {column} = clock_timestamp() + interval '1 second' WHERE id = %s", lesson)  # noqa: S608 - a column that the assertion above names


@pytest.mark.parametrize("width", [1280, 390])
def test_a_lesson_is_published_and_unpublished_at_its_times(
    page: Page,
    film: Callable[..., str],
    stack: Stack,
    accessible: Callable[[Page], None],
    width: int,
) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    write(page)
    page.get_by_label("Keep as draft").check()
    expect(page.get_by_text("Plan when students see it")).to_be_hidden()
    page.get_by_label("Publish automatically").check()
    page.get_by_text("Plan when students see it").click()
    expect(page.get_by_text("Times of the school: UTC.")).to_be_visible()
    page.get_by_label("Not before").fill("2020-01-01T10:00")
    page.get_by_role("button", name="Save and publish later").click()
    expect(page.locator("#error-publish_not_before")).to_contain_text("This time is over.")
    expect(page.get_by_label("Not before")).to_have_value("2020-01-01T10:00")
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    page.get_by_label("Not before").fill(f"{tomorrow:%Y-%m-%dT18:00}")
    page.get_by_label("Unpublish at").fill(f"{tomorrow + timedelta(days=7):%Y-%m-%dT18:00}")
    accessible(page)
    page.get_by_role("button", name="Save and publish later").click()
    lesson = lesson_id(page)
    choose(page, film())
    expect(page.get_by_test_id("video-status")).to_have_text("Ready")
    expect(page.locator("#publication")).to_contain_text("will be published automatically on")
    expect(page.locator("#publication")).to_contain_text("18:00 (UTC)")
    expect(page.get_by_test_id("lesson-status")).to_have_text("Draft")
    comes(stack, lesson, "publish_not_before")
    page.reload()  # an open page knows of the time that was saved
    published(page)
    expect(page.get_by_label("Not before")).to_be_hidden()
    expect(page.locator("#publication")).to_contain_text("Students find it in the catalogue until")
    comes(stack, lesson, "unpublish_at")
    stack.until(lambda: stack.sql("SELECT 1 FROM lessons WHERE status = 'draft' AND id = %s", lesson))
    page.goto("/notifications")
    expect(
        page.get_by_role("heading", name="A lesson was unpublished as planned: Bread, slowly")
    ).to_be_visible()
    page.goto("/lessons")
    expect(page.get_by_test_id("lesson-status")).to_have_text("Draft")


def test_times_are_planned_by_the_keyboard_alone(page: Page, stack: Stack) -> None:
    write(page)
    page.get_by_label("Publish automatically").focus()
    reached(page, "Plan when students see it")
    page.keyboard.press("Enter")
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    ends = tomorrow + timedelta(days=7)
    for label, day in (("Not before", tomorrow), ("Unpublish at", ends)):
        reached(page, label)
        page.keyboard.type(f"{day:%m%d%Y}")
        page.keyboard.press("Tab")
        page.keyboard.type("0600PM")
        expect(page.get_by_label(label)).to_have_value(f"{day:%Y-%m-%dT18:00}")
    reached(page, "Save and publish later")
    page.keyboard.press("Enter")
    lesson = lesson_id(page)
    expect(page.locator("#publication")).to_contain_text("not before")
    ((begins, stops),) = stack.sql(
        "SELECT publish_not_before, unpublish_at FROM lessons WHERE id = %s", lesson
    )
    assert [f"{at.astimezone(UTC):%Y-%m-%d %H:%M}" for at in (begins, stops)] == [
        f"{day:%Y-%m-%d} 18:00" for day in (tomorrow, ends)
    ]


def reached(page: Page, name: str) -> None:
    """By the Tab key, from where the focus is."""
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate(FOCUSED, name):
            return
    raise AssertionError(f"{name} is not reached by the Tab key")


def test_a_time_without_a_video_is_warned_of_and_its_miss_is_told(
    page: Page, film: Callable[..., str], stack: Stack
) -> None:
    write(page)
    page.get_by_text("Plan when students see it").click()
    page.get_by_label("Not before").fill(f"{datetime.now(UTC) + timedelta(hours=5):%Y-%m-%dT%H:%M}")
    page.get_by_role("button", name="Save and publish later").click()
    expect(page.locator("#publication")).to_contain_text("as soon as it has a video, but not before")
    lesson = lesson_id(page)
    stack.sql("UPDATE lessons SET updated_at = now() - interval '2 hours' WHERE id = %s", lesson)
    told(
        page,
        stack,
        lesson,
        "publication_at_risk",
        "A lesson may not be published in time",
        "it has no video yet. Upload it now",
    )
    comes(stack, lesson, "publish_not_before")
    told(
        page,
        stack,
        lesson,
        "publication_late",
        "A lesson is published later than planned",
        "It will be published as soon as",
    )
    page.goto(f"/lessons/{lesson}/edit")
    choose(page, film())
    published(page)


def told(page: Page, stack: Stack, lesson: str, cause: str, headline: str, words: str) -> None:
    stack.until(
        lambda: stack.sql("SELECT 1 FROM notifications WHERE lesson_id = %s AND cause = %s", lesson, cause)
    )
    page.goto("/notifications")
    heading = page.get_by_role("heading", name=f"{headline}: Bread, slowly")
    expect(page.locator(".notice", has=heading)).to_contain_text(words)
