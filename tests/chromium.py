"""The one Playwright and the one Chromium of a test process, for every folder that drives a browser.

Playwright can be started only once in a process, so whoever needs a browser with other flags launches it from
`playwright_library`.
"""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Playwright, sync_playwright

from devstack import browser as programs

FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
    "--autoplay-policy=no-user-gesture-required",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1 , EXCLUDE localhost",
]  # fmt: skip


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
