"""The way of the bytes: what may go wrong on it, what is refused before it, and that the whole file arrives."""

import os
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from muxsim.videos.sample import SAMPLE_VIDEO
from tests.browser.school import School
from tests.browser.stack import Person, Stack, Visitor
from tests.browser.steps import (
    EDIT,
    PART,
    arrived,
    choose,
    choose_in_parts,
    drop,
    fingerprint,
    lesson_id,
    published,
    puts,
    write,
)

Film = Callable[..., str]
Good = Callable[[Page], None]
FILLING = 6 * PART
HELD = 2
# a box that players pass over, so that the file is a whole one; random, so that parts that change places change it
LONG = SAMPLE_VIDEO + (FILLING + 8).to_bytes(4, "big") + b"free" + os.urandom(FILLING)


@pytest.fixture
def held(stack: Stack) -> None:
    """The upload stands still in its third part until the faults are cleared, so that there is time for everything."""
    stack.mux.fault("upload", "slow", match={"operation": "put", "chunk": HELD}, seconds=100)


def half_way(page: Page) -> Locator:
    """The progress of an upload that is held, once it has come to where it is."""
    bar = page.get_by_test_id("video-progress")
    expect(bar.locator("[data-figure]")).to_have_text(re.compile(r"^[2-5]\d %$"))
    return bar


@pytest.mark.usefixtures("held")
def test_progress_pause_resume_and_the_whole_file(
    page: Page, film: Film, stack: Stack, accessible: Good
) -> None:
    path = film(LONG)
    write(page)
    choose_in_parts(page, path)
    bar = half_way(page)
    expect(bar).to_contain_text("my_first film.mp4")
    expect(bar).to_contain_text("of 1.6 MB")
    accessible(page)
    page.get_by_label("Title").fill("Saved while bytes move")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.", exact=True)).to_be_visible()
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Pausing…")).to_be_disabled()
    stack.mux.clear_faults()
    expect(page.get_by_role("button", name="Resume")).to_be_enabled()
    accessible(page)
    stopped_at = puts(stack)
    page.wait_for_timeout(700)
    assert puts(stack) == stopped_at
    page.get_by_role("button", name="Resume").click()
    published(page)
    assert arrived(stack, lesson_id(page)) == fingerprint(path)
    ((title,),) = stack.sql("SELECT title FROM lessons WHERE id = %s", lesson_id(page))
    assert title == "Saved while bytes move"


@pytest.mark.usefixtures("held")
def test_connection_lost_and_back(
    visit: Visitor, instructor: Person, film: Film, stack: Stack, accessible: Good
) -> None:
    page = visit(instructor, errors=True)
    path = film(LONG)
    write(page)
    choose_in_parts(page, path)
    half_way(page)
    page.context.set_offline(True)
    expect(page.get_by_text("The connection is lost. The upload goes on")).to_be_visible()
    accessible(page)
    with page.expect_event("requestfailed", lambda request: request.method == "PUT"):
        stack.mux.clear_faults()
    page.context.set_offline(False)
    published(page)
    assert arrived(stack, lesson_id(page)) == fingerprint(path)


def test_a_gateway_that_fails_is_tried_again(
    visit: Visitor, instructor: Person, film: Film, stack: Stack
) -> None:
    page = visit(instructor, errors=True)
    path = film(LONG)
    for status in (502, 503, 500):
        stack.mux.fault(
            "upload", "status", match={"operation": "put", "chunk": status % 4}, times=1, status=status
        )
    write(page)
    choose_in_parts(page, path)
    published(page)
    assert arrived(stack, lesson_id(page)) == fingerprint(path)


def test_success_that_is_none_is_not_believed(
    visit: Visitor, instructor: Person, film: Film, stack: Stack
) -> None:
    page = visit(instructor, errors=True)
    stack.mux.fault("upload", "final_308", match={"operation": "put"})
    write(page)
    choose(page, film())
    # the file did arrive, and asked once more Mux says so
    published(page)
    stack.mux.clear_faults()


def test_after_a_fatal_answer_nothing_goes_on_and_a_retry_starts_anew(
    visit: Visitor, instructor: Person, film: Film, stack: Stack, accessible: Good
) -> None:
    page = visit(instructor, errors=True)
    path = film(LONG)
    stack.mux.fault("upload", "status", match={"operation": "put", "chunk": 2}, times=1, status=403)
    write(page)
    choose_in_parts(page, path)
    expect(page.locator("[data-part=failed]")).to_contain_text("Mux has ended this upload")
    accessible(page)
    stopped_at = puts(stack)
    page.context.set_offline(True)
    page.context.set_offline(False)
    page.wait_for_timeout(600)
    assert puts(stack) == stopped_at
    page.get_by_role("button", name="Try again").click()
    published(page)
    assert arrived(stack, lesson_id(page)) == fingerprint(path)
    assert [one["status"] for one in stack.mux.uploads()[:2]] == ["asset_created", "cancelled"]


@pytest.mark.usefixtures("held")
def test_cancelling_cancels_at_mux_too(page: Page, film: Film, stack: Stack) -> None:
    write(page)
    choose_in_parts(page, film(LONG))
    expect(page.get_by_test_id("video-status")).to_have_text("Uploading")
    page.get_by_role("button", name="Cancel upload…").click()
    question = page.get_by_role("dialog", name="Cancel the upload?")
    expect(question).to_contain_text("it has to be sent again from the beginning")
    expect(question.get_by_role("button", name="Keep uploading")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("video-status")).to_have_text("Uploading")
    page.get_by_role("button", name="Cancel upload…").click()
    question.get_by_role("button", name="Cancel the upload").click()
    expect(page.get_by_test_id("video-status")).to_have_text("No video")
    expect(page.get_by_role("button", name="Choose a video file")).to_be_focused()
    stack.until(lambda: stack.mux.uploads()[0]["status"] == "cancelled")
    choose(page, film())
    published(page)


def test_cancelling_before_mux_has_answered_leaves_nothing_behind(
    page: Page, film: Film, stack: Stack
) -> None:
    stack.mux.fault("api", "slow", match={"operation": "create_upload"}, seconds=100)
    write(page)
    choose(page, film())
    expect(page).to_have_url(EDIT)
    page.get_by_role("button", name="Cancel upload").click()
    expect(page.get_by_role("button", name="Choose a video file")).to_be_focused()
    before = len(stack.mux.uploads())
    stack.mux.clear_faults()
    stack.until(lambda: len(stack.mux.uploads()) > before and stack.mux.uploads()[0]["status"] == "cancelled")
    expect(page.get_by_test_id("video-status")).to_have_text("No video")
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.get_by_label("Title").press("End")
    page.reload()
    assert asked == []


REFUSED = {
    "wrong type": (b"%PDF-1.7", "script.pdf", "cannot be used. Choose an"),
    "wrong type without a known kind": (b"??", "film.xyz", "cannot be used"),
    "empty file": (b"", "empty.mp4", "is empty"),
    "too large": (b"\0" * (41 * 1024 * 1024), "huge.mp4", "is larger than 40 MB"),
}


def test_what_cannot_become_a_video_is_refused_before_the_first_byte(
    page: Page, film: Film, stack: Stack, accessible: Good
) -> None:
    write(page)
    before = len(stack.mux.uploads())
    for data, name, words in REFUSED.values():
        choose(page, film(data, name=name))
        expect(page.locator("[data-part=refused]")).to_contain_text(words)
    drop(page, "data.setData('text/plain', 'a film')")
    expect(page.locator("[data-part=refused]")).to_contain_text("text or a link")
    drop(page, "data.items.add(new File([], 'nothing.mp4', {type: 'video/mp4'}))")
    expect(page.locator("[data-part=refused]")).to_contain_text("is empty")
    drop(page, "for (const n of ['a.mp4', 'b.mp4']) data.items.add(new File(['x'], n, {type: 'video/mp4'}))")
    expect(page.locator("[data-part=refused]")).to_contain_text("several files")
    accessible(page)
    expect(page).to_have_url(re.compile("/lessons/new$"))
    assert len(stack.mux.uploads()) == before
    choose(page, film())
    published(page)


def test_a_dropped_file_begins_a_lesson_that_has_no_title_yet(page: Page, stack: Stack) -> None:
    page.goto("/lessons/new")
    drop(page, "data.items.add(new File(['not really'], 'Sour_dough part 1.mp4', {type: 'video/mp4'}))")
    lesson = lesson_id(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Untitled (Sour_dough part 1.mp4)")
    expect(page.get_by_label("Title")).to_have_value("")
    expect(page.get_by_text("Unsaved changes", exact=True)).to_be_visible()
    ((title, intent),) = stack.sql("SELECT title, publish_on_ready FROM lessons WHERE id = %s", lesson)
    assert (title, intent) == ("Untitled (Sour_dough part 1.mp4)", False)


def test_a_form_that_cannot_be_saved_keeps_the_file(page: Page, film: Film) -> None:
    write(page, price="a lot")
    choose(page, film())
    expect(page.locator("[data-part=failed]")).to_contain_text("Correct the marked fields")
    expect(page.get_by_role("alert").filter(has_text="Enter the price as 9.99")).to_be_visible()
    expect(page).to_have_title("Error: New lesson – Lessonadmin")
    page.get_by_label("Price").fill("12,50")
    page.get_by_role("button", name="Try again").click()
    published(page)


@pytest.mark.usefixtures("held")
def test_signed_out_in_the_middle_the_upload_goes_on(
    visit: Visitor, instructor: Person, film: Film, stack: Stack, accessible: Good
) -> None:
    page = visit(instructor, errors=True)
    path = film(LONG)
    write(page)
    choose_in_parts(page, path)
    lesson = lesson_id(page)
    half_way(page)
    stack.sql("UPDATE user_sessions SET ended_at = now() WHERE user_id = %s", instructor.id)
    expect(page.get_by_text("You are signed out.")).to_be_visible()
    expect(page.get_by_role("link", name="Sign in in a new tab")).to_be_visible()
    accessible(page)
    stack.mux.clear_faults()
    stack.until(lambda: stack.sql("SELECT status FROM lessons WHERE id = %s", lesson) == [("published",)])
    assert arrived(stack, lesson) == fingerprint(path)
    visit.sign_in(page.context, instructor)
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    published(page)
    expect(page.get_by_text("You are signed out.")).to_be_hidden()
    page.get_by_label("Title").fill("Saved after the new sign-in")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.", exact=True)).to_be_visible()


@pytest.mark.usefixtures("held")
@pytest.mark.parametrize("told_by", ["our server", "Mux"])
def test_two_tabs_one_lesson(
    visit: Visitor, instructor: Person, film: Film, stack: Stack, told_by: str
) -> None:
    """The second tab is told of the first one's upload, and the first one of what the second has begun instead."""
    page = visit(instructor, errors=True)
    write(page)
    choose_in_parts(page, film(LONG))
    lesson_id(page)
    half_way(page)
    other = page.context.new_page()
    other.goto(page.url)
    expect(other.get_by_text("is being uploaded in another tab of this browser")).to_be_visible()
    if told_by == "Mux":
        # the first tab cannot ask the server, so it hears of it when Mux takes nothing more
        page.route("**/video?attempt=*", lambda route: route.abort())
        choose(other, film(name="second.mp4"))
        published(other)
        stack.mux.clear_faults()
        expect(page.locator("[data-part=failed]")).to_contain_text("Mux has ended this upload")
        page.unroute_all()
    else:
        choose(other, film(name="second.mp4"))
    expect(page.locator("[data-part=failed]")).to_contain_text("another tab")
    published(other)
    expect(page.get_by_test_id("lesson-status")).to_have_text("Published")


@pytest.mark.usefixtures("held")
def test_leaving_is_guarded_only_while_bytes_move(page: Page, film: Film, stack: Stack) -> None:
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    write(page)
    choose_in_parts(page, film(LONG))
    half_way(page)
    page.get_by_label("Title").press("End")  # browsers ask only where the user did something
    with page.expect_event("dialog"):
        page.close(run_before_unload=True)
    assert asked == ["beforeunload"]
    stack.mux.clear_faults()
    published(page)
    asked.clear()
    page.reload()
    assert asked == []


def test_mux_is_asked_to_detect_the_language_of_captions(page: Page, film: Film, stack: Stack) -> None:
    write(page)
    page.get_by_label("Captions").select_option("Let Mux detect the language")
    choose(page, film())
    published(page)
    wanted = "SELECT upload_id, caption_language FROM mux_asset_tracking WHERE lesson_id = %s"
    ((upload_id, language),) = stack.sql(wanted, lesson_id(page))
    (asked,) = stack.mux.upload(upload_id)["new_asset_settings"]["inputs"][0]["generated_subtitles"]
    assert (language, asked["language_code"], asked["name"]) == ("auto", "auto", "Captions")


def test_captions_begin_with_the_language_of_the_course_and_none_means_none(
    page: Page, school: School, film: Film, stack: Stack
) -> None:
    course = school.course("Bread")
    page.goto(f"/courses/{course}/edit")
    page.get_by_label("Language that is spoken").select_option("German")
    page.locator("#course-form").get_by_role("button", name="Save").click()
    expect(page.locator("[data-saved]")).to_have_text("Saved.")
    for chosen, asked in (("German", "de"), ("No captions", None)):
        lesson = school.without_video(f"Lesson, {chosen}", "none", course_id=course)
        page.goto(f"/lessons/{lesson}/edit")
        captions = page.get_by_label("Captions", exact=True)
        expect(captions).to_have_value("de")
        captions.select_option(chosen)
        choose(page, film())
        wanted = (
            "SELECT caption_language FROM mux_asset_tracking WHERE lesson_id = %s AND upload_id IS NOT NULL"
        )
        stack.until(lambda wanted=wanted, lesson=lesson: stack.sql(wanted, lesson))
        assert stack.sql(wanted, lesson) == [(asked,)]


def test_captions_are_asked_for_and_offered_by_the_player(page: Page, film: Film, stack: Stack) -> None:
    write(page)
    page.get_by_label("Captions").select_option("German")
    choose(page, film())
    published(page)
    asset = stack.mux.assets()[0]
    track = next(one for one in asset["tracks"] if one["type"] == "text")
    assert (track["language_code"], track["text_source"]) == ("de", "generated_vod")
    stack.until(
        lambda: (
            next(one for one in stack.mux.assets()[0]["tracks"] if one["type"] == "text")["status"] == "ready"
        )
    )
    page.reload()
    player = "document.querySelector('mux-player')"  # which may have its script only in a moment
    german = f"[...({player}.textTracks ?? [])].some((one) => one.language === 'de')"
    stack.until(lambda: page.evaluate(f"{german} && {player}.duration > 0"))
