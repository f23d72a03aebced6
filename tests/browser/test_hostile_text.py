"""Hostile text in every field that a person, Mux, a file name, an import or a webhook fills, on every page of every role: it stays text."""

import html
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit

import pytest
from playwright.sync_api import Error, Page, Route

from tests.browser.hostile import ALL, ELSEWHERE, PAYLOADS, PRODUCT, HostileSchool
from tests.browser.stack import NOISE, Person, Stack, Visitor

WATCH = """addEventListener("securitypolicyviolation", (one) =>
  console.debug(`violation: ${one.violatedDirective} ${one.blockedURI}`));"""
# The innermost elements that stand beyond the right edge.
BEYOND = """() => { const beyond = (one) => one.getBoundingClientRect().right > innerWidth + 1;
  const inner = [...document.querySelectorAll("body *")].filter((one) => beyond(one) && ![...one.children].some(beyond));
  return inner.slice(0, 3).map((one) => `${one.parentElement.className} ${one.tagName}.${one.className}`).join(); }"""
LISTS = ("lesson", "course", "tracking", "event", "deletion", "batch", "purchase", "person", "user", "audit")


@dataclass
class Watched:
    """A page that notes whatever text has done."""

    page: Page
    hosts: frozenset[str]
    faults: list[str] = field(default_factory=list)
    looked: int = 0

    def __post_init__(self) -> None:
        self.page.add_init_script(WATCH)
        self.page.on("dialog", lambda dialog: self._note(f"dialog {dialog.message}", dialog.dismiss))
        self.page.on("console", lambda message: self._said(message.text))
        self.page.on("request", lambda request: self._request(request.url))

    def _note(self, what: str, then: object = None) -> None:
        self.faults.append(f"{urlsplit(self.page.url).path}: {what}")
        if callable(then):
            then()

    def _said(self, text: str) -> None:
        if text.startswith("violation: ") and not any(one in text for one in NOISE):
            self._note(text)

    def _request(self, url: str) -> None:
        parts = urlsplit(url)
        if (
            parts.scheme in ("http", "https")
            and parts.netloc not in self.hosts
            and not any(one in url for one in NOISE)
        ):
            self._note(f"request {url}")

    def look(self, path: str) -> None:
        self.page.goto(path, wait_until="load")
        for width in (1280, 390):
            self.page.set_viewport_size({"width": width, "height": 900})
            if (beyond := self.page.evaluate("document.documentElement.scrollWidth - innerWidth")) > 0:
                self._note(f"{beyond} px beyond the right edge at {width}: {self.page.evaluate(BEYOND)}")
        if PRODUCT in self.page.content():
            self._note("a template has calculated")
        self.looked += 1


def pages(school: HostileSchool) -> dict[str, list[str]]:
    lesson, course, ids = school.lessons[0], school.courses[0], school.ids
    typed = quote(ALL[:150])
    panel = [f"/admin/{slug}/" for slug in LISTS]
    about = {
        "lesson": lesson,
        "course": course,
        **{slug: ids[slug] for slug in ("event", "deletion", "batch", "audit")},
    }
    panel += [f"/admin/{slug}/details/?id={one}" for slug, one in about.items()]
    panel += [
        f"/admin/lesson/details/?id={ids['failed']}",
        f"/admin/lesson/edit/?id={lesson}",
        f"/admin/lesson/story/?id={lesson}",
    ]
    panel += [
        f"/admin/person/details/?id={ids['person']}",
        f"/admin/user/details/?id={ids['person']}",
        f"/admin/search/?q={typed}",
    ]
    return {
        "instructor": ["/lessons", f"/lessons/{lesson}/edit", f"/lessons/{ids['failed']}/edit", f"/lessons/{lesson}/delete", "/courses", f"/courses/{course}/edit",
            "/notifications", "/account", f"/lessons?q={typed}", f"/nowhere/{typed}"],
        "student": ["/catalog", "/catalog/mine", f"/catalog/{lesson}", "/catalog/courses", f"/catalog/courses/{course}", f"/catalog?q={typed}"],
        "admin": ["/admin/", *panel],
        "": [f"/login?next={typed}"],
    }  # fmt: skip


@pytest.fixture
def people(stack: Stack) -> dict[str, Person]:
    return {role: stack.person(role) for role in ("instructor", "student", "admin")}


@pytest.fixture
def hostile(stack: Stack, people: dict[str, Person]) -> Iterator[HostileSchool]:
    school = HostileSchool(stack, people["instructor"], people["student"], people["admin"])
    school.ids["person"] = str(people["instructor"].id)
    yield school
    # an alarm that stays would be seen by the tests that follow
    stack.sql("DELETE FROM alarms WHERE kind LIKE 'hostile-%%'")
    stack.sql("DELETE FROM mux_calls WHERE detail LIKE '%%alert(%%'")


def watched(stack: Stack, visit: Visitor, person: Person | None) -> Watched:
    hosts = frozenset(urlsplit(one).netloc for one in (stack.url, stack.simulator.url))
    return Watched(visit(person, errors=True), hosts)


@pytest.mark.timeout(400)
def test_hostile_text_stays_text_on_every_page(
    stack: Stack, visit: Visitor, people: dict[str, Person], hostile: HostileSchool
) -> None:
    assert len(PAYLOADS) >= 60
    faults, looked = [], 0
    for role, paths in pages(hostile).items():
        seen = watched(stack, visit, people.get(role))
        for path in paths:
            seen.look(path)
        faults += seen.faults
        looked += seen.looked
    assert faults == []
    assert looked > 35


def test_of_the_watch_a_page_without_escaping_is_caught(
    stack: Stack, visit: Visitor, people: dict[str, Person], hostile: HostileSchool
) -> None:
    seen = watched(stack, visit, people["instructor"])

    def unescaped(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, body=html.unescape(answer.text()))

    seen.page.route(re.compile(r"/lessons$"), unescaped)
    with suppress(Error):  # one of the texts leads the page elsewhere
        seen.look("/lessons")
    assert [one for one in seen.faults if "violation: script-src" in one], "the policy has stopped a script"
    assert [one for one in seen.faults if ELSEWHERE in one]
