"""Sections of a course are made, renamed, removed, or said all at once, under the lock of the course.

Each change leaves its audit row and makes a new version of the course. A removed section leaves its lessons in the course, without a
section. In which order they stand is set by `courses.reorder`.
"""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from lessonadmin.db import db
from lessonadmin.domain import permissions
from lessonadmin.domain.audit import audit_log
from lessonadmin.domain.errors import Invalid, Missing
from lessonadmin.domain.lessons import courses
from lessonadmin.domain.lessons.courses import Layout
from lessonadmin.domain.lessons.lessons import UNSET, Changes, Unset, check_texts
from lessonadmin.domain.lessons.sections import places
from lessonadmin.domain.models import Course, CourseSection, Lesson, User

MAX_SECTIONS = 50


def add(user: User, course_id: uuid.UUID, title: str) -> CourseSection:
    """A new section at the end, without lessons."""
    _check(title, "section")
    course = courses.lock_to_change(user, course_id)
    before = _of(course)
    if len(before) >= MAX_SECTIONS:
        raise Invalid.field("section", f"A course has at most {MAX_SECTIONS} sections.")
    section = _new(course, title, after=before)
    _record(course, [one.title for one in before], [one.title for one in [*before, section]])
    return section


def find(user: User, course_id: uuid.UUID, section_id: uuid.UUID) -> tuple[Course, CourseSection]:
    """A section of a course that this person may change, for its page."""
    course = permissions.course_to_change(user, course_id)
    return course, _one(_of(course), section_id)


def rename(
    user: User, course_id: uuid.UUID, section_id: uuid.UUID, title: str, *, version: int | None
) -> None:
    _check(title, "section")
    course = courses.lock_to_change(user, course_id, version=version)
    sections = _of(course)
    section, before = _one(sections, section_id), [one.title for one in sections]
    section.title = title.strip()
    _record(course, before, [one.title for one in sections])


def find_or_add(user: User, course_id: uuid.UUID, title: str) -> CourseSection:
    """The first of this title; it is made if there is none. The caller's transaction sees to it that no other one does the same."""
    found = next(
        (one for one in _of(permissions.course_to_change(user, course_id)) if one.title == title), None
    )
    return found or add(user, course_id, title)


def remove(user: User, course_id: uuid.UUID, section_id: uuid.UUID, *, version: int | None) -> str:
    """Its lessons stay in the course; its title."""
    course = courses.lock_to_change(user, course_id, version=version)
    sections = _of(course)
    section = _one(sections, section_id)
    db.session.delete(section)
    _record(course, [one.title for one in sections], [one.title for one in sections if one is not section])
    return section.title


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A section as it is to be: an old one by its id, or a new one; its lessons in their order, or None: as they are."""

    title: str
    id: uuid.UUID | None = None
    lesson_ids: Sequence[uuid.UUID] | None = None


def edit_with_course(
    user: User,
    course_id: uuid.UUID,
    changes: Changes,
    sections: Sequence[Wanted] | None,
    *,
    cover: uuid.UUID | Unset | None = UNSET,
) -> Course:
    """Change the words of a course, unless they are None its sections, and the lesson whose picture it has: all or nothing."""
    course = courses.edit(user, course_id, changes)
    if sections is not None:
        replace(user, course_id, sections)
    if not isinstance(cover, Unset):
        courses.choose_cover(user, course_id, cover)
    return course


def replace(user: User, course_id: uuid.UUID, wanted: Sequence[Wanted]) -> None:
    """Make these the sections of the course, in this order; others are removed. A lesson that was in one of them and is named in none is in
    none."""
    for one in wanted:
        _check(one.title, "sections")
    course = courses.lock_to_change(user, course_id)
    before = _of(course)
    known = {one.id: one for one in before}
    titles = [one.title for one in before]
    _refuse_nonsense(course, wanted, known.keys())
    rows = [known[one.id] if one.id is not None else _new(course, one.title, after=before) for one in wanted]
    for row, one in zip(rows, wanted, strict=True):
        row.title = one.title.strip()
    for row in before:
        if row not in rows:
            db.session.delete(row)
    _record(course, titles, [row.title for row in rows])
    pairs = list(zip(rows, wanted, strict=True))
    order = [lesson_id for one in wanted for lesson_id in one.lesson_ids or ()]
    section_of = {
        lesson.id: None for row, one in pairs if one.lesson_ids is not None for lesson in _lessons_of(row)
    }
    named = {lesson_id: row.id for row, one in pairs for lesson_id in one.lesson_ids or ()}
    courses.reorder(user, course_id, order, layout=Layout([row.id for row in rows], {**section_of, **named}))


def _check(title: str, field: str) -> None:
    try:
        check_texts(title, UNSET)
    except Invalid as problem:
        raise Invalid.field(field, problem.message) from None


def _refuse_nonsense(course: Course, wanted: Sequence[Wanted], known: Collection[uuid.UUID]) -> None:
    ids = [one.id for one in wanted if one.id is not None]
    named = [lesson_id for one in wanted for lesson_id in one.lesson_ids or ()]
    inside = select(func.count()).where(Lesson.id.in_(named), Lesson.course_id == course.id)
    if len(wanted) > MAX_SECTIONS:
        raise Invalid.field("sections", f"A course has at most {MAX_SECTIONS} sections.")
    if len(set(ids)) < len(ids) or not set(ids) <= set(known):
        raise Invalid.field(
            "sections", "Each id must be that of a section of this course, and be there once."
        )
    if len(set(named)) < len(named) or db.session.scalar(inside) != len(named):
        raise Invalid.field("sections", "Each lesson must be one of this course, and be named once.")


def _of(course: Course) -> list[CourseSection]:
    return places.sections_of([course.id])[course.id]


def _one(sections: Sequence[CourseSection], section_id: uuid.UUID) -> CourseSection:
    for section in sections:
        if section.id == section_id:
            return section
    raise Missing()


def _lessons_of(section: CourseSection) -> Sequence[Lesson]:
    return db.session.scalars(select(Lesson).where(Lesson.section_id == section.id)).all()


def _new(course: Course, title: str, *, after: Sequence[CourseSection]) -> CourseSection:
    last = after[-1].position if after else 0
    section = CourseSection(course_id=course.id, title=title.strip(), position=last + 1)
    db.session.add(section)
    db.session.flush()
    return section


def _record(course: Course, before: Sequence[str], after: Sequence[str]) -> None:
    if list(before) == list(after):
        return
    course.version += 1
    db.session.flush()
    audit_log.record(
        "course.sections_changed", course, before={"sections": list(before)}, after={"sections": list(after)}
    )
