"""A browser profile that later tests use again brings nothing of an earlier test along."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page

from tests.browser.profiles import Kind, Profiles
from tests.browser.stack import Stack

STORE = """async () => {
  document.cookie = "kept=1"; localStorage.kept = 1; sessionStorage.kept = 1;
  await new Promise((done) => { const one = indexedDB.open("kept"); one.onsuccess = () => { one.result.close(); done(); }; });
  await caches.open("kept"); }"""
STORED = """async () => [document.cookie, localStorage.kept, sessionStorage.kept,
  ...(await indexedDB.databases()).map(({ name }) => name), ...await caches.keys()].filter(Boolean)"""


def opened(context: BrowserContext) -> Page:
    page = context.new_page()
    page.goto("/login")
    return page


def test_what_a_test_stored_is_gone(stack: Stack, profiles: Profiles) -> None:
    kind = Kind(stack.url, 1280, dark=False)
    context = profiles.new(kind)
    page = opened(context)
    page.evaluate(STORE)
    assert page.evaluate(STORED) == ["kept=1", "1", "1", "kept", "kept"]
    context.grant_permissions(["clipboard-read"])
    context.set_offline(True)
    context.route("**/*", lambda route: route.abort())
    profiles.take_back(kind, context)
    again = profiles.lend(kind)
    assert again is context
    page = opened(again)
    assert page.evaluate(STORED) == []
    assert (
        page.evaluate("navigator.permissions.query({ name: 'clipboard-read' }).then(({ state }) => state)")
        != "granted"
    )
    profiles.take_back(kind, again)


def closed(context: BrowserContext) -> None:
    context.close()


def with_its_own_clock(context: BrowserContext) -> None:
    context.clock.install()


@pytest.mark.parametrize("spoil", [closed, with_its_own_clock])
def test_one_that_a_test_has_spoilt_is_not_used_again(
    stack: Stack, profiles: Profiles, spoil: Callable[[BrowserContext], None]
) -> None:
    kind = Kind(stack.url, 640, dark=False)
    context = profiles.new(kind)
    spoil(context)
    profiles.take_back(kind, context)
    another = profiles.lend(kind)
    assert another is not context
    profiles.take_back(kind, another)
