"""The one Playwright and the one Chromium of a test process, for every folder that drives a browser,
and what they all need to know of a page.

Playwright can be started only once in a process, so a test that needs a browser with other flags launches it from
`playwright_library`.
"""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

from devstack.install import chromium as programs

FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
    "--autoplay-policy=no-user-gesture-required",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1 , EXCLUDE localhost",
]  # fmt: skip

ALIVE = """async () => {
  const app = document.querySelector('script[src*="/app.js"]').src;
  await import(app);
  const named = [...document.querySelectorAll('[data-js]')].flatMap((one) => one.dataset.js.split(/\\s+/));
  await Promise.all([...new Set(named)].filter(Boolean).map((name) => import(new URL(`behaviours/${name}.js`, app))));
  await new Promise(setTimeout); }"""


def alive(page: Page) -> None:
    """Wait until whatever a script adds to the page's elements is there."""
    page.evaluate(ALIVE)


@pytest.fixture(scope="session")
def playwright_library() -> Iterator[Playwright]:
    with sync_playwright() as library:
        yield library


@pytest.fixture(scope="session")
def chromium(playwright_library: Playwright) -> Iterator[Browser]:
    """A Chromium that reaches nothing but this machine."""
    program = programs.find()
    assert program is not None, "there is no Chromium; bin/test says how to get one"
    browser = playwright_library.chromium.launch(executable_path=program, args=FLAGS)
    yield browser
    browser.close()
