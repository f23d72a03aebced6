"""What students live through: they find what is out, watch what is theirs, and cannot buy what does not play."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.school import School
from tests.browser.stack import Person, Stack, Visitor

Axe = Callable[[Page], list[str]]
HEAVIEST_KB = 150
MARKDOWN = """# You need

- **two** brushes, see [the shop](https://brushes.example/round?size=8)
- *cold pressed* paper
- water

1. Wet the paper.
2. Paint.

> Wait until it is dry.

| colour | drops |
|---|---|
| blue | 3 |

`A_very_long_name_that_no_line_of_a_phone_has_room_for_and_that_goes_on_and_on_without_a_space`
"""
# everything that came over the wire for this page, as it came
LOADED = """() => ["navigation", "resource"].flatMap((kind) =>
  performance.getEntriesByType(kind).map((entry) => [entry.name, entry.transferSize]))"""
# the video is there: its length is known to the player
PLAYS = """() => new Promise((found) => {
  const timer = setInterval(() => {
    if (!(document.querySelector("mux-player").readyState >= 1)) return; // undefined before its script is there
    clearInterval(timer);
    found(true);
  }, 50);
})"""


@pytest.fixture
def school(stack: Stack, school: School) -> School:
    # all tests share the stack: what others have published would be in the lists, too
    stack.sql("UPDATE lessons SET status = 'draft'")
    return school


@pytest.fixture
def student(stack: Stack) -> Person:
    return stack.person("student", "Stu Student")


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


def test_only_what_is_published_and_plays_can_be_bought(
    visit: Visitor, school: School, student: Person, stack: Stack
) -> None:
    published = school.lesson("The flat wash", price=499, real=True)
    hidden = [
        school.without_video("A draft", "none"),
        school.without_video("On its way", "processing"),
        school.without_video("Broken", "error"),
        school.lesson("Ready and kept back", price=499, status="draft", published_at=None),
    ]
    page = visit(student)
    page.goto("/catalog")
    expect(page.locator(".shelf__title")).to_have_text(["The flat wash"])
    for lesson_id in hidden:
        assert page.request.get(f"/catalog/{lesson_id}").status == 404
        token = page.locator('meta[name="csrf-token"]').get_attribute("content") or ""
        form = {"csrf_token": token, "price_cents": "499"}
        answer = page.request.post(f"/catalog/{lesson_id}/purchase", form=form, max_redirects=0)
        assert answer.status == 409
    page.get_by_role("link", name="The flat wash").click()
    expect(page.locator("mux-player")).to_have_count(0)
    page.get_by_role("button", name="Buy this lesson").click()
    expect(page).to_have_url(re.compile(f"/catalog/{published}$"))
    expect(page.get_by_text("Purchased. Enjoy the lesson.")).to_be_visible()
    expect(page.locator("mux-player")).to_be_visible()
    assert page.evaluate(PLAYS)
    rows = stack.sql("SELECT lesson_id::text, price_cents FROM purchases WHERE user_id = %s", student.id)
    assert rows == [(published, 499)]


def test_the_lists_and_pages_are_accessible(
    visit: Visitor, school: School, student: Person, axe: Axe
) -> None:
    course = school.course("Watercolour for beginners", description="Six calm evenings. " * 12, preview=True)
    bread = school.course("Bread at home")
    free = school.lesson("Paper, brushes, water", course=course, real=True, position=1, description=MARKDOWN)
    paid = school.lesson(
        "A title that is long enough to need a second and a third line " * 2, price=99_999_900, course=course
    )
    plain = school.lesson(
        "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft",
        price=5,
        course=bread,
    )
    single = school.lesson("Breathing")
    addresses = (
        "/catalog", "/catalog?q=paper", "/catalog?q=nothing+like+this", "/catalog/mine", "/catalog/courses",
        f"/catalog/courses/{course}", f"/catalog/courses/{bread}",
        *(f"/catalog/{one}" for one in (free, paid, plain, single)),
    )  # fmt: skip
    for width, dark in ((390, False), (1280, True)):
        page = visit(student, width=width, dark=dark, errors=True)  # seeded videos have no storyboard
        for address in addresses:
            page.goto(address)
            assert fits(page), (address, width)
            assert axe(page) == [], (address, width)


def test_a_description_is_laid_out_as_it_was_written(visit: Visitor, school: School, student: Person) -> None:
    course = school.course("Watercolour", description=MARKDOWN)
    lesson = school.lesson("Wet in wet", description=MARKDOWN, course=course)
    page = visit(student, width=390, errors=True)  # seeded videos have no storyboard
    for address in (f"/catalog/{lesson}", f"/catalog/courses/{course}"):
        page.goto(address)
        prose = page.locator(".prose")
        expect(prose.get_by_role("heading", name="You need", level=3)).to_be_visible()
        expect(prose.locator("ul > li")).to_have_count(3)
        expect(prose.get_by_role("link", name="the shop")).to_have_attribute(
            "href", "https://brushes.example/round?size=8"
        )
        assert fits(page)
    page.goto("/catalog/courses")
    expect(page.locator(".shelf__text")).to_contain_text(
        "You need two brushes, see the shop cold pressed paper"
    )


def test_what_was_bought_and_is_gone_is_explained(
    visit: Visitor, school: School, student: Person, stack: Stack, axe: Axe
) -> None:
    lesson = school.lesson("The one that went", price=300, status="draft", video_processing_status="none",
                           mux_asset_id=None, mux_playback_id=None)  # fmt: skip
    stack.sql(
        "INSERT INTO purchases (lesson_id, user_id, price_cents) VALUES (%s, %s, 300)", lesson, student.id
    )
    page = visit(student, width=390)
    page.goto("/catalog/mine")
    page.get_by_role("link", name="The one that went").click()
    expect(page.get_by_text("You bought this lesson or were given it.")).to_be_visible()
    assert fits(page)
    assert axe(page) == []


def test_pages_are_light_and_the_player_comes_only_where_something_plays(
    visit: Visitor, school: School, student: Person
) -> None:
    for number in range(24):
        school.lesson(f"Lesson {number}", price=499)
    for address in ("/catalog", "/catalog/courses"):
        page = visit(student, first=True)
        page.goto(address)
        page.wait_for_load_state("networkidle")
        loaded = page.evaluate(LOADED)
        weight = sum(size for _, size in loaded)
        assert 10_000 < weight < HEAVIEST_KB * 1000, loaded
        assert not [name for name, _ in loaded if "vendor/" in name]


def test_the_whole_list_is_used_by_keyboard(visit: Visitor, school: School, student: Person) -> None:
    school.lesson("First")
    page = visit(student, errors=True)
    page.goto("/catalog")
    page.get_by_label("Search lessons").fill("fir")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("q=fir"))
    page.get_by_role("link", name="First").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("First")


def test_an_instructor_looks_at_the_catalogue_as_a_student_sees_it(
    visit: Visitor, school: School, stack: Stack, instructor: Person
) -> None:
    lesson = school.lesson("Paid", price=499, real=True)
    other = visit(stack.person())
    other.goto(f"/catalog/{lesson}")
    expect(other.get_by_text("Only students can buy")).to_be_visible()
    expect(other.locator("mux-player")).to_have_count(0)
    own = visit(instructor)
    own.goto(f"/catalog/{lesson}")
    expect(own.locator("mux-player")).to_be_visible()
    own.get_by_role("link", name="Edit").click()
    expect(own).to_have_url(re.compile(f"/lessons/{lesson}/edit$"))


def test_a_course_is_read_section_by_section_and_plans_stay_hidden(
    visit: Visitor, school: School, student: Person, stack: Stack, axe: Axe
) -> None:
    course = school.course("Watercolour")
    sections = {
        title: stack.sql(
            "INSERT INTO course_sections (course_id, title, position) VALUES (%s, %s, %s) RETURNING id",
            course,
            title,
            place,
        )[0][0]
        for place, title in enumerate(("Basics", "Next summer", "Practice"))
    }
    for place, (title, section) in enumerate((("Wash", "Practice"), ("Welcome", None), ("Paper", "Basics"))):
        school.lesson(
            title, price=500, course_id=course, position=place, section_id=sections.get(section or "")
        )
    school.without_video("A plan", "none", course_id=course, section_id=sections["Next summer"])
    page = visit(student)
    page.goto(f"/catalog/courses/{course}")
    expect(page.locator(".shelf-section__title")).to_have_text(["Basics", "Practice"])
    expect(page.locator(".shelf__title")).to_have_text(["Welcome", "Paper", "Wash"])
    assert axe(page) == []
    page.set_viewport_size({"width": 390, "height": 800})
    assert fits(page)
    page.get_by_role("link", name="Paper").click()
    beside = page.get_by_role("list", name="Basics")
    expect(beside.get_by_text("Paper")).to_have_attribute("aria-current", "page")
    assert "Next summer" not in page.content()
    assert axe(page) == []
    assert fits(page)


def test_order_and_instructor_are_chosen_by_keyboard_and_kept_in_the_address(
    visit: Visitor, school: School, student: Person, stack: Stack, axe: Axe
) -> None:
    other = stack.person("instructor", "Zoe Zebra")
    for number, title in enumerate(("Clay", "Apple", "Bread")):
        school.lesson(title, price=100 * (number + 1))
    school.lesson("Aardvark", price=900, creator_id=other.id)
    page = visit(student)
    page.goto("/catalog")
    listed = page.locator(".shelf__title")
    order = page.get_by_label("Order")
    order.focus()
    page.keyboard.type("Title")
    page.get_by_role("button", name="Search").focus()
    page.keyboard.press("Enter")
    expect(listed).to_have_text(["Aardvark", "Apple", "Bread", "Clay"])
    expect(page).to_have_url(re.compile("sort=title"))
    page.get_by_label("Instructor").select_option(label="Zoe Zebra")
    order.select_option(label="Price, lowest first")
    page.get_by_role("button", name="Search").click()
    expect(listed).to_have_text(["Aardvark"])
    page.get_by_role("link", name="Clear").click()
    expect(listed).to_have_text(["Clay", "Apple", "Bread", "Aardvark"])
    expect(order).to_have_value("price")
    course = school.course("Baking")
    for position, title in enumerate(("Clay", "Bread")):
        stack.sql(
            "UPDATE lessons SET course_id = %s, position = %s WHERE title = %s", course, position, title
        )
    order.focus()
    page.keyboard.type("Course")
    page.get_by_role("button", name="Search").press("Enter")
    expect(listed).to_have_text(["Clay", "Bread", "Aardvark", "Apple"])
    assert axe(page) == []
    page.set_viewport_size({"width": 390, "height": 800})
    assert fits(page)
