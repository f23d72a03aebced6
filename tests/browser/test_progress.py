"""A student goes on where they stopped, and sees what is done: the player tells it, also when the page is closed while it plays."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.school import School
from tests.browser.stack import Person, Stack, Visitor
from tests.browser.test_catalog import PLAYS, fits

Axe = Callable[[Page], list[str]]
SIXTEEN_SECONDS = Path("lessonadmin/demo/sample.mp4").read_bytes()
PLAYER = 'document.querySelector("mux-player")'
# there, and on its way
MOVE = "(seconds) => { const player = %s; player.muted = true; player.currentTime = seconds; return player.play(); }"


@pytest.fixture
def student(stack: Stack) -> Person:
    stack.sql("UPDATE lessons SET status = 'draft'")
    return stack.person("student", "Stu Student")


def play_from(page: Page, stack: Stack, seconds: float) -> None:
    assert page.evaluate(PLAYS)
    page.evaluate(MOVE % PLAYER, seconds)
    stack.until(lambda: page.evaluate(f"{PLAYER}.currentTime") > seconds + 0.2)


def position(page: Page) -> float:
    assert page.evaluate(PLAYS)
    return float(page.evaluate(f"{PLAYER}.currentTime"))


def stored(stack: Stack, person: Person) -> list[tuple[float, bool]]:
    found = stack.sql(
        "SELECT seconds, done_at IS NOT NULL FROM lesson_progress WHERE user_id = %s", person.id
    )
    return [(float(seconds), bool(done)) for seconds, done in found]


def test_a_lesson_goes_on_where_it_was_paused_and_left(
    visit: Visitor, school: School, student: Person, stack: Stack, axe: Axe
) -> None:
    lesson = school.lesson("The flat wash", real=SIXTEEN_SECONDS)
    page = visit(student)
    page.goto(f"/catalog/{lesson}")
    assert page.evaluate(PLAYS)
    expect(page.get_by_text("Going on at")).to_have_count(0)
    with page.expect_response(f"**/api/lessons/{lesson}/progress") as told:
        play_from(page, stack, 10.5)
        page.evaluate(f"{PLAYER}.pause()")
    assert told.value.status == 200
    page.reload()
    expect(page.get_by_text("Going on at 0:1")).to_be_visible()
    assert 10 < position(page) < 13
    # left while it plays, with no pause before: the page says so as it goes
    ((before, _),) = stored(stack, student)
    play_from(page, stack, 12)
    page.goto("/catalog")
    stack.until(lambda: stored(stack, student)[0][0] > max(before, 12))
    for width, dark in ((390, False), (1280, True)):
        look = visit(student, width=width, dark=dark)
        look.goto(f"/catalog/{lesson}")
        expect(look.get_by_text("Going on at")).to_be_visible()
        assert fits(look)
        assert axe(look) == [], width
    page.goto(f"/catalog/{lesson}")
    assert position(page) > 11
    page.evaluate(f"{PLAYER}.muted = true")
    page.get_by_role("button", name="Start again").press("Enter")
    expect(page.get_by_text("Playing from the beginning.")).to_be_focused()
    stack.until(lambda: 0.2 < page.evaluate(f"{PLAYER}.currentTime") < 8)


def test_nothing_is_told_before_it_plays_and_the_end_is_told(
    visit: Visitor, school: School, student: Person, stack: Stack
) -> None:
    lesson = school.lesson("Edges", real=True)
    page = visit(student)
    page.goto(f"/catalog/{lesson}")
    assert page.evaluate(PLAYS)
    page.goto("/catalog")
    page.goto(f"/catalog/{lesson}")
    assert stored(stack, student) == []
    play_from(page, stack, 0)
    stack.until(lambda: any(done for _, done in stored(stack, student)))
    page.reload()
    assert page.evaluate(PLAYS)
    expect(page.get_by_text("Going on at")).to_have_count(0)


def test_a_lesson_is_marked_as_done_while_it_plays_and_the_course_says_how_much_is(
    visit: Visitor, school: School, student: Person, stack: Stack, axe: Axe
) -> None:
    course = school.course("Watercolour for beginners")
    first = school.lesson("Paper and water", course=course, real=SIXTEEN_SECONDS, position=1)
    school.lesson("Washes", course=course, position=2)
    school.lesson("Skies", course=course, position=3, price=900)
    page = visit(student)
    page.goto(f"/catalog/{first}")
    play_from(page, stack, 1)
    page.get_by_role("button", name="Mark as done").press("Enter")
    taken_back = page.get_by_role("button", name="Mark as not done")
    expect(taken_back).to_be_focused()
    assert page.evaluate(f"!{PLAYER}.paused")  # the page was not left
    stack.until(lambda: stored(stack, student)[0][1])
    page.goto(f"/catalog/courses/{course}")
    expect(page.get_by_text("1 of 3 done")).to_be_visible()
    page.goto(f"/catalog/{first}")
    page.get_by_role("button", name="Mark as not done").press("Enter")
    expect(page.get_by_role("button", name="Mark as done")).to_be_focused()
    stack.until(lambda: not stored(stack, student)[0][1])
    play_from(page, stack, 10.5)
    page.evaluate(f"{PLAYER}.pause()")
    stack.until(lambda: stored(stack, student)[0][0] > 10)
    page.goto("/catalog")
    begun = page.get_by_role("region", name="Go on")
    expect(begun.get_by_role("link")).to_have_text(["Paper and water"])
    expect(begun.get_by_role("progressbar")).to_have_accessible_name(re.compile(r"Watched: \d\d %"))
    for width, dark in ((390, False), (1280, True)):
        look = visit(student, width=width, dark=dark, errors=True)  # seeded videos have no storyboard
        for address in ("/catalog", f"/catalog/courses/{course}", f"/catalog/{first}"):
            look.goto(address)
            assert fits(look), (address, width)
            assert axe(look) == [], (address, width)


def test_what_is_passed_is_done_without_a_press(
    visit: Visitor, school: School, student: Person, stack: Stack
) -> None:
    lesson = school.lesson("Edges", real=SIXTEEN_SECONDS)
    page = visit(student)
    page.goto(f"/catalog/{lesson}")
    expect(page.get_by_role("button", name="Mark as done")).to_be_visible()
    play_from(page, stack, 15)
    page.evaluate(f"{PLAYER}.pause()")
    expect(page.get_by_role("button", name="Mark as not done")).to_be_visible()
    assert [done for _, done in stored(stack, student)] == [True]
