"""Every state that a lesson's video can be in, as its page shows it: the words, and that the page is accessible.

The states are written as rows, so that each of them stands still while it is looked at.
"""

from collections.abc import Callable
from typing import Literal

import pytest
from playwright.sync_api import Page, expect

from tests.browser.school import School

LONG_AGO = "yesterday"
TWO_HOURS = 7200.0
BROKEN = {"error_type": "asset_errored", "error_message": "The input file has no duration."}


def processing(school: School) -> str:
    school.history(240, duration=TWO_HOURS)
    return school.on_its_way(
        "Rye", "processing", progress=40, mux_asset_id="asset-rye", bytes_in_at="now", duration=TWO_HOURS
    )


def stuck(school: School) -> str:
    return school.on_its_way("Rye", "processing", mux_asset_id="asset-stuck", created_at=LONG_AGO)


def needs_attention(school: School) -> str:
    lesson = stuck(school)
    school.stack.sql("UPDATE lessons SET needs_attention_at = now() WHERE id = %s", lesson)
    school.stack.sql("UPDATE mux_asset_tracking SET attention_at = now() WHERE lesson_id = %s", lesson)
    return lesson


def playing(school: School) -> str:
    return school.lesson("Rye", price=900, status="draft", published_at=None, real=True)


def replacing(status: str, **row: object) -> Callable[[School], str]:
    def make(school: School) -> str:
        lesson = school.lesson("Rye", price=900, real=True)
        school.on_its_way("", status, beside=lesson, **row)
        return lesson

    return make


def replaced(school: School) -> str:
    lesson = school.lesson("Rye", price=900, real=True)
    school.stack.sql(
        "INSERT INTO mux_asset_tracking (id, lesson_id, owner_id, upload_id, status, mux_asset_id, mux_playback_id,"
        " ready_at, created_at, superseded_at, superseded_by) SELECT gen_random_uuid(), lesson_id, owner_id,"
        " 'before-' || lesson_id, 'ready', 'asset-' || lesson_id, 'playback', 'yesterday', 'yesterday', now(), id"
        " FROM mux_asset_tracking WHERE lesson_id = %s",
        lesson,
    )
    school.stack.sql(
        "INSERT INTO asset_deletions (mux_asset_id, due_at) VALUES ('asset-' || %s, 'tomorrow')", lesson
    )
    return lesson


def replacement_failed(school: School) -> str:
    lesson = replacing("error", **BROKEN)(school)
    school.stack.sql(
        "UPDATE mux_asset_tracking AS failed SET superseded_at = now(), superseded_by = playing.id"
        " FROM mux_asset_tracking AS playing WHERE failed.lesson_id = %s AND failed.status = 'error'"
        " AND playing.lesson_id = failed.lesson_id AND playing.status = 'ready'",
        lesson,
    )
    return lesson


def bought(school: School) -> str:
    lesson = school.lesson("Rye", price=900, real=True)
    student = school.stack.person("student")
    school.stack.sql(
        "INSERT INTO purchases (lesson_id, user_id, price_cents) VALUES (%s, %s, 900)", lesson, student.id
    )
    return lesson


# state -> (how it is made, what its badge says, what its page says)
STATES: dict[str, tuple[Callable[[School], str], str, str]] = {
    "none": (lambda school: school.without_video("Rye", "none"), "No video", "as soon as it has a video"),
    "uploading": (
        lambda school: school.on_its_way("Rye", "uploading"),
        "Uploading",
        "If it is running in another tab",
    ),
    "the file has not arrived": (
        lambda school: school.on_its_way(
            "Rye", "uploading", created_at=LONG_AGO, last_answer="upload_waiting", expires_at="tomorrow"
        ),
        "File not arrived",
        "The file has not arrived: Mux has been waiting for it since",
    ),
    "the file is in": (
        lambda school: school.on_its_way("Rye", "uploading", bytes_in_at="now"),
        "Uploading",
        "You can close this page",
    ),
    "processing": (processing, "Processing 40 %", "Usually about 4 minutes for this length"),
    "replacing, the file has not arrived": (
        replacing("uploading", created_at=LONG_AGO, last_answer="upload_waiting", expires_at="tomorrow"),
        "Ready",
        "The file has not arrived: Mux has been waiting for it since",
    ),
    "stuck": (stuck, "Stuck", "This is taking longer than usual"),
    "needs attention": (needs_attention, "Stuck", "Support has been notified."),
    "failed": (
        lambda school: school.on_its_way("Rye", "error", **BROKEN),
        "Failed",
        "The input file has no duration. Please check the file and upload it again.",
    ),
    "ready": (playing, "Ready", "Only you see the lesson until you publish it"),
    "published": (
        lambda school: school.lesson("Rye", price=900, real=True),
        "Ready",
        "Students find it in the catalogue",
    ),
    "bought": (bought, "Ready", "1 student bought this lesson"),
    "replacing, uploading": (replacing("uploading"), "Ready", "If it is running in another tab"),
    "replacing, processing": (
        replacing("processing", progress=70, mux_asset_id="asset-new"),
        "Ready",
        "The current video stays live until the new one is ready",
    ),
    "replacement failed": (replacement_failed, "Ready", "The new video failed; the current one still plays"),
    "replaced": (replaced, "Ready", "You can restore the previous one until"),
    "deleting": (
        lambda school: school.without_video("Rye", "deleting"),
        "Deleting",
        "being deleted at Mux",
    ),
}


@pytest.mark.parametrize("state", STATES)
def test_each_state_says_how_it_stands_and_is_accessible(
    page: Page, school: School, accessible: Callable[[Page], None], state: str
) -> None:
    make, badge, words = STATES[state]
    page.goto(f"/lessons/{make(school)}/edit")
    expect(page.get_by_test_id("video-status")).to_have_text(badge)
    expect(page.locator("[data-state]")).to_contain_text(words)
    accessible(page)


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_a_page_that_waits_leaves_the_machine_alone(
    page: Page, school: School, motion: Literal["reduce", "no-preference"]
) -> None:
    """The bar without a figure moves for hours: the page must not be painted anew for each of its steps."""
    page.emulate_media(reduced_motion=motion)
    page.goto(f"/lessons/{school.on_its_way('Rye', 'processing', mux_asset_id='asset-rye')}/edit")
    bar = page.locator("progress:not([value])")
    expect(bar).to_be_visible()
    moves = bar.evaluate("(bar) => bar.getAnimations().some((one) => one.playState === 'running')")
    assert moves == (motion == "no-preference")
    assert _styled_in_a_second(page) < FEW
    bar.evaluate(
        "(bar) => { bar.animate({ backgroundPosition: ['0 0', '99px 0'] }, { duration: 1600, iterations: 99 }); }"
    )
    assert _styled_in_a_second(page) > FEW, "and one that is painted for each step would be noticed"


FEW = 12


def _styled_in_a_second(page: Page) -> int:
    """How often the page worked out what its elements look like: once for each step that it has to paint."""
    asks = page.context.new_cdp_session(page)
    asks.send("Performance.enable")

    def count() -> int:
        found = asks.send("Performance.getMetrics")["metrics"]
        return next(int(one["value"]) for one in found if one["name"] == "RecalcStyleCount")

    before = count()
    page.wait_for_timeout(1000)
    after = count()
    asks.detach()
    return after - before
