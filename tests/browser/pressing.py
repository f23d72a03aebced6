"""Every button of a page is pressed, and the page must answer each: what is there is found in the page, so that a new button
is pressed without being listed anywhere.

An answer is what eyes see where they are: other words in view, another page, a dialog or a menu that opens or closes, a field
that is marked or filled, a file dialogue, a download. It is there within a second after the last byte from the server, and
a page that asks the server again does not wipe it. Times that tick are no answer, nor is a page that comes back as it was
after something was sent.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import ElementHandle, Error, Page, Request

WATCH = (Path(__file__).parent / "pressing.js").read_text()
BUTTONS = "window.buttonsNow().map(({ label, nth, scope }) => [label, nth, scope])"
FIND = "([label, nth]) => window.buttonsNow().find((one) => one.label === label && one.nth === nth)?.element"
MAX_LOOKS = 40  # at a page that is being left, half a second each
Key = tuple[str, int]


@dataclass
class Presser:
    """`page` is watched from its next load on. `dead`: the buttons that did not answer."""

    page: Page
    dead: list[str] = field(default_factory=list)
    count: int = 0
    _known: set[tuple[str, str]] = field(default_factory=set)
    _given: list[object] = field(default_factory=list)  # file dialogues and downloads
    _changed: bool = False  # is the page another one than it was when it was opened?

    def __post_init__(self) -> None:
        self.page.add_init_script(WATCH)
        self.page.on("filechooser", lambda chooser: self._given.append(chooser))
        self.page.on("download", lambda download: self._given.append(download))
        self.page.on("dialog", lambda dialog: dialog.accept())
        self.page.on("request", self._note_change)

    def _note_change(self, request: Request) -> None:
        self._changed = self._changed or request.method not in ("GET", "HEAD")

    def press_all(self, place: str, load: Callable[[], object], *, skip: tuple[str, ...] = ()) -> None:
        """`load` opens the page as it is to be before each press; a press that only opened something needs no new one. A button
        outside a region that keeps itself fresh is the same in every state, and is pressed once."""
        self._open(load)
        for label, nth, scope in self.page.evaluate(BUTTONS):
            known = (label, {"state": place, "page": place.partition(":")[0], "bar": ""}[scope])
            if label in skip or known in self._known:
                continue
            self._known.add(known)
            if self._changed:
                self._open(load)
            self._press_through(f"{place} / {label}", (label, nth), skip)
            self._close()

    def _open(self, load: Callable[[], object]) -> None:
        load()
        self._changed = False

    def _close(self) -> None:
        """What a press opened, if the page is still the same."""
        for _ in range(3):
            if self._changed or not self.page.evaluate("window.isOpen()"):
                return
            self.page.keyboard.press("Escape")
        self._changed = True

    def _press_through(self, name: str, key: Key, skip: tuple[str, ...]) -> None:
        """A button, and if it opens a question or a menu, each button in there."""
        if not self._press(name, key):
            return
        inner: list[tuple[str, int, str]] = self._inside()
        for n, (label, nth, _) in enumerate(inner):
            if label in skip:
                continue
            if n and not self._inside():
                self._press(name, key)
            self._press(f"{name} / {label}", (label, nth))

    def _inside(self) -> list[tuple[str, int, str]]:
        return list(self.page.evaluate(BUTTONS)) if self.page.evaluate("window.isOpen()") else []

    def _press(self, name: str, key: Key) -> bool:
        button = self.page.evaluate_handle(FIND, list(key)).as_element()
        if button is None:  # what was pressed before took it away
            return False
        self.count += 1
        if wrong := self._after(button):
            self.dead.append(f"{name}: {wrong}")
        elif self.page.evaluate("window.fillWhatIsMissing()"):
            return self._press(f"{name}, filled in", key)
        return not wrong

    def _after(self, button: ElementHandle) -> str:
        button.scroll_into_view_if_needed()
        before = self.page.evaluate("window.pageNow()")
        address = self.page.url
        self._given.clear()
        try:
            button.click()
            said = "" if self._given else self._answer(before)
        except Error as error:
            if "context was destroyed" not in str(error) and "navigation" not in str(error):
                raise
            self.page.wait_for_load_state()
            said = self._answer(before)
        self._changed = self._changed or not self.page.evaluate("window.looked") or self.page.url != address
        if self._given or self.page.url != address:
            said = ""
        self.page.wait_for_load_state()
        return said

    def _answer(self, before: object) -> str:
        for _ in range(MAX_LOOKS):
            said = self.page.evaluate(
                "([before, sent]) => window.answered(before, sent)", [before, self._changed]
            )
            if said != "leaving" or self._given:
                return str(said)
        return "the next page did not come"
