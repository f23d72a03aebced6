"""The README's moving picture: Mux's webhooks are dropped at the simulator, and the lesson publishes itself all the same.

Each frame is a pair of screenshots of the running product with one line of words. Nothing in it is drawn or simulated but
Mux; only the waiting is shown faster than it is.
"""

import base64
import html
import io
import time
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page

PANE = {"width": 600, "height": 620}
STAGE = {"width": 1240, "height": 724}
HEAL_SECONDS = 240
READ_MS, STEP_MS, WAIT_MS, END_MS = 2600, 1400, 150, 5000
LOST = "Mux works on it. Its webhooks are lost … (time runs faster here)"
# below the bar that stays at the top of every page
TO_THE_TOP = "one => { one.scrollIntoView({ block: 'start' }); window.scrollBy(0, -110); }"
QUALITY = 82
SHOW = """<!doctype html><style>
body{{margin:0;font:600 21px/1.3 system-ui,sans-serif;background:#12161d;color:#fff;display:grid;
grid:56px 20px auto/600px 600px;gap:8px 12px;padding:10px 14px}}
p{{grid-column:1/3;margin:0;align-self:center}} small{{font:500 14px system-ui,sans-serif;color:#a9b6c8}}
img{{display:block;width:600px;height:620px;border-radius:8px}}</style>
<p>{words}</p><small>The Mux simulator</small><small>{title}</small>
<img src="data:image/png;base64,{left}"><img src="data:image/png;base64,{right}">"""


@dataclass
class Film:
    """Frames of two pages side by side, and how long each is shown."""

    stage: Page
    left: Page
    right: Page
    title: str = "What the instructor sees"
    frames: list[tuple[bytes, int]] = field(default_factory=list)
    _last: tuple[bytes, bytes, str] = (b"", b"", "")

    def show(self, words: str, milliseconds: int = READ_MS) -> None:
        """One more frame, unless nothing has changed since the last one."""
        seen = (self.left.screenshot(), self.right.screenshot(), words)
        if seen == self._last:
            return
        self._last = seen
        left, right = (base64.b64encode(one).decode() for one in seen[:2])
        self.stage.set_content(
            SHOW.format(words=html.escape(words), title=html.escape(self.title), left=left, right=right)
        )
        self.frames.append((self.stage.screenshot(), milliseconds))

    def save(self, file: Path) -> None:
        images = [Image.open(io.BytesIO(png)).convert("RGB") for png, _ in self.frames]
        times = [milliseconds for _, milliseconds in self.frames]
        images[0].save(
            file, save_all=True, append_images=images[1:], duration=times, loop=0, quality=QUALITY, method=6
        )


def record(
    chromium: Browser, instructor: Page, simulator: str, address: str, sample: Path, file: Path
) -> None:
    """From a new lesson to the published one, with every webhook dropped on the way."""
    instructor.set_viewport_size(PANE)  # type: ignore[arg-type]
    left = chromium.new_page(viewport=PANE)  # type: ignore[arg-type]
    stage = chromium.new_page(viewport=STAGE)  # type: ignore[arg-type]
    film = Film(stage, left, instructor)
    left.goto(simulator)
    left.locator("[data-tab=faults]").click()
    instructor.goto(f"{address}/lessons/new")
    instructor.fill("[name=title]", "Painting clouds")
    film.show("Mux tells an app by webhook when a video is ready. What if it does not?")
    left.locator("input[name=amount][value=all]").check()
    left.get_by_role("group", name="Webhooks").get_by_role("button", name="Drop", exact=True).click()
    left.evaluate("window.scrollTo(0, 0)")
    left.locator("#fault-active .row").first.wait_for()
    film.show("Here every webhook is dropped.")
    _upload(film, sample)
    _wait_until_published(film)
    film.save(file)


def _upload(film: Film, sample: Path) -> None:
    page = film.right
    page.locator("mux-uploader input[type=file]").first.set_input_files(sample)
    page.get_by_test_id("lesson-status").first.evaluate(TO_THE_TOP)
    film.show("The instructor drops a video and may leave: the lesson is to publish itself.", STEP_MS)
    film.left.locator("[data-tab=events]").click()
    film.left.locator("#event-list").get_by_text("dropped", exact=True).first.wait_for(timeout=60_000)
    film.show(LOST)


def _wait_until_published(film: Film) -> None:
    published = film.right.get_by_test_id("lesson-status").filter(has_text="Published").first
    until = time.monotonic() + HEAL_SECONDS
    while not published.is_visible() and time.monotonic() < until:
        film.right.wait_for_timeout(2_000)
        film.show(LOST, WAIT_MS)
    published.wait_for(timeout=1_000)
    film.left.locator("[data-tab=calls]").click()
    film.right.wait_for_timeout(1_500)
    film.show("… and the lesson is published: the sweep noticed the silence and asked Mux.", END_MS)
