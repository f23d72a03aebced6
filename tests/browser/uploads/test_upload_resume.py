"""An upload that was interrupted goes on where it stopped, whatever came between, and the whole file arrives: with a host that lets
browsers read how much it has (`Range`), and with one that does not."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.stack import Person, Stack, Visitor
from tests.browser.steps import (
    PART,
    SMALL_PARTS,
    arrived,
    choose,
    choose_in_parts,
    fingerprint,
    lesson_id,
    published,
    puts,
    write,
)
from tests.browser.uploads.test_upload import HELD, LONG

Film = Callable[..., str]
Good = Callable[[Page], None]
CONTINUE = "Continue upload"


@pytest.fixture(params=["hidden", "readable"])
def both_ranges(request: pytest.FixtureRequest, stack: Stack) -> Iterator[None]:
    stack.mux.set_switch("expose_range", request.param == "readable")
    yield
    stack.mux.set_switch("expose_range", False)


@pytest.fixture
def page(visit: Visitor, instructor: Person) -> Page:
    """What ends in the middle writes errors to the console."""
    found = visit(instructor, errors=True)
    found.on("dialog", lambda dialog: dialog.accept())
    return found


def offer(page: Page) -> Locator:
    return page.locator("[data-part=resume]")


def hold(stack: Stack, part: int) -> None:
    """The upload stands still in this part until the faults are cleared."""
    stack.mux.fault("upload", "slow", match={"operation": "put", "chunk": part}, seconds=100)


def begun(page: Page, path: str, stack: Stack) -> str:
    """An upload that stands still in its third part; its lesson."""
    hold(stack, HELD)
    write(page)
    choose_in_parts(page, path)
    lesson = lesson_id(page)
    remembered(page, stack, HELD * PART)
    return lesson


def interrupted(page: Page, path: str, stack: Stack) -> str:
    """The same, and then the page was loaded again."""
    lesson = begun(page, path, stack)
    page.reload()
    stack.mux.clear_faults()
    return lesson


def sent_whole(page: Page, path: str, stack: Stack, lesson: str) -> None:
    published(page)
    assert arrived(stack, lesson) == fingerprint(path)


REMEMBERED = """async () => {
  if (!(await indexedDB.databases()).length) return [];
  const answer = (asked) => new Promise((done) => { asked.onsuccess = () => done(asked.result); });
  const base = await answer(indexedDB.open('lessonadmin'));
  const all = await answer(base.transaction('uploads').objectStore('uploads').getAll());
  base.close();
  return all;
}"""


def memory(page: Page) -> list[dict[str, Any]]:
    return list(page.evaluate(REMEMBERED))


def remembered(page: Page, stack: Stack, end: int) -> None:
    """Waits until so much is written down."""
    stack.until(lambda: any(one["end"] >= end for one in memory(page)))


def go_on(page: Page, path: str) -> None:
    """The same file, chosen again, and sent in small parts."""
    expect(offer(page).get_by_role("button", name=CONTINUE)).to_be_visible()
    page.evaluate(SMALL_PARTS)
    page.locator("[data-part=same]").set_input_files(path)


@pytest.mark.usefixtures("both_ranges")
def test_after_a_reload_the_same_file_goes_on_in_the_same_upload(
    page: Page, film: Film, stack: Stack, accessible: Good
) -> None:
    path = film(LONG)
    before = len(stack.mux.uploads())
    lesson = interrupted(page, path, stack)
    expect(offer(page)).to_contain_text("The upload of “my_first film.mp4” was interrupted.")
    expect(offer(page)).to_contain_text("Choose the same file again")
    expect(page.get_by_text("it is then sent from the beginning")).to_be_hidden()
    accessible(page)
    (kept,) = memory(page)
    assert "token" not in str(kept)
    assert "http" not in str(kept)
    go_on(page, path)
    sent_whole(page, path, stack, lesson)
    assert len(stack.mux.uploads()) == before + 1
    assert memory(page) == []


@pytest.mark.parametrize("gap", ["503", "308"])
def test_what_mux_lost_on_the_way_is_sent_again(page: Page, film: Film, stack: Stack, gap: str) -> None:
    """What is remembered is ahead of what Mux has: a gap, which a host refuses with its size or answers like any part."""
    path = film(LONG)
    stack.mux.set_switch("gap", gap)
    stack.mux.fault("upload", "lost_chunk", match={"operation": "put", "chunk": HELD - 1}, times=1)
    lesson = interrupted(page, path, stack)
    go_on(page, path)
    sent_whole(page, path, stack, lesson)
    stack.mux.set_switch("gap", "503")


def test_the_widget_hands_over_when_mux_lost_a_part(page: Page, film: Film, stack: Stack) -> None:
    path = film(LONG)
    stack.mux.fault("upload", "lost_chunk", match={"operation": "put", "chunk": 1}, times=1)
    write(page)
    choose_in_parts(page, path)
    sent_whole(page, path, stack, lesson_id(page))


def test_after_a_crash_troubles_of_the_network_are_waited_for(page: Page, film: Film, stack: Stack) -> None:
    path = film(LONG)
    lesson = begun(page, path, stack)
    address = page.url
    fresh = page.context.new_page()
    with pytest.raises(Exception, match="crash"):
        page.goto("chrome://crash")
    page.close()
    stack.mux.clear_faults()
    for part, status in ((3, 502), (4, 500)):
        stack.mux.fault("upload", "status", match={"operation": "put", "chunk": part}, times=1, status=status)
    hold(stack, 5)
    fresh.goto(address)
    go_on(fresh, path)
    expect(fresh.get_by_test_id("video-progress").locator("[data-figure]")).to_have_text("99 %")
    fresh.get_by_role("button", name="Pause").click()
    expect(fresh.get_by_role("button", name="Pausing…")).to_be_disabled()
    fresh.context.set_offline(True)
    expect(fresh.get_by_text("The connection is lost.").first).to_be_visible()
    stack.mux.clear_faults()
    fresh.context.set_offline(False)
    fresh.get_by_role("button", name="Resume").click()
    sent_whole(fresh, path, stack, lesson)


def changed(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def test_another_file_is_refused_and_nothing_is_lost(
    page: Page, film: Film, stack: Stack, accessible: Good
) -> None:
    path = film(LONG)
    began = puts(stack)
    lesson = interrupted(page, path, stack)
    refused = page.locator("[data-part=other-file]")
    stack.until(lambda: puts(stack) == began + HELD + 1)  # the one that was broken off, too
    when = Path(path).stat()
    for data, name, words in (
        (LONG + b"!", "longer.mp4", "has 1.6 MB"),
        (changed(LONG, len(LONG) - 1), "other.mp4", "although it is as large"),
        (changed(LONG, HELD * PART - 1), "third.mp4", "although it is as large"),
    ):
        other = film(data, name=name)
        os.utime(other, ns=(when.st_atime_ns, when.st_mtime_ns))
        go_on(page, other)
        expect(refused).to_contain_text(f"“{name}”")
        expect(refused).to_contain_text(words)
    expect(refused).to_contain_text("Nothing was sent and nothing is lost")
    accessible(page)
    os.utime(path, (1, 1))
    go_on(page, path)
    expect(refused).to_contain_text("it was changed, or it is another file of that name")
    assert puts(stack) == began + HELD + 1
    os.utime(path, ns=(when.st_atime_ns, when.st_mtime_ns))
    go_on(page, path)
    sent_whole(page, path, stack, lesson)


def test_a_file_that_changes_on_the_disk_stops_the_upload_until_it_is_itself_again(
    page: Page, film: Film, stack: Stack
) -> None:
    path = film(LONG)
    lesson = interrupted(page, path, stack)
    when = Path(path).stat()
    hold(stack, 4)
    go_on(page, path)
    expect(page.get_by_test_id("video-progress").locator("[data-figure]")).to_have_text("82 %")
    Path(path).write_bytes(changed(LONG, len(LONG) - 1))
    stack.mux.clear_faults()
    expect(page.locator("[data-part=other-file]")).to_contain_text("could not be read to its end")
    Path(path).write_bytes(LONG)
    os.utime(path, ns=(when.st_atime_ns, when.st_mtime_ns))
    go_on(page, path)
    sent_whole(page, path, stack, lesson)


def test_the_second_tab_waits_for_the_first_and_takes_over(page: Page, film: Film, stack: Stack) -> None:
    path = film(LONG)
    lesson = begun(page, path, stack)
    other = page.context.new_page()
    other.goto(page.url)
    expect(offer(other)).to_contain_text("is being uploaded in another tab of this browser")
    expect(other.get_by_role("button", name=CONTINUE)).to_be_hidden()
    page.close()
    stack.mux.clear_faults()
    go_on(other, path)
    sent_whole(other, path, stack, lesson)


def test_another_browser_says_where_it_goes_on_and_another_person_is_offered_nothing(
    page: Page, visit: Visitor, instructor: Person, film: Film, stack: Stack
) -> None:
    path = film(LONG)
    interrupted(page, path, stack)
    expect(offer(page)).to_be_visible()
    elsewhere = visit(instructor)
    staff = page.context.new_page()
    visit.sign_in(page.context, stack.person("support"))
    for other in (elsewhere, staff):
        other.goto(page.url)
        expect(other.get_by_text("open this page in the browser where it began")).to_be_visible()
        other.locator("mux-uploader input[type=file]").wait_for(state="attached")
        expect(offer(other)).to_be_hidden()
        expect(other.get_by_role("button", name="Choose a video file")).to_be_visible()


@pytest.mark.parametrize("missing", ["indexedDB", "locks"])
def test_a_browser_without_it_uploads_as_ever(page: Page, film: Film, stack: Stack, missing: str) -> None:
    where = "window" if missing == "indexedDB" else "Navigator.prototype"
    page.add_init_script(f"Object.defineProperty({where}, '{missing}', {{value: undefined}})")
    path = film(LONG)
    if missing == "locks":
        lesson = interrupted(page, path, stack)
        go_on(page, path)
    else:
        hold(stack, HELD)
        write(page)
        choose_in_parts(page, path)
        lesson = lesson_id(page)
        expect(page.get_by_test_id("video-progress")).to_contain_text("46 %")
        page.reload()
        stack.mux.clear_faults()
        expect(page.get_by_text("it is then sent from the beginning")).to_be_visible()
        expect(offer(page)).to_be_hidden()
        choose(page, path)
    sent_whole(page, path, stack, lesson)


def test_signed_out_meanwhile_it_goes_on_after_the_next_sign_in(
    page: Page, visit: Visitor, instructor: Person, film: Film, stack: Stack
) -> None:
    path = film(LONG)
    lesson = interrupted(page, path, stack)
    expect(offer(page)).to_be_visible()
    stack.sql("UPDATE user_sessions SET ended_at = now() WHERE user_id = %s", instructor.id)
    go_on(page, path)
    expect(page.locator("[data-part=failed]")).to_contain_text("You are signed out, so nothing was sent.")
    visit.sign_in(page.context, instructor)
    page.get_by_role("button", name="Try again").click()
    sent_whole(page, path, stack, lesson)


def test_an_upload_that_mux_ended_is_said_to_be_over(page: Page, film: Film, stack: Stack) -> None:
    """Known before a byte is sent, or refused in the middle."""
    path = film(LONG)
    interrupted(page, path, stack)
    expect(offer(page)).to_be_visible()
    stack.mux.set_switch("deliveries_paused", True)
    stack.mux.cancel_upload_elsewhere(stack.mux.uploads()[0]["id"])
    go_on(page, path)
    expect(page.locator("[data-part=refused]")).to_contain_text("This upload cannot go on")
    stack.mux.set_switch("deliveries_paused", False)
    lesson = interrupted(page, path, stack)
    stack.mux.fault("upload", "status", match={"operation": "put", "chunk": 4}, times=1, status=404)
    go_on(page, path)
    expect(page.locator("[data-part=failed]")).to_contain_text("Mux has ended this upload")
    page.get_by_role("button", name="Try again").click()
    sent_whole(page, path, stack, lesson)


def test_it_can_be_begun_anew_or_cancelled_instead(page: Page, film: Film, stack: Stack) -> None:
    path = film(LONG)
    lesson = interrupted(page, path, stack)
    page.get_by_role("button", name="Upload from the beginning…").click()
    expect(page.get_by_role("button", name="Choose a video file")).to_be_focused()
    expect(page.get_by_text("it is then sent from the beginning")).to_be_visible()
    choose(page, path)
    sent_whole(page, path, stack, lesson)
    assert memory(page) == []
    interrupted(page, path, stack)
    hold(stack, 3)
    go_on(page, path)
    expect(page.get_by_test_id("video-progress")).to_contain_text("66 %")
    page.locator("[data-part=cancel]").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel the upload").click()
    expect(page.get_by_test_id("video-status")).to_have_text("No video")
    stack.until(lambda: stack.mux.uploads()[0]["status"] == "cancelled")
    assert memory(page) == []


KEPT = """async (data) => {
  const folder = await navigator.storage.getDirectory();
  const handle = await folder.getFileHandle('film.mp4', {create: true});
  const out = await handle.createWritable();
  await out.write(Uint8Array.from(data, (one) => one.charCodeAt(0)));
  await out.close();
  const file = await handle.getFile();
  DataTransferItem.prototype.getAsFileSystemHandle = async () => handle;
  const dropped = new DataTransfer();
  dropped.items.add(new File([file], file.name, {type: 'video/mp4', lastModified: file.lastModified}));
  document.querySelector('mux-uploader').shadowRoot.querySelector('mux-uploader-drop').dispatchEvent(
    new DragEvent('drop', {dataTransfer: dropped, bubbles: true, composed: true, cancelable: true}));
}"""


def test_a_dropped_file_is_found_again_by_the_browser(page: Page, film: Film, stack: Stack) -> None:
    path = film(LONG)
    hold(stack, HELD)
    write(page)
    page.locator("mux-uploader input[type=file]").wait_for(state="attached")
    page.evaluate(SMALL_PARTS)
    page.evaluate(KEPT, LONG.decode("latin-1"))
    lesson = lesson_id(page)
    remembered(page, stack, HELD * PART)
    page.reload()
    stack.mux.clear_faults()
    expect(offer(page)).to_contain_text("Press “Continue upload”, and it goes on from there.")
    page.evaluate(SMALL_PARTS)
    page.get_by_role("button", name=CONTINUE).click()
    sent_whole(page, path, stack, lesson)
