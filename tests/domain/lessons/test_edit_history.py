"""What was edited, and taking an edit back."""

import uuid

import pytest
from sqlalchemy.orm import Session

from lessonadmin.db import CLI, Actor, db, transaction
from lessonadmin.domain.errors import Conflict, Invalid, Missing
from lessonadmin.domain.lessons import courses, edit_history, lessons
from lessonadmin.domain.lessons.edit_history import Edit
from lessonadmin.domain.lessons.lessons import Changes
from lessonadmin.domain.models import Course, Lesson, User
from lessonadmin.domain.prices import money
from tests.factories import make_course, make_lesson, make_user

pytestmark = pytest.mark.usefixtures("session")


@pytest.fixture
def lesson() -> Lesson:
    return make_lesson(title="Rye", description="Old words", price_cents=900)


def edit(user: User, owner: Lesson | Course, **fields: object) -> None:
    change = lessons.edit if isinstance(owner, Lesson) else courses.edit
    with transaction(Actor.user(user.id)):
        change(user, owner.id, Changes(**fields))  # type: ignore[arg-type]  # of a test


def edits(user: User, owner: Lesson | Course) -> list[Edit]:
    return edit_history.of(user, owner).edits


def take_back(user: User, owner: Lesson | Course, one: Edit, version: int | None = None) -> None:
    with transaction(Actor.user(user.id)):
        edit_history.take_back(user, owner, one.id, version=owner.version if version is None else version)


def of(lesson: Lesson) -> User:
    return db.session.get_one(User, lesson.creator_id)


def test_every_saving_is_there_with_before_and_after_the_newest_first(lesson: Lesson) -> None:
    user = of(lesson)
    assert edits(user, lesson) == []
    edit(user, lesson, title="Rye bread", price_cents=0)
    edit(user, lesson, description="New words")
    newest, oldest = edits(user, lesson)
    assert [(one.label, one.before, one.after) for one in newest.changes] == [
        ("Description", "Old words", "New words")
    ]
    assert [(one.label, one.before, one.after, one.now) for one in oldest.changes] == [
        ("Title", "Rye", "Rye bread", "Rye bread"),
        ("Price", money(900), "Free", "Free"),
    ]
    assert {one.who for one in (newest, oldest)} == {"you"}


def test_an_edit_is_taken_back_and_that_too(lesson: Lesson) -> None:
    user = of(lesson)
    edit(user, lesson, title="Rye bread", price_cents=500)
    edit(user, lesson, description="New words")
    take_back(user, lesson, edits(user, lesson)[1])
    assert (lesson.title, lesson.price_cents, lesson.description) == ("Rye", 900, "New words")
    back, _, first = edits(user, lesson)
    assert first.undone
    assert not back.undone
    take_back(user, lesson, back)
    assert (lesson.title, lesson.price_cents) == ("Rye bread", 500)


def test_what_is_taken_back_is_not_taken_back_again(lesson: Lesson) -> None:
    user = of(lesson)
    edit(user, lesson, title="Rye bread")
    (one,) = edits(user, lesson)
    take_back(user, lesson, one)
    with pytest.raises(Conflict, match="already"):
        take_back(user, lesson, one)


def test_what_another_user_saved_meanwhile_is_not_overwritten(lesson: Lesson) -> None:
    user, seen = of(lesson), lesson.version
    edit(user, lesson, title="Rye bread")
    (one,) = edits(user, lesson)
    edit(make_user(role="support"), lesson, title="Dark rye")
    with pytest.raises(Conflict) as refused:
        take_back(user, lesson, one, version=seen + 1)
    assert refused.value.type == "edit_conflict"
    assert lesson.title == "Dark rye"


def test_support_signs_as_one_before_instructors_and_by_name_before_support(lesson: Lesson) -> None:
    staff = make_user(role="support", name="Sue Support")
    edit(staff, lesson, title="Dark rye")
    with transaction(CLI):
        lessons.edit(staff, lesson.id, Changes(price_cents=100))
    assert [one.who for one in edits(of(lesson), lesson)] == ["Lessonadmin", "Support"]
    assert edits(make_user(role="support"), lesson)[1].who == str(staff)


def test_who_had_the_lesson_before_is_not_named_to_who_has_it_now(lesson: Lesson) -> None:
    before = of(lesson)
    edit(before, lesson, title="Rye bread")
    now = make_user(role="instructor")
    with transaction(CLI):
        lesson.creator_id = now.id
    edit(now, lesson, price_cents=100)
    assert [one.who for one in edits(now, lesson)] == ["you", "another instructor"]
    staff = make_user(role="support")
    assert [one.who for one in edits(staff, lesson)] == [str(now), str(before)]


def test_another_course_is_no_edit_of_these(lesson: Lesson) -> None:
    user = of(lesson)
    course = make_course(instructor=user)
    edit(user, lesson, course_id=course.id)
    assert edits(user, lesson) == []
    edit(user, lesson, course_id=None, title="Rye bread")
    (one,) = edits(user, lesson)
    take_back(user, lesson, one)
    assert (lesson.title, lesson.course_id) == ("Rye", None), "the course stays as it is"


def test_of_a_course(session: Session) -> None:
    course = make_course(title="Bread", description="")
    user = session.get_one(User, course.instructor_id)
    edit(user, course, title="Breads", description="All of them")
    (one,) = edits(user, course)
    assert [(change.label, change.before, change.now) for change in one.changes] == [
        ("Title", "Bread", "Breads"),
        ("Description", "", "All of them"),
    ]
    take_back(user, course, one)
    assert (course.title, course.description) == ("Bread", "")


def test_the_edit_of_another_lesson_is_missing_and_foreign_lessons_are_not_changed(lesson: Lesson) -> None:
    user, other = of(lesson), make_lesson(title="Other")
    edit(of(other), other, title="Another")
    (one,) = edits(of(other), other)
    with pytest.raises(Missing):
        take_back(user, lesson, one)
    with pytest.raises(Missing):
        take_back(user, other, one)
    assert other.title == "Another"
    with pytest.raises(Missing), transaction(Actor.user(user.id)):
        edit_history.take_back(user, lesson, uuid.uuid4(), version=lesson.version)


def test_more_than_fifty_are_not_shown(lesson: Lesson, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edit_history, "MAX_SHOWN", 2)
    user = of(lesson)
    for number in range(2):
        edit(user, lesson, title=f"Rye {number}")
    assert not edit_history.of(user, lesson).more
    edit(user, lesson, title="Rye 2")
    found = edit_history.of(user, lesson)
    assert (len(found.edits), found.more) == (2, True)


def test_what_is_not_allowed_any_more_is_refused_in_words(
    lesson: Lesson, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = of(lesson)
    edit(user, lesson, title="Rye bread")
    (one,) = edits(user, lesson)
    monkeypatch.setattr(lessons, "MAX_TITLE_LENGTH", 2)
    with pytest.raises(Invalid):
        take_back(user, lesson, one)
