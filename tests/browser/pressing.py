"""Every button of a page is pressed, and the page must answer each: what is there is found in the page, so that a new button
is pressed without being listed anywhere.

An answer is what eyes see: other words, another page, a dialog that opens or closes, a field that is marked or filled, a
file dialogue. It is there within a second after the last byte from the server, and a page that asks the server again
does not wipe it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from playwright.sync_api import ElementHandle, Error, Page, Request

WATCH = """
window.inFlight = 0;
const asks = window.fetch;
window.fetch = async (...given) => {
  window.inFlight += 1;
  try { return await asks(...given); } finally { setTimeout(() => { window.inFlight -= 1; }, 50); }
};
window.addEventListener("beforeunload", () => { window.leaving = true; });
const seen = (one) => one.checkVisibility({ visibilityProperty: true }) && !one.closest(".hidden-text");
window.pageNow = () => {
  const words = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) if (walk.currentNode.data.trim() && seen(walk.currentNode.parentElement)) words.push(walk.currentNode.data.trim());
  const fields = [...document.querySelectorAll("input:not([type=hidden]), select, textarea")].map((one) => `${one.value} ${one.checked}`);
  const marked = document.activeElement?.matches(":invalid") ? document.activeElement.name : "";
  const open = [...document.querySelectorAll("dialog[open], [popover]:popover-open, details[open], [aria-expanded=true]")].length;
  return JSON.stringify([location.href, words, fields, marked, open]);
};
window.buttonsNow = () => {
  const top = [...document.querySelectorAll("dialog[open]")].at(-1) ?? document;
  const found = [...top.querySelectorAll("button, [role=button], summary, input[type=submit]")];
  const counts = {};
  return found.filter((one) => seen(one) && !one.disabled && !one.closest("mux-player")).map((element) => {
    const label = (element.innerText || element.getAttribute("aria-label") || element.title || element.querySelector("[aria-label]")?.getAttribute("aria-label") || "").trim();
    counts[label] = (counts[label] ?? 0) + 1;
    return { element, label, nth: counts[label], inState: Boolean(element.closest("[data-state]")) };
  });
};
window.answered = async (before) => {
  const frame = () => new Promise(requestAnimationFrame);
  const began = performance.now();
  let quiet = began;
  while (window.pageNow() === before) {
    if (window.inFlight || window.leaving) quiet = performance.now();
    if (performance.now() - quiet > 1000 || performance.now() - began > 20000) return "nothing changed";
    await frame();
  }
  for (const region of document.querySelectorAll("[data-js~=live]")) {
    if (!region.querySelector("[data-next]")?.dataset.next || region.querySelector("dialog[open]")) continue;
    region.dispatchEvent(new CustomEvent("state-wanted"));
    do await frame(); while (window.inFlight && performance.now() - began < 20000);
    await frame();
  }
  return window.pageNow() === before ? "the answer was wiped" : "";
};
"""
BUTTONS = "window.buttonsNow().map(({ label, nth, inState }) => [label, nth, inState])"
FIND = "([label, nth]) => window.buttonsNow().find((one) => one.label === label && one.nth === nth)?.element"
IS_OPEN = "document.querySelector('dialog[open], [popover]:popover-open') !== null"
Key = tuple[str, int]


@dataclass
class Presser:
    """`page` is watched from its next load on. `dead`: the buttons that did not answer."""

    page: Page
    dead: list[str] = field(default_factory=list)
    count: int = 0
    _known: set[tuple[str, str]] = field(default_factory=set)
    _files: list[object] = field(default_factory=list)
    _changed: bool = False  # is the page another one than it was when it was opened?

    def __post_init__(self) -> None:
        self.page.add_init_script(WATCH)
        self.page.on("filechooser", lambda chooser: self._files.append(chooser))
        self.page.on("dialog", lambda dialog: dialog.accept())
        self.page.on("request", self._note_change)

    def _note_change(self, request: Request) -> None:
        self._changed = self._changed or request.method not in ("GET", "HEAD")

    def press_all(self, place: str, load: Callable[[], object], *, skip: tuple[str, ...] = ()) -> None:
        """`load` opens the page as it is to be before each press; a press that only opened something needs no new one. A button
        outside a region that keeps itself fresh is the same in every state, and is pressed once."""
        self._open(load)
        for label, nth, in_state in self.page.evaluate(BUTTONS):
            known = (label, place if in_state else place.partition(":")[0])
            if label in skip or known in self._known:
                continue
            self._known.add(known)
            if self._changed:
                self._open(load)
            self._press_through(f"{place} / {label}", (label, nth))
            self._close()

    def _open(self, load: Callable[[], object]) -> None:
        load()
        self._changed = False

    def _close(self) -> None:
        """What a press opened, if the page is still the same."""
        for _ in range(3):
            if self._changed or not self.page.evaluate(IS_OPEN):
                return
            self.page.keyboard.press("Escape")
        self._changed = True

    def _press_through(self, name: str, key: Key) -> None:
        """A button, and if it asks a question, each answer to the question."""
        if not self._press(name, key):
            return
        inner: list[tuple[str, int, bool]] = self._dialog()
        for n, (label, nth, _) in enumerate(inner):
            if n and not self._dialog():
                self._press(name, key)
            self._press(f"{name} / {label}", (label, nth))

    def _dialog(self) -> list[tuple[str, int, bool]]:
        is_open = self.page.evaluate("document.querySelector('dialog[open]') !== null")
        return list(self.page.evaluate(BUTTONS)) if is_open else []

    def _press(self, name: str, key: Key) -> bool:
        button = self.page.evaluate_handle(FIND, list(key)).as_element()
        if button is None:  # what was pressed before took it away
            return False
        self.count += 1
        if wrong := self._after(button):
            self.dead.append(f"{name}: {wrong}")
        return not wrong

    def _after(self, button: ElementHandle) -> str:
        before = self.page.evaluate("window.pageNow()")
        address = self.page.url
        self._files.clear()
        try:
            button.click()
            if self._files:
                return ""
            said = str(self.page.evaluate("(before) => window.answered(before)", before))
        except Error as error:
            if "context was destroyed" not in str(error) and "navigation" not in str(error):
                raise
            said = ""
        self._changed = self._changed or self.page.url != address
        if self._files or self.page.url != address:
            said = ""
        self.page.wait_for_load_state()
        return said
