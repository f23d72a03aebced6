"""Searches find by titles, descriptions, courses and instructors, by parts of words and with a wrong letter."""

from typing import Any

import pytest

from lessonadmin.db import db
from lessonadmin.domain.lessons import search
from lessonadmin.domain.lessons.search import Found
from lessonadmin.domain.models import Course, Lesson
from tests.factories import make_course, make_lesson, make_user

pytestmark = pytest.mark.usefixtures("session")
NEWEST = (Lesson.id.desc(),)


def found(typed: str, *among: Any, most: int = 100) -> Found:
    return search.ranked(Lesson, typed, among, NEWEST, most)


def titles(typed: str, *among: Any, most: int = 100) -> list[str]:
    ids = found(typed, *among, most=most).ids
    return [db.session.get_one(Lesson, key).title for key in ids]


@pytest.fixture
def school() -> dict[str, Any]:
    tina, omar = make_user(name="Tina Grün", email="secret@school.example"), make_user(name="Omar")
    course = make_course(title="Watercolour for beginners", description="With patience", instructor=tina)
    make_lesson(title="First wash", creator=tina, course=course)
    make_lesson(title="Sourdough basics", description="Feed the starter", creator=omar)
    return {"course": course, "tina": tina}


@pytest.mark.usefixtures("school")
@pytest.mark.parametrize(
    ("typed", "expected", "similar"),
    [
        ("sourdough", "Sourdough basics", False),
        ("STARTER sourd", "Sourdough basics", False),
        ("dough", "Sourdough basics", False),
        ("sourdogh", "Sourdough basics", True),
        ("watercolour", "First wash", False),
        ("watercolor", "First wash", True),
        ("color", None, False),
        ("tina", "First wash", False),
        ("tina wash", "First wash", False),
        ("grun", "First wash", False),
        ("tina sourdough", None, False),
        ("omar dough", "Sourdough basics", False),
        ("patience", None, False),
        ("secret", None, False),
        ("school.example", None, False),
        ("'%|!:*", None, False),
        ("", None, False),
    ],
)
def test_lessons(typed: str, expected: str | None, similar: bool) -> None:
    assert titles(typed) == ([expected] if expected else [])
    assert found(typed).similar is similar


@pytest.mark.usefixtures("school")
@pytest.mark.parametrize(
    ("typed", "count"), [("watercolor", 1), ("colour", 1), ("tina", 1), ("omar", 0), ("wash", 0)]
)
def test_courses(typed: str, count: int) -> None:
    assert len(search.ranked(Course, typed, [], (Course.title,), 10).ids) == count


def test_what_changes_is_found_by_what_it_is_now(school: dict[str, Any]) -> None:
    school["course"].title, school["tina"].name = "Gouache", "Paula"
    db.session.flush()
    assert [titles(one) for one in ("watercolour", "tina", "gouache", "paula")] == [
        [],
        [],
        ["First wash"],
        ["First wash"],
    ]


def test_what_begins_with_the_words_stands_before_what_contains_them() -> None:
    for title in ("Dough the old way", "Sourdough", "Doughnuts", "Bread"):
        make_lesson(title=title)
    make_lesson(title="A visit", course=make_course(title="All about dough"))
    assert titles("dough") == ["Doughnuts", "Dough the old way", "A visit", "Sourdough"]
    assert titles("dough", most=2) == ["Doughnuts", "Dough the old way"]
    assert titles("dough", most=3) == ["Doughnuts", "Dough the old way", "A visit"]
    assert titles("dough", Lesson.title != "Doughnuts") == ["Dough the old way", "A visit", "Sourdough"]


def test_wrong_letters_are_tried_only_if_nothing_is_found() -> None:
    for title in ("Bread", "Break dancing"):
        make_lesson(title=title)
    assert titles("bread") == ["Bread"]
    assert titles("bread", Lesson.title != "Bread") == ["Break dancing"]


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("", None),
        ("sourdogh", {"Sourdough basics"}),
        ("dough", {"Sourdough basics"}),
        ("!", set()),
        ("zzzz", set()),
    ],
)
@pytest.mark.usefixtures("school")
def test_a_condition_for_lists_with_an_order_of_their_own(typed: str, expected: set[str] | None) -> None:
    condition = search.condition(Lesson, typed, [Lesson.title != "x"])
    if expected is None:
        assert condition is None
    else:
        assert condition is not None
        assert {one.title for one in db.session.query(Lesson).where(condition)} == expected
