"""What the player tells Mux Data: with a key, what students watch in the catalogue; without one, and elsewhere, nothing."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, Request, Route, expect

from tests.browser.school import School
from tests.browser.stack import Person, Stack, Visitor

KEY = "ourenvironmentkey"
BEACONS = f"https://{KEY}.litix.io/**"
ANYWHERE = "**://*.litix.io/**"
ALIVE = "() => typeof document.querySelector('mux-player').play === 'function'"  # its script is there
# its promise says no when the video has ended before it says yes; whether it played is asked of its time
PLAY = "() => { const player = document.querySelector('mux-player'); player.muted = true; player.play().catch(() => {}); }"
PLAYED = "() => document.querySelector('mux-player').currentTime > 0.2"
# what the policy of the page keeps from being sent
WATCH = "addEventListener('securitypolicyviolation', (event) => (window.kept ??= []).push(event.blockedURI))"


# named first by a test: it ends when the pages are closed, which would find it gone
@pytest.fixture
def reporting(stack: Stack) -> Iterator[str]:
    with stack.web_with(MUX_ENV_KEY=KEY) as url:
        yield url


@pytest.fixture
def lesson(stack: Stack, instructor: Person) -> str:
    return School(stack, instructor).lesson("Watched", real=True)


class Beacons:
    """Everything that a page tried to tell Mux Data, answered as Mux Data would."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.sent: list[Request] = []
        page.add_init_script(WATCH)
        page.route(ANYWHERE, self._take)

    def _take(self, route: Route) -> None:
        self.sent.append(route.request)
        route.fulfill(status=200, headers={"Access-Control-Allow-Origin": "*"})

    def kept(self) -> list[str]:
        found: list[str] = self.page.evaluate("window.kept ?? []")
        return [one for one in found if "litix" in one]

    def watch(self) -> None:
        """Play, and let the player begin with what it measures."""
        expect(self.page.locator("mux-player")).to_be_visible()
        self.page.wait_for_function(ALIVE)
        self.page.evaluate(PLAY)
        self.page.wait_for_function(PLAYED)

    def leave(self) -> None:
        """A student who leaves makes the player send what it has gathered."""
        self.page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide'))")
        self.page.evaluate("() => document.querySelector('mux-player').remove()")


def test_what_students_watch_is_reported(reporting: str, visit: Visitor, stack: Stack, lesson: str) -> None:
    page = visit(stack.person("student"), url=reporting)
    beacons = Beacons(page)
    with page.expect_request(BEACONS) as beacon:
        page.goto(f"/catalog/{lesson}")
        beacons.watch()
    assert beacon.value.method == "POST"
    assert KEY in (beacon.value.post_data or "")
    assert beacons.kept() == []


def test_what_instructors_and_staff_look_at_is_not(
    reporting: str, visit: Visitor, stack: Stack, lesson: str, instructor: Person
) -> None:
    for person, address in (
        (instructor, f"/lessons/{lesson}/edit"),
        (stack.person("support"), f"/admin/lesson/details/?id={lesson}"),
    ):
        page = visit(person, url=reporting, errors=True)
        beacons = Beacons(page)
        page.goto(address)
        beacons.watch()
        beacons.leave()
        page.wait_for_timeout(1000)
        assert (beacons.sent, beacons.kept()) == ([], []), address


def test_without_a_key_nothing_is_reported_and_nothing_more_is_let_through(
    visit: Visitor, stack: Stack, lesson: str
) -> None:
    page = visit(stack.person("student"))
    beacons = Beacons(page)
    answer = page.goto(f"/catalog/{lesson}")
    assert answer is not None
    assert "litix.io" not in answer.headers["content-security-policy"]
    beacons.watch()
    beacons.leave()
    page.wait_for_timeout(1000)
    assert (beacons.sent, beacons.kept()) == ([], [])
