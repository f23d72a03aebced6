"""Courses: written, changed, put in order, handed over, deleted; each change on record, and hidden lessons left alone."""

import uuid
from typing import Any

import pytest
from sqlalchemy import select

from lessonadmin.db import db
from lessonadmin.domain.errors import Conflict, Forbidden, Invalid, Missing
from lessonadmin.domain.lessons import courses, lessons
from lessonadmin.domain.lessons.lessons import Changes
from lessonadmin.domain.models import AssetDeletion, Course, Lesson
from tests.domain.lessons.support import as_, trail
from tests.factories import make_course, make_lesson, make_playing_lesson, make_tracking, make_user
from tests.trash import end

pytestmark = pytest.mark.usefixtures("session")


def actions(course: Course) -> list[str]:
    return [action for action, _ in trail(course.id)]


def fresh(course: Course) -> Course:
    db.session.rollback()
    return db.session.get_one(Course, course.id, populate_existing=True)


def in_order(course: Course) -> list[uuid.UUID]:
    query = select(Lesson.id).where(Lesson.course_id == course.id).order_by(Lesson.position, Lesson.id)
    return list(db.session.scalars(query))


# create and edit


def test_a_course_is_made_with_its_title_trimmed() -> None:
    user = make_user()
    with as_(user):
        course = courses.create(user, Changes(title="  Watercolour "))
    assert (course.title, course.description, course.instructor_id) == ("Watercolour", "", user.id)
    assert trail(course.id) == [("course.created", {"title": "Watercolour"})]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({}, "title"),
        ({"title": " "}, "title"),
        ({"title": "x" * 201}, "title"),
        ({"title": "a\nb"}, "title"),
        ({"title": "ok", "description": "x" * 20_001}, "description"),
        ({"title": "ok", "description": "\x00"}, "description"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(given: dict[str, Any], field: str) -> None:
    user = make_user()
    with pytest.raises(Invalid) as refusal, as_(user):
        courses.create(user, Changes(**given))
    assert list(refusal.value.fields or {}) == [field]
    assert db.session.scalars(select(Course)).all() == []


def test_students_write_no_courses() -> None:
    student = make_user(role="student")
    with pytest.raises(Forbidden), as_(student):
        courses.create(student, Changes(title="One"))


def test_a_change_writes_before_and_after_and_no_change_writes_nothing() -> None:
    user = make_user()
    course = make_course(instructor=user, title="Bread", description="d")
    with as_(user):
        courses.edit(user, course.id, Changes(title="Bread", description="d"), version=1)
    assert (trail(course.id), fresh(course).version) == ([], 1)
    with as_(user):
        courses.edit(user, course.id, Changes(description="e"), version=1)
    changed = {"before": {"description": "d"}, "after": {"description": "e"}}
    assert trail(course.id) == [("course.updated", changed)]
    assert (fresh(course).title, fresh(course).description) == ("Bread", "e")


def test_two_who_edit_at_once_do_not_overwrite_each_other() -> None:
    user = make_user()
    course = make_course(instructor=user)
    with as_(user):
        courses.edit(user, course.id, Changes(title="First"), version=1)
    with pytest.raises(Conflict) as refusal, as_(user):
        courses.edit(user, course.id, Changes(title="Second"), version=1)
    assert refusal.value.type == "edit_conflict"
    assert (fresh(course).title, fresh(course).version) == ("First", 2)


# reorder


def test_the_lessons_of_a_course_stand_in_an_order() -> None:
    user = make_user()
    course = make_course(instructor=user)
    with as_(user):
        made = [lessons.create(user, Changes(title=str(n), course_id=course.id)).id for n in range(3)]
    assert in_order(course) == made
    changed = []
    for _ in range(2):
        with as_(user):
            changed.append(courses.reorder(user, course.id, [made[2], made[0]]))
    assert in_order(course) == [made[2], made[0], made[1]]
    assert changed == [True, False], "the second found it so"
    assert actions(course).count("course.reordered") == 1


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        ([], [0, 1, 2, 3]),
        ([3], [3, 0, 1, 2]),
        ([3, 3, 1, 3], [3, 1, 0, 2]),
        (["a lesson of another course", 2], [2, 0, 1, 3]),
    ],
    ids=["none", "one", "twice", "foreign"],
)
def test_who_is_named_comes_first_and_the_rest_follows(named: list[Any], expected: list[int]) -> None:
    user = make_user()
    course = make_course(instructor=user)
    made = [make_lesson(creator=user, course=course, position=n).id for n in range(4)]
    elsewhere = make_lesson(creator=user, course=make_course(instructor=user), position=7)
    ids = [made[one] if isinstance(one, int) else elsewhere.id for one in named]
    with as_(user):
        courses.reorder(user, course.id, ids)
    assert in_order(course) == [made[one] for one in expected]
    db.session.refresh(elsewhere)
    assert elsewhere.position == 7


def test_an_order_of_a_few_among_themselves_leaves_the_others_where_they_are() -> None:
    user = make_user()
    course = make_course(instructor=user)
    made = [make_lesson(creator=user, course=course, position=n).id for n in range(5)]
    with as_(user):
        courses.reorder(user, course.id, [made[4], made[1], made[3]], among_themselves=True)
    assert in_order(course) == [made[0], made[4], made[2], made[1], made[3]]


def test_lessons_that_are_not_shown_keep_their_places() -> None:
    user, other = make_user(), make_user()
    course = make_course(instructor=user)
    hidden = make_lesson(creator=other, course=course, position=1).id
    out = make_playing_lesson(creator=other, course=course, position=2).id
    also_hidden = make_lesson(creator=other, course=course, position=3).id
    own = make_lesson(creator=user, course=course, position=4).id
    with as_(user):
        courses.reorder(user, course.id, [also_hidden, own, out, hidden])
    assert in_order(course) == [hidden, own, also_hidden, out]


# delete


def test_a_deleted_course_leaves_its_lessons_and_keeps_its_preview_until_it_ends() -> None:
    user = make_user()
    course = make_course(
        instructor=user, video_processing_status="ready", mux_asset_id="a", mux_playback_id="p"
    )
    make_tracking(course, status="ready", mux_asset_id="a", mux_playback_id="p")
    lesson = make_playing_lesson(creator=user, course=course)
    with as_(user):
        courses.delete(user, course.id)
    assert db.session.scalars(select(Course)).all() == []
    assert db.session.scalars(select(AssetDeletion.mux_asset_id)).all() == []
    db.session.refresh(lesson)
    assert (lesson.course_id, lesson.status) == (None, "published")
    action, detail = trail(course.id)[-1]
    assert (action, detail["title"], detail["instructor"]) == ("course.deleted", course.title, str(user.id))
    end(course)
    assert db.session.scalars(select(AssetDeletion.mux_asset_id)).all() == ["a"]


@pytest.mark.parametrize("what", ["edit", "reorder", "delete"])
def test_the_course_of_another_is_not_there(what: str) -> None:
    course, stranger = make_course(), make_user()
    given = {"edit": [Changes(title="Mine")], "reorder": [[]], "delete": []}[what]
    with pytest.raises(Missing), as_(stranger):
        getattr(courses, what)(stranger, course.id, *given)
    assert trail(course.id) == []


# give


def test_staff_hand_a_course_over_and_its_lessons_stay_whose_they_are() -> None:
    staff, giver, taker = make_user(role="support"), make_user(), make_user()
    course = make_course(instructor=giver)
    lesson = make_lesson(creator=giver, course=course)
    with as_(staff):
        assert courses.give(staff, course.id, to_email=f" {taker.email.upper()} ") is True
    assert (fresh(course).instructor_id, fresh(course).version) == (taker.id, 2)
    before, after = {"instructor": str(giver.id)}, {"instructor": str(taker.id)}
    assert trail(course.id) == [("course.handed_over", {"before": before, "after": after})]
    db.session.refresh(lesson)
    assert lesson.creator_id == giver.id


def test_to_the_one_whose_it_is_changes_nothing() -> None:
    staff, owner = make_user(role="admin"), make_user()
    course = make_course(instructor=owner)
    with as_(staff):
        assert courses.give(staff, course.id, to_email=owner.email) is False
    assert (fresh(course).version, trail(course.id)) == (1, [])


@pytest.mark.parametrize(
    ("taker", "problem", "type_"),
    [
        (None, Invalid, "invalid_input"),
        ({"role": "student"}, Invalid, "invalid_input"),
        ({"active": False}, Conflict, "account_disabled"),
    ],
    ids=["unknown", "student", "disabled"],
)
def test_who_cannot_teach_is_given_no_course(taker: Any, problem: type[Exception], type_: str) -> None:
    staff, course = make_user(role="support"), make_course()
    email = "unknown@school.example" if taker is None else make_user(**taker).email
    with pytest.raises(problem) as refusal, as_(staff):
        courses.give(staff, course.id, to_email=email)
    assert refusal.value.type == type_  # type: ignore[attr-defined]  # both problems have one
    assert (fresh(course).version, trail(course.id)) == (1, [])


def test_an_instructor_gives_no_course_away_not_even_the_own_one() -> None:
    owner, taker = make_user(), make_user()
    course = make_course(instructor=owner)
    with pytest.raises(Forbidden), as_(owner):
        courses.give(owner, course.id, to_email=taker.email)
    assert fresh(course).instructor_id == owner.id


@pytest.mark.parametrize(("given", "kept"), [("de", "de"), ("auto", None), ("", None), (None, None)])
def test_the_language_that_is_spoken_is_one_that_mux_knows_or_none(
    given: str | None, kept: str | None
) -> None:
    assert courses.spoken(given) == kept


@pytest.mark.parametrize("odd", ["tlh", "German", 7])
def test_another_language_is_refused(odd: object) -> None:
    with pytest.raises(Invalid, match="Choose one of the languages"):
        courses.spoken(odd)
