"""What an instructor does with a video that is there: replace it and think better of it, remove it, take the lesson back.
Each is asked about in words that name what will happen."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.school import School
from tests.browser.stack import Person, Stack, Visitor
from tests.browser.steps import choose, choose_in_parts, published
from tests.browser.uploads.test_upload import HELD, LONG

Film = Callable[..., str]
Good = Callable[[Page], None]


@pytest.fixture
def lesson(school: School, page: Page) -> str:
    """A published lesson that plays, with its page open."""
    made = school.lesson("Wet in wet", price=900, real=True)
    page.goto(f"/lessons/{made}/edit")
    published(page)
    return made


def played(page: Page) -> str:
    return page.get_by_test_id("mux-playback-id").inner_text()


def ask(page: Page, opener: str) -> Locator:
    """The question that a button asks; a no changes nothing and leaves the user where they were."""
    button = page.get_by_role("button", name=opener)
    button.click()
    question = page.get_by_role("dialog")
    expect(question.get_by_role("button", name=re.compile("^(Cancel|Keep the video)$"))).to_be_focused()
    page.keyboard.press("Escape")
    expect(question).to_have_count(0)
    expect(button).to_be_focused()
    page.keyboard.press("Enter")
    return question


def asset_of(stack: Stack, lesson: str) -> str:
    ((asset_id,),) = stack.sql("SELECT mux_asset_id FROM lessons WHERE id = %s", lesson)
    return str(asset_id)


def until_gone(stack: Stack, asset_id: str) -> None:
    stack.until(lambda: asset_id not in {one["id"] for one in stack.mux.assets()})


def test_a_replaced_video_plays_until_the_new_one_is_ready_and_comes_back_if_wanted(
    page: Page, stack: Stack, film: Film, lesson: str, accessible: Good
) -> None:
    old = played(page)
    stack.mux.fault("upload", "slow", match={"operation": "put", "chunk": HELD}, seconds=100)
    page.get_by_role("button", name="Replace…").click()
    expect(page.get_by_role("button", name="Choose a video file")).to_be_focused()
    expect(
        page.get_by_text("The current video stays live until the new one is ready. You can")
    ).to_be_visible()
    choose_in_parts(page, film(LONG, name="second.mp4"))
    expect(page.get_by_test_id("video-progress")).to_contain_text("second.mp4")
    stack.until(
        lambda: (
            stack.sql(
                "SELECT count(*) FROM mux_asset_tracking WHERE lesson_id = %s AND superseded_at IS NULL",
                lesson,
            )
            == [(2,)]
        )
    )
    published(page)
    assert played(page) == old
    expect(page.locator("mux-player")).to_be_visible()
    accessible(page)
    stack.mux.clear_faults()
    expect(page.get_by_text("You can restore the previous one until")).to_be_visible()
    new = played(page)
    assert new != old
    assert new in (page.locator("mux-player").get_attribute("src") or "")
    page.get_by_role("button", name="Restore previous video").click()
    expect(page.locator("[data-answer=video]")).to_have_text("The previous video is restored.")
    expect(page.get_by_role("button", name="Use the newer video again")).to_be_visible()
    expect(page.get_by_role("button", name="Restore previous video")).to_have_count(0)
    expect(page.get_by_test_id("mux-playback-id")).to_have_text(old)
    published(page)


def test_a_replacement_that_fails_leaves_the_lesson_as_it_was(
    page: Page, stack: Stack, film: Film, lesson: str
) -> None:
    old = played(page)
    page.get_by_role("button", name="Replace…").click()
    choose(page, film(b"this is no video at all " * 500, name="broken.mp4"))
    expect(page.get_by_text("The new video failed; the current one still plays.")).to_be_visible()
    assert played(page) == old
    published(page)
    page.get_by_role("button", name="Replace…").click()
    choose(page, film())
    expect(page.get_by_test_id("mux-playback-id")).not_to_have_text(old)
    published(page)


def test_a_bought_video_is_removed_restored_and_removed_for_good(
    page: Page, stack: Stack, film: Film, lesson: str, accessible: Good
) -> None:
    asset_id = asset_of(stack, lesson)
    for student in (stack.person("student", "Ada"), stack.person("student", "Ben")):
        stack.sql(
            "INSERT INTO purchases (lesson_id, user_id, price_cents) VALUES (%s, %s, 900)", lesson, student.id
        )
    page.reload()
    question = ask(page, "Remove video…")
    expect(question).to_contain_text("2 students bought this lesson")
    expect(question).not_to_contain_text("Ada")
    expect(question).to_contain_text("becomes a draft at once")
    accessible(page)
    question.get_by_label("Type 2 to confirm").fill("2")
    question.get_by_role("button", name="Remove video").click()
    expect(page.get_by_test_id("lesson-status")).to_have_text("Draft")
    expect(page.get_by_text("Video removed on")).to_be_visible()
    expect(page.locator("mux-player")).to_have_count(0)
    accessible(page)
    page.get_by_test_id("restore-video").click()
    expect(page.get_by_test_id("video-status")).to_have_text("Ready")
    published(page)
    assert asset_of(stack, lesson) == asset_id

    question = ask(page, "Remove video…")
    question.get_by_label("Type 2 to confirm").fill("2")
    question.get_by_role("button", name="Remove video").click()
    expect(page.get_by_text("Video removed on")).to_be_visible()
    stack.sql("UPDATE asset_deletions SET due_at = now() WHERE mux_asset_id = %s", asset_id)
    until_gone(stack, asset_id)
    page.reload()
    expect(page.get_by_test_id("video-status")).to_have_text("No video")
    choose(page, film())
    expect(page.get_by_test_id("video-status")).to_have_text("Ready")
    expect(page.get_by_test_id("lesson-status")).to_have_text("Draft")
    page.get_by_role("button", name="Put back on sale").click()
    published(page)


def test_an_unpublished_lesson_leaves_the_catalogue_and_comes_back(
    page: Page, lesson: str, accessible: Good
) -> None:
    question = ask(page, "Unpublish…")
    expect(question).to_contain_text("It can't be bought any more")
    accessible(page)
    question.get_by_role("button", name="Unpublish").click()
    expect(page.get_by_test_id("lesson-status")).to_have_text("Draft")
    expect(page.get_by_label("Keep as draft")).to_be_checked()
    page.get_by_role("button", name="Publish now").click()
    expect(page.get_by_test_id("publish-success-message")).to_contain_text("published successfully")
    published(page)
    page.get_by_role("link", name="See it in the catalogue").click()
    expect(page).to_have_url(re.compile(rf"/catalog/{lesson}$"))
    expect(page.locator("mux-player")).to_be_visible()


def test_what_mux_works_on_can_be_given_up(page: Page, stack: Stack, school: School, film: Film) -> None:
    stack.mux.hold_processing()
    lesson = school.without_video("Wet in wet", "none")
    page.goto(f"/lessons/{lesson}/edit")
    choose(page, film())
    expect(page.get_by_test_id("video-status")).to_contain_text("Processing")
    question = ask(page, "Cancel upload…")
    expect(question).to_contain_text("has no video until you upload one again")
    question.get_by_role("button", name="Cancel the upload").click()
    expect(page.get_by_test_id("video-status")).to_have_text("No video")
    expect(page.locator("[data-answer=video]")).to_contain_text("The upload is cancelled, here and at Mux.")
    stack.mux.hold_processing(False)
    stack.until(
        lambda: (
            stack.sql(
                "SELECT count(*) FROM asset_deletions d JOIN mux_asset_tracking t ON t.id = d.tracking_id"
                " WHERE t.lesson_id = %s AND d.done_at IS NOT NULL",
                lesson,
            )
            == [(1,)]
        )
    )
    expect(page.get_by_test_id("lesson-status")).to_have_text("Draft")


def test_two_tabs_that_save_one_lesson_are_told_of_each_other(
    visit: Visitor, school: School, instructor: Person, accessible: Good
) -> None:
    lesson = school.without_video("Wet in wet", "none")
    first, second = visit(instructor), visit(instructor)
    for page in (first, second):
        page.goto(f"/lessons/{lesson}/edit")
    first.get_by_label("Title").fill("Wet in wet, slowly")
    first.get_by_label("Price").fill("6.00")
    first.get_by_role("button", name="Save and publish when ready").click()
    expect(first.locator("[data-saved]")).to_have_text("Saved.")
    second.get_by_label("Price").fill("7.50")
    second.get_by_role("button", name="Save and publish when ready").click()
    summary = second.get_by_role("alert")
    expect(summary).to_be_focused()
    expect(summary).to_contain_text("You, in another tab or window, saved this lesson")
    expect(summary).to_contain_text("6.00")
    expect(summary).not_to_contain_text("Wet in wet")
    expect(second.get_by_label("Title")).to_have_value("Wet in wet, slowly")
    expect(second.get_by_label("Price")).to_have_value("7.50")
    accessible(second)
    second.get_by_role("link", name="take the saved one").click()
    expect(second.get_by_label("Title")).to_have_value("Wet in wet, slowly")
    expect(second.get_by_label("Price")).to_have_value("6.00")


@pytest.mark.parametrize("width", [1280, 390])
def test_a_moment_of_the_player_becomes_the_picture(
    page: Page, stack: Stack, accessible: Good, lesson: str, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    picture = page.locator(".moment img")
    expect(page.get_by_text("Picture in lists: chosen automatically")).to_be_visible()
    player = page.locator("mux-player")
    stack.until(lambda: player.evaluate("(player) => player.readyState >= 1"))
    player.evaluate("(player) => { player.currentTime = 1.25; }")
    stack.until(lambda: player.evaluate("(player) => player.currentTime >= 1 && !player.seeking"))
    page.get_by_role("button", name="Use this moment of the player").focus()
    with page.expect_request(re.compile("/picture$")) as sent:
        page.keyboard.press("Enter")
    told = re.search(r'name="seconds"\s+([\d.]+)', sent.value.post_data or "")
    assert told is not None
    assert 1 <= float(told[1]) < 2, "what the player shows, near the moment that it was sent to"
    shown = int(float(told[1]) * 10) / 10
    expect(page.locator("[data-answer=video]")).to_contain_text("The picture shows the moment at 0:01 now.")
    expect(picture).to_have_attribute("src", re.compile(rf"time={shown}$"))
    stack.until(lambda: picture.evaluate("(image) => image.complete && image.naturalWidth > 0"))
    accessible(page)
    page.goto("/lessons")
    expect(page.locator(f"#lesson-{lesson} img.thumb")).to_have_attribute(
        "src", re.compile(rf"time={shown}$")
    )
    page.goto(f"/lessons/{lesson}/edit")
    page.get_by_role("button", name="Choose automatically").click()
    expect(page.locator("[data-answer=video]")).to_contain_text("The picture is chosen automatically again.")
    expect(page.get_by_role("button", name="Choose automatically")).to_be_hidden()
