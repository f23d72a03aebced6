"""Pages in a real browser, served by threads of this process: quick, and with factories at hand.

A test that needs worker, clock and simulator as real processes stands in tests/browser.

`site`               the address of the product (settings as in other tests)
`window(...)`        a window: width=390, dark=True, script=False, signed_in=user or a role's name
`page`               one at 1280 px in which no user is signed in; console errors fail the test at its end
`axe(page)`          what axe-core finds serious or critical, as lines; empty for a good page
`sideways(page)`     by how many pixels the page is wider than its window
`accessible(page)`  asserts that both are nothing, light and dark, wide and narrow
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page
from werkzeug.serving import WSGIRequestHandler, make_server

from devstack.places import ROOT
from lessonadmin.db import CLI, transaction
from lessonadmin.domain.accounts import sessions
from lessonadmin.domain.models import User
from tests.factories import in_context, make_user

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
TIMEOUT_MILLISECONDS = 10_000
Window = Callable[..., Page]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - the name that the overridden method gives it
        """The product's own log says it already."""


@contextmanager
def serving(product: Flask) -> Iterator[str]:
    """The address of an application, as long as the block lasts."""
    server = make_server("127.0.0.1", 0, product, threaded=True, request_handler=_Quiet)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="session")
def site(app: Flask) -> Iterator[str]:
    """The address of the running product."""
    with serving(app) as address:
        yield address


@pytest.fixture
def window(site: str, app: Flask, chromium: Browser) -> Iterator[Window]:
    """Opens windows; closes them at the end and fails if one of them logged an error."""
    contexts: list[BrowserContext] = []
    errors: list[str] = []

    def opened(
        *,
        width: int = 1280,
        height: int = 800,
        dark: bool = False,
        script: bool = True,
        signed_in: User | str | None = None,
        at: str = site,
    ) -> Page:
        context = chromium.new_context(
            base_url=at,
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            java_script_enabled=script,
            reduced_motion="reduce",
        )
        context.set_default_timeout(TIMEOUT_MILLISECONDS)
        contexts.append(context)
        if signed_in is not None:
            _sign_in(context, app, at, signed_in)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(f"{page.url}: {error}"))
        page.on("console", lambda said: errors.append(f"{page.url}: {said.text}") if _counts(said) else None)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert errors == []


def _counts(said: ConsoleMessage) -> bool:
    # An answer of 4xx is told as an error by the browser itself; the test looks at what the page makes of it.
    # Google's cast script, which Mux's player asks for, is kept out on purpose.
    return said.type == "error" and not any(
        word in said.text for word in ("Failed to load resource", "gstatic.com")
    )


def _sign_in(context: BrowserContext, app: Flask, site: str, who: User | str) -> None:
    user = make_user(role=who) if isinstance(who, str) else who
    with in_context(), transaction(CLI):
        secret = sessions.begin(user, address="127.0.0.1", user_agent="Chrome/1 Linux")
    browser = app.test_client()
    with browser.session_transaction() as cookie:
        cookie["secret"] = secret
        cookie.permanent = True
    made = browser.get_cookie("session")
    assert made is not None
    context.add_cookies([{"name": "session", "value": made.value, "url": site, "httpOnly": True}])


@pytest.fixture
def page(window: Window) -> Page:
    return window()


@pytest.fixture
def axe() -> Callable[[Page], list[str]]:
    def look(page: Page) -> list[str]:
        if not page.evaluate("'axe' in window"):
            # evaluate() is not bound by the page's own policy, a <script> would be
            page.evaluate(AXE.read_text())
        found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        return [
            f"{rule['id']} ({rule['impact']}): {node['html'][:160]}"
            for rule in found["violations"]
            if rule["impact"] in ("serious", "critical")
            for node in rule["nodes"]
        ]

    return look


@pytest.fixture
def sideways() -> Callable[[Page], int]:
    def measure(page: Page) -> int:
        return int(
            page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        )

    return measure


# colours that are still on their way from one scheme to the other are no fault
SETTLED = """async () => {
  for (let frame = 0; frame < 2; frame += 1) await new Promise(requestAnimationFrame);
  const moving = document.getAnimations().filter((one) => one instanceof CSSTransition);
  await Promise.allSettled(moving.map((one) => one.finished)); }"""
LOOKS: list[tuple[Literal["light", "dark"], int]] = [
    ("light", 1280),
    ("dark", 1280),
    ("dark", 390),
    ("light", 390),
]


@pytest.fixture
def accessible(axe: Callable[[Page], list[str]], sideways: Callable[[Page], int]) -> Callable[[Page], None]:
    """That a page, as it stands, is good in both schemes and both widths."""

    def look(page: Page) -> None:
        for scheme, width in LOOKS:
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            page.set_viewport_size({"width": width, "height": 800})
            page.evaluate(SETTLED)
            assert axe(page) == [], (scheme, width)
            assert sideways(page) <= 0, (scheme, width)

    return look
