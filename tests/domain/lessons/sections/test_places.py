"""What stands where in a course: sections in their order, lessons in theirs, and what has no section before all."""

import uuid

import pytest

from lessonadmin.domain.lessons.sections import places
from lessonadmin.domain.lessons.sections.places import Place
from lessonadmin.domain.models import CourseSection, Lesson
from tests.factories import make_course, make_lesson, make_section
from tests.queries import counted

COURSE = uuid.uuid4()
BASICS, PRACTICE, EMPTY = (CourseSection(id=uuid.uuid4(), course_id=COURSE, title=t) for t in "BPE")


def lesson(title: str, section_id: uuid.UUID | None = None) -> Lesson:
    return Lesson(title=title, section_id=section_id)


def test_lessons_stand_section_by_section_and_those_without_one_first() -> None:
    lessons = [
        lesson("a", PRACTICE.id),
        lesson("b"),
        lesson("c", BASICS.id),
        lesson("d", uuid.uuid4()),  # of another course: none
        lesson("e", BASICS.id),
    ]
    found = places.parts(lessons, [BASICS, PRACTICE, EMPTY], lambda one: one)
    assert [(part.section, [one.title for one in part.items]) for part in found] == [
        (None, ["b", "d"]),
        (BASICS, ["c", "e"]),
        (PRACTICE, ["a"]),
        (EMPTY, []),
    ]
    assert [one.title for one in places.in_order(lessons, [PRACTICE, BASICS])] == ["b", "d", "a", "c", "e"]


def test_nothing_without_a_section_is_no_part() -> None:
    found = places.parts([lesson("a", BASICS.id)], [BASICS], lambda one: one)
    assert [part.section for part in found] == [BASICS]
    assert places.parts([], [], lambda one: one) == []


@pytest.mark.usefixtures("session")
def test_the_sections_of_many_courses_are_read_with_one_query() -> None:
    courses = [make_course() for _ in range(3)]
    second = make_section(courses[0], title="second", position=2)
    first = make_section(courses[0], title="first", position=1)
    with counted() as asked:
        found = places.sections_of([one.id for one in courses])
        assert places.sections_of([]) == {}
    assert [one.id for one in found[courses[0].id]] == [first.id, second.id]
    assert found[courses[1].id] == []
    assert len([words for words in asked if "course_sections" in words]) == 1


@pytest.mark.usefixtures("session")
def test_a_place_is_kept_as_json_also_one_from_before_there_were_sections() -> None:
    course = make_course()
    section = make_section(course)
    place = Place.of(make_lesson(course=course, position=3, section_id=section.id))
    assert Place.from_json(place.as_json()) == place
    old = {"course_id": str(course.id), "position": 3, "trashed_course_id": None}
    assert Place.from_json(old) == Place(course.id, 3, None, None)
