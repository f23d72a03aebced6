"""The list that an instructor works from, and how its pages and those of single lessons behave: live, light, by keyboard."""

import re
from collections.abc import Callable

from playwright.sync_api import Page, Request, expect

from tests.browser.school import School
from tests.browser.stack import Person, Stack, Visitor
from tests.browser.steps import choose, published
from tests.browser.test_catalog import HEAVIEST_KB, LOADED

Film = Callable[..., str]
Good = Callable[[Page], None]
BROKEN = {"error_type": "asset_errored", "error_message": "The input file has no duration."}
# a browser says that a tab is hidden; headless ones have no tab to hide
HIDING = """Object.defineProperty(document, "hidden", {get: () => window.away === true});
Object.defineProperty(document, "visibilityState", {get: () => window.away === true ? "hidden" : "visible"});"""
# long pauses are noted down and not waited for
HASTE = """window.pauses = []; window.late = 0; const now = Date.now; Date.now = () => now() + window.late;
const wait = window.setTimeout; window.setTimeout = (then, milliseconds, ...rest) => {
  if (milliseconds >= 1000) { window.pauses.push(milliseconds); window.late += 100 * milliseconds; }
  return wait(then, milliseconds >= 1000 ? 1 : milliseconds, ...rest); };"""
SHIFTS = """window.moved = 0; new PerformanceObserver((list) => { for (const e of list.getEntries())
  if (!e.hadRecentInput) window.moved += e.value; }).observe({type: "layout-shift", buffered: true});"""


def titles(page: Page) -> list[str]:
    return [title.strip() for title in page.locator(".lesson-cell__title").all_inner_texts()]


def go_away(page: Page, away: bool) -> None:
    page.evaluate(
        "(away) => { window.away = away; document.dispatchEvent(new Event('visibilitychange')); }", away
    )


def test_the_first_thing_to_see_leads_to_the_first_lesson(page: Page, accessible: Good) -> None:
    page.goto("/lessons")
    expect(page.get_by_role("heading", name="Your first lesson")).to_be_visible()
    accessible(page)
    page.get_by_role("link", name="Create the first lesson").click()
    expect(page).to_have_url(re.compile("/lessons/new$"))


def test_the_list_says_how_everything_stands_and_what_needs_action_comes_first(
    page: Page, school: School, accessible: Good
) -> None:
    course = school.course("Watercolour")
    school.lesson("Flat wash", price=1499, course=course)
    school.on_its_way("Broken", "error", **BROKEN)
    school.on_its_way("Late", "processing", mux_asset_id="asset-late", created_at="yesterday")
    school.on_its_way("Moving", "processing", mux_asset_id="asset-moving", progress=40)
    school.without_video("Empty", "none")
    page.goto("/lessons")
    assert titles(page) == ["Late", "Broken", "Empty", "Moving", "Flat wash"]
    row = page.get_by_role("row").filter(has_text="Flat wash")
    for words in ("Watercolour", "EUR 14.99", "Published", "Ready"):
        expect(row).to_contain_text(words)
    expect(page.get_by_role("row").filter(has_text="Broken")).to_contain_text(
        "Mux could not process the file"
    )
    expect(page.get_by_role("row").filter(has_text="Late")).to_contain_text(
        "Mux is still processing the file"
    )
    expect(page.get_by_role("row").filter(has_text="Moving")).to_contain_text("Processing 40 %")
    accessible(page)
    page.get_by_role("link", name=re.compile("^Needs attention")).click()
    expect(page.locator(".lesson-cell__title")).to_have_text(["Late", "Broken"])
    page.get_by_role("link", name="Published", exact=True).click()
    expect(page.locator(".lesson-cell__title")).to_have_text(["Flat wash"])
    page.get_by_role("link", name="All", exact=True).click()
    page.get_by_role("link", name="Price").click()
    expect(page.get_by_role("columnheader", name="Price")).to_have_attribute("aria-sort", "ascending")
    assert titles(page)[-1] == "Flat wash"
    page.get_by_label("Search lessons").fill("flat")
    page.keyboard.press("Enter")
    expect(page.locator(".lesson-cell__title")).to_have_text(["Flat wash"])
    page.get_by_label("Search lessons").fill("nothing like this")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Nothing found")).to_be_visible()
    accessible(page)


def test_a_long_list_has_pages(page: Page, school: School) -> None:
    for number in range(23):
        school.without_video(f"Lesson {number:02}", "none")
    page.goto("/lessons?sort=title")
    expect(page.get_by_text("1–20 of 23 lessons")).to_be_visible()
    page.get_by_role("link", name="Next").click()
    expect(page.locator(".lesson-cell__title")).to_have_text(["Lesson 20", "Lesson 21", "Lesson 22"])


def test_the_list_follows_what_happens_without_a_reload(
    visit: Visitor, instructor: Person, stack: Stack, film: Film
) -> None:
    stack.mux.hold_processing()
    page, listed = visit(instructor), visit(instructor)
    page.goto("/lessons/new")
    page.get_by_label("Title").fill("Bread, slowly")
    page.get_by_label("Free").check()
    choose(page, film())
    expect(page.get_by_test_id("video-status")).to_contain_text("Processing")
    listed.goto("/lessons")
    expect(listed.get_by_test_id("video-status")).to_contain_text("Processing")
    listed.evaluate("window.same = true")
    stack.mux.hold_processing(False)
    published(listed)
    assert listed.evaluate("window.same")
    assert titles(listed) == ["Bread, slowly"]


def test_a_hidden_tab_asks_nothing_and_knows_everything_when_it_is_back(
    page: Page, school: School, stack: Stack
) -> None:
    lesson = school.on_its_way("Rye", "processing", mux_asset_id="asset-rye", progress=10)
    asked: list[Request] = []
    page.on("request", lambda request: asked.append(request) if "/video?attempt=" in request.url else None)
    page.add_init_script(HIDING)
    page.clock.install()
    page.goto(f"/lessons/{lesson}/edit")
    expect(page.locator("#lesson-form[data-ready]")).to_be_attached()
    with page.expect_response(re.compile(r"/video\?attempt=")):
        page.clock.run_for(2000)
    go_away(page, True)
    asked.clear()
    page.clock.run_for(600_000)
    assert asked == []
    stack.sql("UPDATE mux_asset_tracking SET progress = 60 WHERE lesson_id = %s", lesson)
    go_away(page, False)
    expect(page.get_by_test_id("video-status")).to_have_text("Processing 60 %")


def test_a_page_that_waits_asks_every_moment_and_it_ends(page: Page, school: School) -> None:
    lesson = school.on_its_way("Rye", "processing", mux_asset_id="asset-rye", progress=10)
    page.add_init_script(HASTE)
    page.goto(f"/lessons/{lesson}/edit")
    expect(page.get_by_text("It goes on in the background, so this page has stopped asking.")).to_be_visible()
    pauses = page.evaluate("window.pauses")
    assert set(pauses) == {1500}
    # 1686 seconds, in which a client of the API asks sixty times, in steps of 150
    assert len(pauses) == 12


def test_a_lesson_is_made_by_keyboard_alone(page: Page, film: Film) -> None:
    page.goto("/lessons")
    page.get_by_role("link", name="Create the first lesson").focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/lessons/new$"))
    expect(page.get_by_label("Title")).to_be_focused()
    page.keyboard.type("Bread, slowly")
    page.get_by_label("Price").focus()
    page.keyboard.type("0")
    button = page.get_by_role("button", name="Choose a video file")
    page.locator("mux-uploader input[type=file]").wait_for(state="attached")
    with page.expect_file_chooser() as chooser:  # listens before a key could be too quick for it
        for _ in range(20):
            page.keyboard.press("Tab")
            if button.evaluate("(one) => one === document.activeElement"):
                break
        expect(button).to_be_focused()
        page.keyboard.press("Enter")
    chooser.value.set_files(film())
    published(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Bread, slowly")


def test_pages_are_light_still_and_load_the_player_only_to_play(
    visit: Visitor, school: School, instructor: Person
) -> None:
    plain = school.without_video("Rye", "none")
    plays = school.lesson("Wheat", real=True)
    for address in ("/lessons", "/lessons/new", f"/lessons/{plain}/edit", f"/lessons/{plays}/edit"):
        page = visit(instructor, first=True)
        page.add_init_script(SHIFTS)
        page.goto(address)
        page.wait_for_load_state("networkidle")
        loaded = page.evaluate(LOADED)
        player = sum(size for name, size in loaded if "mux-player" in name)
        ours = sum(size for name, size in loaded if name.startswith(school.stack.url)) - player
        assert 10_000 < ours < HEAVIEST_KB * 1000, loaded
        assert (player > 0) == (address == f"/lessons/{plays}/edit")
        assert page.evaluate("window.moved") < 0.01, address


def test_on_a_phone_the_video_is_one_press_away(
    visit: Visitor, school: School, instructor: Person, page: Page
) -> None:
    lesson = school.without_video("Rye", "none")
    phone = visit(instructor, width=390)
    phone.goto(f"/lessons/{lesson}/edit")
    heading = phone.get_by_role("heading", name="Video", exact=True)
    expect(heading).not_to_be_in_viewport()
    phone.get_by_role("link", name="Show").click()
    expect(heading).to_be_in_viewport()
    page.goto(f"/lessons/{lesson}/edit")
    expect(page.get_by_role("heading", name="Video", exact=True)).to_be_in_viewport()
    expect(page.locator(".glance")).to_be_hidden()
