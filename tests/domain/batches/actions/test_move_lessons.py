"""Lessons to the end of a course, out of it, and back to their places."""

import uuid
from typing import Any

import pytest
from sqlalchemy.orm import Session

from lessonadmin.db import Actor, transaction
from lessonadmin.domain.batches import undo
from lessonadmin.domain.batches.actions import move_lessons
from lessonadmin.domain.errors import Invalid
from lessonadmin.domain.lessons import courses, trash
from lessonadmin.domain.lessons.sections import editing
from lessonadmin.domain.models import User
from tests.domain.batches.actions.owners import items, lesson, run, statuses, undone, verdicts
from tests.factories import make_course, make_lesson, make_section, make_user


@pytest.fixture
def teacher(session: Session) -> User:
    return make_user()


def places(*ids: uuid.UUID) -> list[tuple[Any, int]]:
    return [(lesson(one).course_id, lesson(one).position) for one in ids]


def test_they_go_to_the_end_in_their_order_and_back_to_their_places(teacher: User) -> None:
    old, new = (make_course(instructor=teacher).id for _ in range(2))
    first, second, third = (
        make_lesson(creator=teacher, course_id=old, position=place).id for place in (1, 2, 3)
    )
    there = make_lesson(creator=teacher, course_id=new, position=4).id
    loose = make_lesson(creator=teacher).id
    ids = [first, third, there, loose]
    assert verdicts(teacher, "move", ids, course_id=str(new)) == {
        first: True, third: True, there: False, loose: True
    }  # fmt: skip
    batch_id = run(teacher, "move", ids, course_id=str(new))
    assert places(first, third, loose) == [(new, 5), (new, 6), (new, 7)]
    assert items(batch_id)[there].note == "It is in this course already."
    with transaction(Actor.user(teacher.id)):
        courses.reorder(teacher, new, [loose, there])  # an order is not a change of the course
    undone(teacher, batch_id)
    assert places(first, second, third, loose) == [(old, 1), (old, 2), (old, 3), (None, 0)]
    assert not undo.is_undoable(batch_id)


def test_they_are_taken_out_of_their_course(teacher: User) -> None:
    course = make_course(instructor=teacher).id
    inside, loose = (
        make_lesson(creator=teacher, course_id=course, position=3).id,
        make_lesson(creator=teacher).id,
    )
    assert verdicts(teacher, "move", [inside, loose], course_id=None) == {inside: True, loose: False}
    batch_id = run(teacher, "move", [inside, loose], course_id=None)
    assert (places(inside), statuses(batch_id)[loose]) == ([(None, 3)], "skipped")
    undone(teacher, batch_id)
    assert places(inside) == [(course, 3)]


def test_the_undo_puts_a_lesson_back_into_its_section_if_that_is_still_there(teacher: User) -> None:
    old, new = (make_course(instructor=teacher) for _ in range(2))
    kept, gone = (make_section(old).id for _ in range(2))
    ids = [make_lesson(creator=teacher, course=old, section_id=one).id for one in (kept, gone)]
    batch_id = run(teacher, "move", ids, course_id=str(new.id))
    assert [lesson(one).section_id for one in ids] == [None, None]
    with transaction(Actor.user(teacher.id)):
        editing.remove(teacher, old.id, gone, version=None)
    undone(teacher, batch_id)
    assert [(lesson(one).course_id, lesson(one).section_id) for one in ids] == [
        (old.id, kept),
        (old.id, None),
    ]


def in_the_trash(teacher: User, course_id: uuid.UUID) -> None:
    with transaction(Actor.user(teacher.id)):
        courses.delete(teacher, course_id)


def test_a_course_that_went_to_the_trash_meanwhile_takes_none_and_gets_none_back(teacher: User) -> None:
    old, new = (make_course(instructor=teacher).id for _ in range(2))
    one, other = (make_lesson(creator=teacher, course_id=old, position=place).id for place in (1, 2))
    batch_id = run(teacher, "move", [one], course_id=str(new))
    in_the_trash(teacher, old)
    undoing = undone(teacher, batch_id)
    assert items(undoing)[one].note == "The course is not there any more, or is not yours."
    in_the_trash(teacher, new)
    late = run(teacher, "move", [one, other], course_id=str(new))
    assert statuses(late) == {one: "skipped", other: "skipped"}
    assert places(one, other) == [(None, 1), (None, 2)]


def test_a_lesson_whose_course_is_in_the_trash_belongs_to_it_again_after_the_undo(teacher: User) -> None:
    old, new = (make_course(instructor=teacher).id for _ in range(2))
    one = make_lesson(creator=teacher, course_id=old, position=2).id
    in_the_trash(teacher, old)
    batch_id = run(teacher, "move", [one], course_id=str(new))
    assert lesson(one).trashed_course_id is None
    undone(teacher, batch_id)
    assert lesson(one).trashed_course_id == old
    with transaction(Actor.user(teacher.id)):
        trash.restore(teacher, "course", old)
    assert lesson(one).course_id == old


def test_only_a_course_of_their_own_is_chosen(teacher: User) -> None:
    own, foreign = make_course(instructor=teacher), make_course()
    assert move_lessons.chosen(teacher, str(own.id)) == {"course_id": str(own.id)}
    assert move_lessons.chosen(teacher, "") == {"course_id": None}
    for wrong in ("x", str(foreign.id), str(uuid.uuid4())):
        with pytest.raises(Invalid):
            move_lessons.chosen(teacher, wrong)
    one = make_lesson(creator=teacher).id
    batch_id = run(teacher, "move", [one], course_id=str(foreign.id))
    assert (statuses(batch_id), places(one)) == ({one: "skipped"}, [(None, 0)])
