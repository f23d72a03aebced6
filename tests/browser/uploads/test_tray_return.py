"""Many files of which some are not whole at Mux when the page ends: they go on where they stopped, each in its own lesson."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser import tray
from tests.browser.stack import Person, Stack, Visitor
from tests.browser.steps import arrived, fingerprint
from tests.browser.uploads.test_upload import LONG
from tests.browser.uploads.test_upload_resume import memory

Film = tray.Film
Good = Callable[[Page], None]
NAMES = ["1 a.mp4", "2 b.mp4", "3 c.mp4", "4 d.mp4"]


@pytest.fixture
def page(visit: Visitor, instructor: Person) -> Page:
    """What ends in the middle writes errors to the console, and the page warns before it is left."""
    found = visit(instructor, errors=True)
    found.on("dialog", lambda dialog: dialog.accept())
    return found


def begun(page: Page, course: str, paths: list[str], stack: Stack) -> None:
    """Two uploads stand still in their third part, the others wait."""
    tray.opened(page, course)
    tray.hold(stack, 2)
    tray.choose(page, paths)
    tray.all_in(page, "sending", 2)
    tray.all_in(page, "waiting", len(paths) - 2)
    stack.until(lambda: sum(one["end"] >= 2 * tray.PART for one in memory(page)) == 2)


def whole(stack: Stack, course: str, creator: object, paths: list[str]) -> None:
    """Each file is at Mux under its own lesson, byte for byte."""
    found = stack.sql(
        "SELECT id FROM lessons WHERE course_id = %s AND creator_id = %s ORDER BY position", course, creator
    )
    assert [arrived(stack, str(lesson)) for (lesson,) in found] == [fingerprint(path) for path in paths]


def test_after_a_reload_all_go_on_with_one_choice(
    page: Page, film: Film, stack: Stack, course: str, instructor: Person, accessible: Good
) -> None:
    paths = tray.films(film, NAMES, data=LONG)
    before = len(stack.mux.uploads())
    begun(page, course, paths, stack)
    page.reload()
    stack.mux.clear_faults()
    tray.all_in(page, "interrupted", 4)
    expect(page.get_by_role("heading", name="4 uploads were interrupted")).to_be_visible()
    expect(tray.row(page, "1 a")).to_contain_text("33 % of it is at Mux: 0.5 of 1.6 MB.")
    expect(tray.row(page, "4 d")).to_contain_text("Nothing of it is at Mux yet.")
    accessible(page)
    assert "http" not in str(memory(page))
    (other,) = tray.films(film, ["other.mp4"], data=LONG)
    when = Path(paths[1]).stat()
    changed = film(Path(paths[1]).read_bytes()[:-1] + b"!", name="2 b.mp4.mp4")
    os.utime(changed, ns=(when.st_atime_ns, when.st_mtime_ns))
    tray.choose_again(page, [paths[3], paths[2], other, changed, paths[0]])
    expect(page.locator(".tray__refused")).to_contain_text(
        "“other.mp4” belongs to none of the interrupted uploads"
    )
    expect(page.locator(".tray__refused")).to_contain_text("“2 b.mp4.mp4” belongs to none")
    tray.all_in(page, "published", 3)
    expect(page.get_by_role("heading", name="1 upload was interrupted")).to_be_visible()
    # dropped above it goes on as well: no second lesson
    tray.choose(page, [paths[1]])
    tray.all_in(page, "published", 4)
    whole(stack, course, instructor.id, paths)
    assert len(stack.mux.uploads()) == before + 4
    assert memory(page) == []


def test_another_tab_waits_and_another_browser_says_where_it_goes_on(
    page: Page, film: Film, stack: Stack, course: str, instructor: Person, visit: Visitor
) -> None:
    paths = tray.films(film, NAMES[:3], data=LONG)
    begun(page, course, paths, stack)
    second = page.context.new_page()
    tray.opened(second, course)
    tray.all_in(second, "elsewhere", 3)
    expect(tray.row(second, "1 a")).to_contain_text("is being sent in another tab of this browser")
    elsewhere = visit(instructor)
    tray.opened(elsewhere, course)
    tray.all_in(elsewhere, "interrupted", 3)
    expect(tray.row(elsewhere, "1 a")).to_contain_text("This browser does not know its file.")
    page.close()
    stack.mux.clear_faults()
    tray.all_in(second, "interrupted", 3)
    tray.choose_again(second, paths)
    tray.all_in(second, "published", 3)
    tray.all_in(elsewhere, "published", 3)
    whole(stack, course, instructor.id, paths)


def test_a_file_that_changes_on_the_disk_waits_until_it_is_itself_again(
    page: Page, film: Film, stack: Stack, course: str, instructor: Person
) -> None:
    paths = tray.films(film, NAMES[:2], data=LONG)
    when = Path(paths[0]).stat()
    begun(page, course, paths, stack)
    content = Path(paths[0]).read_bytes()
    Path(paths[0]).write_bytes(content[:-1] + b"!")
    stack.mux.clear_faults()
    tray.all_in(page, "published", 1)
    expect(tray.row(page, "1 a")).to_contain_text("could not be read to its end")
    Path(paths[0]).write_bytes(content)
    os.utime(paths[0], ns=(when.st_atime_ns, when.st_mtime_ns))
    tray.choose_again(page, paths[:1])
    tray.all_in(page, "published", 2)
    whole(stack, course, instructor.id, paths)


def test_a_lesson_of_the_form_goes_on_here_and_stays_when_its_upload_is_cancelled(
    page: Page, film: Film, stack: Stack, instructor: Person
) -> None:
    (path,) = tray.films(film, ["a.mp4"], data=LONG)
    stack.mux.fault("upload", "slow", match={"operation": "put", "chunk": 2}, seconds=100)
    page.goto("/lessons/new")
    page.get_by_label("Title").fill("Bread")
    page.get_by_label("Price").fill("9.99")
    page.locator("mux-uploader input[type=file]").wait_for(state="attached")
    page.evaluate("document.querySelector('mux-uploader').setAttribute('chunk-size', '256')")
    page.locator("mux-uploader input[type=file]").set_input_files(path)
    stack.until(lambda: any(one["end"] >= 2 * tray.PART for one in memory(page)))
    tray.opened(page)
    tray.all_in(page, "interrupted", 1)
    tray.choose_again(page, [path])
    tray.all_in(page, "sending", 1)
    tray.press(page, "Bread", "Cancel")
    page.get_by_role("dialog").get_by_role("button", name="Cancel the upload").click()
    expect(tray.row(page, "Bread")).to_contain_text("The lesson stays as it is")
    assert tray.stored(stack, None, instructor.id) == [("Bread", "draft", 999, True)]
    stack.mux.clear_faults()
    tray.press(page, "Bread", "Try again")
    tray.all_in(page, "published", 1)


FOLDER = """async (films) => {
  const top = await (await navigator.storage.getDirectory()).getDirectoryHandle('films', {create: true});
  for (const [path, data] of films) {
    const [inner, name] = path.includes('/') ? path.split('/') : ['', path];
    const folder = inner ? await top.getDirectoryHandle(inner, {create: true}) : top;
    const out = await (await folder.getFileHandle(name, {create: true})).createWritable();
    await out.write(Uint8Array.from(data, (one) => one.charCodeAt(0)));
    await out.close();
  }
  DataTransferItem.prototype.getAsFileSystemHandle = async () => top;
  const dropped = new DataTransfer();
  dropped.items.add(new File(['a folder'], 'films'));
  document.querySelector('[data-part=drop]').dispatchEvent(
    new DragEvent('drop', {dataTransfer: dropped, bubbles: true, cancelable: true}));
}"""


def test_of_a_dropped_folder_the_videos_are_taken_and_found_again_by_the_browser(
    page: Page, film: Film, stack: Stack, instructor: Person
) -> None:
    tray.opened(page)
    tray.hold(stack, 2)
    paths = tray.films(film, ["10 b.mp4", "2 a.mp4"], data=LONG)
    inside = [(f"inner/{Path(paths[0]).name}", paths[0]), (Path(paths[1]).name, paths[1])]
    content = [[name, Path(path).read_bytes().decode("latin-1")] for name, path in inside]
    page.evaluate(FOLDER, [*content, ["notes.txt", "words"]])
    tray.all_in(page, "sending", 2)
    assert tray.titles(page) == ["2 a", "10 b"]
    expect(page.get_by_text("Not taken")).to_be_hidden()
    stack.until(lambda: sum(one["end"] >= 2 * tray.PART for one in memory(page)) == 2)
    page.reload()
    stack.mux.clear_faults()
    page.evaluate(tray.SMALL_PARTS)
    for title in ("2 a", "10 b"):
        expect(tray.row(page, title)).to_contain_text("Press “Go on”, and it goes on from there.")
        tray.press(page, title, "Go on")
    tray.all_in(page, "published", 2)
    assert len(tray.stored(stack, None, instructor.id)) == 2
