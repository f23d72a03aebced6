"""Sections are made, renamed, removed and said all at once; lessons stay, and each change is on record."""

import uuid
from typing import Any

import pytest
from sqlalchemy import select

from lessonadmin.db import db
from lessonadmin.domain.errors import Conflict, Invalid, Missing, Problem
from lessonadmin.domain.lessons import courses, lessons, trash
from lessonadmin.domain.lessons.courses import Layout
from lessonadmin.domain.lessons.lessons import Changes
from lessonadmin.domain.lessons.sections import editing
from lessonadmin.domain.lessons.sections.editing import Wanted
from lessonadmin.domain.models import Course, CourseSection, Lesson, User
from tests.domain.lessons.support import as_, trail
from tests.factories import make_course, make_lesson, make_section, make_user

pytestmark = pytest.mark.usefixtures("session")


@pytest.fixture
def teacher() -> User:
    return make_user()


@pytest.fixture
def course(teacher: User) -> Course:
    return make_course(instructor=teacher)


def there(course: Course) -> list[str]:
    """Titles of sections and lessons as they stand, `/` before a section."""
    db.session.rollback()
    sections = db.session.scalars(
        select(CourseSection).where(CourseSection.course_id == course.id).order_by(CourseSection.position)
    ).all()
    rows = db.session.scalars(
        select(Lesson).where(Lesson.course_id == course.id).order_by(Lesson.position)
    ).all()
    found = [one.title for one in rows if one.section_id is None]
    for section in sections:
        found += [f"/{section.title}", *(one.title for one in rows if one.section_id == section.id)]
    return found


def version(course: Course) -> int:
    db.session.rollback()
    return db.session.get_one(Course, course.id, populate_existing=True).version


def changes(course: Course) -> list[tuple[list[str], list[str]]]:
    return [
        (detail["before"]["sections"], detail["after"]["sections"])
        for action, detail in trail(course.id)
        if action == "course.sections_changed"
    ]


def test_a_section_is_made_renamed_and_removed_and_its_lessons_stay(teacher: User, course: Course) -> None:
    with as_(teacher):
        first = editing.add(teacher, course.id, " Basics ").id
        editing.add(teacher, course.id, "Practice")
    make_lesson(creator=teacher, course=course, title="a", section_id=first)
    assert there(course) == ["/Basics", "a", "/Practice"]
    with as_(teacher):
        editing.rename(teacher, course.id, first, "Ground", version=3)
    with as_(teacher):
        editing.rename(teacher, course.id, first, "Ground", version=4)  # nothing is written
    assert (there(course), version(course)) == (["/Ground", "a", "/Practice"], 4)
    with as_(teacher):
        with pytest.raises(Conflict):
            editing.remove(teacher, course.id, first, version=3)
        assert editing.remove(teacher, course.id, first, version=4) == "Ground"
    assert (there(course), version(course)) == (["a", "/Practice"], 5)
    assert changes(course) == [
        ([], ["Basics"]),
        (["Basics"], ["Basics", "Practice"]),
        (["Basics", "Practice"], ["Ground", "Practice"]),
        (["Ground", "Practice"], ["Practice"]),
    ]


def test_a_title_that_another_teacher_saved_meanwhile_is_not_overwritten(
    teacher: User, course: Course
) -> None:
    section = make_section(course, title="Basics").id
    with as_(teacher):
        editing.rename(teacher, course.id, section, "First", version=1)
    with pytest.raises(Conflict) as refusal, as_(teacher):
        editing.rename(teacher, course.id, section, "Second", version=1)
    assert (refusal.value.type, there(course)) == ("edit_conflict", ["/First"])


@pytest.mark.parametrize("title", ["", " ", "x" * 201, "a\nb", "\x00"])
def test_titles_are_those_of_lessons(teacher: User, course: Course, title: str) -> None:
    for change in (
        lambda: editing.add(teacher, course.id, title),
        lambda: editing.replace(teacher, course.id, [Wanted(title=title)]),
    ):
        with pytest.raises(Invalid), as_(teacher):
            change()
    assert there(course) == []


def test_a_course_has_so_many_sections_and_no_more(
    teacher: User, course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(editing, "MAX_SECTIONS", 1)
    with as_(teacher):
        editing.add(teacher, course.id, "Basics")
    for change in (
        lambda: editing.add(teacher, course.id, "Practice"),
        lambda: editing.replace(teacher, course.id, [Wanted(title="A"), Wanted(title="B")]),
    ):
        with pytest.raises(Invalid), as_(teacher):
            change()
    assert there(course) == ["/Basics"]


def test_a_foreign_course_or_section_is_missing(teacher: User, course: Course) -> None:
    section = make_section(course, title="Basics").id
    other = make_user()
    own = make_course(instructor=other).id
    for course_id in (course.id, own):
        for change in (
            lambda course_id=course_id: editing.find(other, course_id, section),
            lambda course_id=course_id: editing.rename(other, course_id, section, "Mine", version=None),
            lambda course_id=course_id: editing.remove(other, course_id, section, version=None),
        ):
            with pytest.raises(Missing), as_(other):
                change()
    with pytest.raises(Missing), as_(other):
        editing.add(other, course.id, "Mine")
    assert there(course) == ["/Basics"]


def test_all_sections_are_said_at_once(teacher: User, course: Course) -> None:
    old, gone = make_section(course, title="Old", position=1), make_section(course, title="Gone", position=2)
    made = {
        title: make_lesson(
            creator=teacher, course=course, title=title, position=place, section_id=section and section.id
        ).id
        for place, (title, section) in enumerate({"a": None, "b": old, "c": old, "d": gone}.items())
    }
    wanted = [
        Wanted(title="New", lesson_ids=[made["d"], made["a"]]),
        Wanted(id=old.id, title="Older", lesson_ids=[made["c"]]),
    ]
    for _ in range(2):
        with as_(teacher):
            editing.replace(teacher, course.id, wanted)
        assert there(course) == ["b", "/New", "d", "a", "/Older", "c"]
        new = db.session.scalars(select(CourseSection.id).where(CourseSection.title == "New")).one()
        wanted[0] = Wanted(id=new, title="New", lesson_ids=[made["d"], made["a"]])
    assert changes(course) == [(["Old", "Gone"], ["New", "Older"])], "the second changed nothing"
    with as_(teacher):  # lessons are not named: they stay where they are
        editing.replace(teacher, course.id, [Wanted(id=old.id, title="Older"), Wanted(id=new, title="New")])
    assert there(course) == ["b", "/Older", "c", "/New", "d", "a"]
    with as_(teacher):
        editing.replace(teacher, course.id, [])
    assert there(course) == ["b", "c", "d", "a"]


def test_nonsense_changes_nothing(teacher: User, course: Course) -> None:
    section = make_section(course, title="Basics").id
    mine = make_lesson(creator=teacher, course=course, title="a").id
    elsewhere = make_course(instructor=teacher)
    foreign, other = make_section(elsewhere).id, make_lesson(creator=teacher, course=elsewhere).id
    for wanted in (
        [Wanted(id=foreign, title="x")],
        [Wanted(id=section, title="x"), Wanted(id=section, title="y")],
        [Wanted(title="x", lesson_ids=[other])],
        [Wanted(title="x", lesson_ids=[mine]), Wanted(title="y", lesson_ids=[mine])],
    ):
        with pytest.raises(Problem) as refusal, as_(teacher):
            editing.replace(teacher, course.id, wanted)
        assert list(refusal.value.fields or {}) == ["sections"]
    assert there(course) == ["a", "/Basics"]


# the order, with sections


@pytest.fixture
def filled(teacher: User, course: Course) -> dict[str, uuid.UUID]:
    """/A a b /B c, and x without a section."""
    ids: dict[str, uuid.UUID] = {}
    for place, title in enumerate("AB", start=1):
        ids[title] = make_section(course, title=title, position=place).id
    for place, (title, section) in enumerate({"x": None, "a": "A", "b": "A", "c": "B"}.items(), start=1):
        section_id = ids[section] if section else None
        columns = {"title": title, "position": place, "section_id": section_id}
        ids[title] = make_lesson(creator=teacher, course=course, **columns).id
    return ids


def layout(ids: dict[str, uuid.UUID], rows: str) -> Layout:
    """Of `/A ab /B c` and the like: capitals are sections."""
    section: uuid.UUID | None = None
    section_of: dict[uuid.UUID, uuid.UUID | None] = {}
    for title in rows:
        section = ids[title] if title.isupper() else section
        if title.islower():
            section_of[ids[title]] = section
    return Layout([ids[title] for title in rows if title.isupper()], section_of)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ("BcAxab", ["/B", "c", "/A", "x", "a", "b"]),
        ("xaAbBc", ["x", "a", "/A", "b", "/B", "c"]),
        ("xbAaBc", ["x", "b", "/A", "a", "/B", "c"]),
        ("Ba", ["x", "/B", "c", "/A", "a", "b"]),  # a section that is not named follows with its lessons
        ("bax", ["x", "/A", "b", "a", "/B", "c"]),  # a page without sections moves none into another
    ],
)
def test_an_order_moves_lessons_into_sections(
    teacher: User, course: Course, filled: dict[str, uuid.UUID], rows: str, expected: list[str]
) -> None:
    named = [filled[title] for title in rows if title.islower()]
    changed = []
    for _ in range(2):
        with as_(teacher):
            changed.append(courses.reorder(teacher, course.id, named, layout=layout(filled, rows)))
    assert (there(course), changed) == (expected, [True, False])


def test_an_order_of_lessons_alone_leaves_each_in_its_section(
    teacher: User, course: Course, filled: dict[str, uuid.UUID]
) -> None:
    with as_(teacher):
        courses.reorder(teacher, course.id, [filled[title] for title in "cbax"])
    assert there(course) == ["x", "/A", "b", "a", "/B", "c"]


def test_a_section_of_another_course_takes_nothing(
    teacher: User, course: Course, filled: dict[str, uuid.UUID]
) -> None:
    foreign = make_section(make_course()).id
    wanted = Layout([filled["A"], filled["B"], foreign], {filled["a"]: foreign})
    with as_(teacher):
        courses.reorder(teacher, course.id, [filled["a"]], layout=wanted)
    assert there(course) == ["a", "x", "/A", "b", "/B", "c"]


# what else happens to lessons and courses


def test_a_lesson_that_goes_to_another_course_leaves_its_section(
    teacher: User, course: Course, filled: dict[str, uuid.UUID]
) -> None:
    other = make_course(instructor=teacher)
    with as_(teacher):
        lessons.edit(teacher, filled["a"], Changes(course_id=other.id))
        lessons.edit(teacher, filled["b"], Changes(title="still here"))
    assert there(other) == ["a"]
    assert there(course) == ["x", "/A", "still here", "/B", "c"]


def test_a_course_that_comes_out_of_the_trash_has_its_sections(
    teacher: User, course: Course, filled: dict[str, uuid.UUID]
) -> None:
    before: Any = there(course)
    with as_(teacher):
        courses.delete(teacher, course.id)
    with as_(teacher):
        trash.restore(teacher, "course", course.id)
    assert there(course) == before


def test_words_and_sections_change_together_or_not_at_all(course: Course, teacher: User) -> None:
    with as_(teacher):
        editing.edit_with_course(teacher, course.id, Changes(title="Rye"), [Wanted(title="Dough")])
    assert there(course) == ["/Dough"]
    with pytest.raises(Invalid), as_(teacher):
        editing.edit_with_course(teacher, course.id, Changes(title="Oats"), [Wanted(title=" ")])
    assert there(course) == ["/Dough"]
    assert db.session.get_one(Course, course.id, populate_existing=True).title == "Rye"
    with as_(teacher):
        editing.edit_with_course(teacher, course.id, Changes(title="Oats"), None)
    assert there(course) == ["/Dough"]
