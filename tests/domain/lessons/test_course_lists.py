"""Lists of courses: counts, names, lessons and pictures; of another instructor's lessons no more than a student sees."""

import uuid
from typing import Any

import pytest

from lessonadmin.domain.errors import Invalid
from lessonadmin.domain.lessons import course_lists
from lessonadmin.domain.lessons.course_lists import Count
from lessonadmin.domain.models import Course, User
from tests.factories import make_course, make_lesson, make_playing_lesson, make_user
from tests.queries import counted

pytestmark = pytest.mark.usefixtures("session")
PAID = {"price_cents": 900}


@pytest.fixture
def user() -> User:
    return make_user(name="Bea")


@pytest.fixture
def course(user: User) -> Course:
    """With two lessons of its instructor, and three of another: a draft, one unpublished, one that is out."""
    made = make_course(instructor=user)
    other = make_user()
    make_lesson(creator=user, course=made, title="own draft", position=4)
    make_playing_lesson(creator=user, course=made, title="own", position=1)
    make_lesson(creator=other, course=made, title="hidden draft", position=2)
    make_playing_lesson(creator=other, course=made, title="unpublished", status="draft", position=3)
    make_playing_lesson(creator=other, course=made, title="on sale", position=0, **PAID)
    return made


@pytest.mark.parametrize(
    ("staff", "expected"),
    [
        (False, ["on sale", "own", "own draft"]),
        (True, ["on sale", "own", "hidden draft", "unpublished", "own draft"]),
    ],
)
def test_lessons_in_their_order_as_far_as_they_are_shown(
    user: User, course: Course, staff: bool, expected: list[str]
) -> None:
    by = make_user(role="support") if staff else user
    assert [lesson.title for lesson in course_lists.lessons_of(by, course.id)] == expected
    assert course_lists.counts(by, [course]) == {course.id: Count(len(expected), 2)}


def test_a_page_of_courses_is_counted_by_one_query(user: User, course: Course) -> None:
    empty = make_course(instructor=user)
    with counted() as sent:
        found = course_lists.counts(user, [course, empty])
    assert found == {course.id: Count(3, 2), empty.id: Count(0, 0)}
    assert len(sent) == 1
    assert course_lists.counts(user, []) == {}


@pytest.mark.parametrize(("name", "shown"), [("Ada Lovelace", "Ada Lovelace"), ("", "ada@school.example")])
def test_who_teaches_is_named_or_has_an_address(name: str, shown: str) -> None:
    course = make_course(instructor=make_user(name=name, email="ada@school.example"))
    assert course_lists.instructors([course]) == {course.id: shown}
    assert course_lists.instructors([]) == {}


def test_no_picture_of_a_lesson_of_another_reveals_its_playback_id(user: User) -> None:
    course = make_course(instructor=user)
    own, free = make_playing_lesson(creator=user, course=course, **PAID), make_playing_lesson(course=course)
    other = make_playing_lesson(course=course, **PAID)
    pictures = course_lists.covers(user, course_lists.lessons_of(user, course.id))
    assert f"/{own.mux_playback_id}/thumbnail.jpg?width=192&height=108" in (pictures[own.id] or "")
    assert f"/{free.mux_playback_id}/thumbnail.jpg" in (pictures[free.id] or "")
    assert pictures[other.id] is None
    staff = make_user(role="support")
    pictures = course_lists.covers(staff, course_lists.lessons_of(staff, course.id))
    assert f"/{other.mux_playback_id}/thumbnail.jpg" in (pictures[other.id] or "")


def test_the_form_offers_the_courses_of_the_instructor_by_title(user: User) -> None:
    second, first = make_course(instructor=user, title="B"), make_course(instructor=user, title="A")
    foreign = make_course(title="C")
    offered = [("", "No course"), (str(first.id), "A"), (str(second.id), "B")]
    assert course_lists.offered(user.id, None) == offered
    assert course_lists.offered(user.id, make_lesson(creator=user)) == offered
    assert course_lists.offered(user.id, make_lesson(creator=user, course=second)) == offered
    inside = make_lesson(creator=user, course=foreign)
    assert course_lists.offered(user.id, inside) == [*offered, (str(foreign.id), "C")], (
        "the one that it is in"
    )


def test_a_choice_that_is_none_of_the_list_is_refused() -> None:
    wanted = uuid.uuid4()
    assert course_lists.chosen(str(wanted)) == wanted
    assert course_lists.chosen("") is None


@pytest.mark.parametrize("text", ["x", "1", "0" * 40, " "])
def test_what_is_no_id_is_refused_beside_its_field(text: Any) -> None:
    with pytest.raises(Invalid) as refusal:
        course_lists.chosen(text)
    assert list(refusal.value.fields or {}) == ["course_id"]
