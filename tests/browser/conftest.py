"""Real processes for the browser tests: PostgreSQL, Redis, web, worker, clock and the Mux simulator, and a Chromium.

`stack`     everything that runs, started once a run: its address, its Mux (`stack.mux`), its database (`stack.sql(...)`)
`instructor`   an account that no other test uses, so that tests share the stack without seeing each other
`school`    makes lessons and courses of the instructor in any state
`page`      a page in which the instructor is signed in; at its end it is an error if the page wrote errors to its console
`visit`     further pages: visit(person, width=390, dark=True, errors=True, first=True)
`film`      files to upload: film() a small real video, film(bytes), film(name="x.txt")
`axe(page)` what axe-core finds serious or critical; `accessible(page)` asserts that it is nothing, light and
            dark, big and small, and that nothing moves sideways
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from devstack.places import ROOT
from devstack.servers.for_tests import Servers
from muxsim.videos.sample import SAMPLE_VIDEO
from tests.browser.profiles import Profiles
from tests.browser.school import School
from tests.browser.stack import TIMEOUT_SECONDS, Person, Stack, Visitor

# for what must come true: long enough for the slowest machine, and no test waits for what has come true
expect.set_options(timeout=TIMEOUT_SECONDS * 1000)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.enable_socket)


@pytest.fixture(scope="package")
def stack(
    real_servers: Servers, redis_url_of_stack: str, worker_id: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    built = Stack(
        servers=real_servers,
        name=f"browser_{worker_id}",
        redis_url=redis_url_of_stack,
        folder=tmp_path_factory.mktemp("stack"),
    )
    try:
        built.start()
        yield built
    finally:
        built.stop()


@pytest.fixture(autouse=True)
def clean(stack: Stack) -> Iterator[None]:
    """Instead of empty tables: every account is new in every test, and Mux is calm."""
    stack.calm()
    yield
    stack.calm()


@pytest.fixture(scope="package")
def profiles(chromium: Browser) -> Iterator[Profiles]:
    made = Profiles(chromium)
    yield made
    made.close()


@pytest.fixture
def visit(profiles: Profiles, stack: Stack) -> Iterator[Visitor]:
    visitor = Visitor(profiles, stack)
    yield visitor
    visitor.close()
    assert not visitor.complaints, visitor.complaints


@pytest.fixture
def instructor(stack: Stack) -> Person:
    return stack.person(name="Tina Instructor")


@pytest.fixture
def school(stack: Stack, instructor: Person) -> School:
    return School(stack, instructor)


@pytest.fixture
def page(visit: Visitor, instructor: Person) -> Page:
    return visit(instructor)


@pytest.fixture
def film(tmp_path: Path) -> Callable[..., str]:
    """Files to upload, by what they hold and how they are called."""

    def make(data: bytes | None = None, *, name: str = "my_first film.mp4") -> str:
        path = tmp_path / name
        path.write_bytes(SAMPLE_VIDEO if data is None else data)
        return str(path)

    return make


AXE = (ROOT / "node_modules" / "axe-core" / "axe.min.js").read_text()
# rules that look at what Mux's own components draw in their shadow roots are theirs to mend
AXE_OPTIONS = {
    "resultTypes": ["violations"],
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
}


@pytest.fixture
def axe() -> Callable[[Page], list[str]]:
    """What is seriously wrong with a page for people who use assistive technology; empty for a good one."""

    def look(page: Page) -> list[str]:
        if not page.evaluate("'axe' in window"):
            page.evaluate(AXE)
        found = page.evaluate(
            "async (options) => (await axe.run({exclude: [['mux-player']]}, options)).violations", AXE_OPTIONS
        )
        return [
            f"{one['id']} ({one['impact']}): {json.dumps([node['html'][:200] for node in one['nodes']])}"
            for one in found
            if one["impact"] in ("serious", "critical")
        ]

    return look


# colours that are still on their way from one scheme to the other are no fault; a child may start when its parent has arrived
SETTLED = """async () => {
  const frame = () => new Promise(requestAnimationFrame);
  for (let still = 0; still < 3; still += 1) {
    await frame();
    const moving = document.getAnimations().filter((one) => one instanceof CSSTransition);
    if (moving.length) still = -1;
    await Promise.allSettled(moving.map((one) => one.finished));
  } }"""


@pytest.fixture
def accessible(axe: Callable[[Page], list[str]]) -> Callable[[Page], None]:
    """That a page, as it stands, is good on a big light screen and on a small dark one: for axe, and nothing sideways."""

    def look(page: Page) -> None:
        before = page.viewport_size
        for scheme, width in (("dark", 390), ("light", 1280)):
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            page.set_viewport_size({"width": width, "height": 900})
            page.evaluate(SETTLED)
            assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, (scheme, width)
            assert axe(page) == [], (scheme, width)
        assert before is not None
        page.set_viewport_size(before)

    return look
