"""Browser profiles, used again by later tests: a new one has to fetch and compile everything again. Taken back,
a profile keeps its cache and nothing else: no page, cookie, permission, or anything that a page stored.
"""

from contextlib import suppress
from dataclasses import dataclass

from playwright.sync_api import Browser, BrowserContext, Error

# What a test puts into all pages of a profile cannot be taken out again; Playwright's clock is put there.
UNTOUCHED = (
    "[Date, setTimeout].every((one) => Function.prototype.toString.call(one).includes('[native code]'))"
)


@dataclass(frozen=True)
class Kind:
    """What cannot be changed once a browser profile is there."""

    url: str
    width: int
    dark: bool


class Profiles:
    """The profiles that no test uses now."""

    STORES = "cookies,file_systems,indexeddb,local_storage,service_workers,cache_storage"

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._free: dict[Kind, list[BrowserContext]] = {}

    def lend(self, kind: Kind) -> BrowserContext:
        free = self._free.get(kind)
        return free.pop() if free else self.new(kind)

    def new(self, kind: Kind) -> BrowserContext:
        return self._browser.new_context(
            base_url=kind.url,
            viewport={"width": kind.width, "height": 844 if kind.width < 600 else 900},
            color_scheme="dark" if kind.dark else "light",
            reduced_motion="reduce",
            locale="en-GB",
            timezone_id="UTC",
        )

    def take_back(self, kind: Kind, context: BrowserContext) -> None:
        try:
            self._clean(kind, context)
        except Error:  # the test left it in a state that cannot be used
            with suppress(Error):
                context.close()
        else:
            self._free.setdefault(kind, []).append(context)

    def _clean(self, kind: Kind, context: BrowserContext) -> None:
        """The stores are emptied last: a page that is open may write into them until it is closed."""
        for page in context.pages:
            page.close()
        context.unroute_all(behavior="ignoreErrors")
        context.set_offline(False)
        context.clear_permissions()
        context.clear_cookies()
        page = context.new_page()
        context.new_cdp_session(page).send(
            "Storage.clearDataForOrigin", {"origin": kind.url, "storageTypes": self.STORES}
        )
        try:
            if not page.evaluate(UNTOUCHED):
                raise Error("a clock of the test's own stays in a profile to its end")
        finally:
            page.close()

    def close(self) -> None:
        for free in self._free.values():
            for context in free:
                context.close()
        self._free.clear()
