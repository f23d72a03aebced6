"""Courses: create, edit, order the lessons, hand over, delete.

Every change is checked against `permissions` and leaves its audit row. The preview video follows the same rules as a
lesson's video, in `transitions`.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from lessonadmin import mux
from lessonadmin.db import db
from lessonadmin.domain import permissions
from lessonadmin.domain.accounts import rate_limits, users
from lessonadmin.domain.audit import audit_log
from lessonadmin.domain.errors import Conflict, Forbidden, Invalid
from lessonadmin.domain.lessons import pictures, trash
from lessonadmin.domain.lessons.lessons import UNSET, Changes, check_texts
from lessonadmin.domain.lessons.sections import places
from lessonadmin.domain.models import Course, CourseSection, Lesson, User
from lessonadmin.domain.videos import locking, withdrawal


def create(user: User, changes: Changes) -> Course:
    permissions.teaches(user)
    if not isinstance(changes.title, str):
        raise Invalid.field("title", "Enter a title.")
    check_texts(changes.title, changes.description)
    rate_limits.make("courses", user.id)
    course = Course(
        instructor_id=user.id,
        title=changes.title.strip(),
        description=changes.description if isinstance(changes.description, str) else "",
        language=None if changes.language is UNSET else spoken(changes.language),
    )
    db.session.add(course)
    db.session.flush()
    audit_log.record("course.created", course, title=course.title)
    return course


def edit(user: User, course_id: uuid.UUID, changes: Changes, *, version: int | None = None) -> Course:
    check_texts(changes.title, changes.description)
    course = lock_to_change(user, course_id, version=version)
    before = {"title": course.title, "description": course.description, "language": course.language}
    if changes.title is not UNSET and isinstance(changes.title, str):
        course.title = changes.title.strip()
    if isinstance(changes.description, str):
        course.description = changes.description
    if changes.language is not UNSET:
        course.language = spoken(changes.language)
    changed = {name: old for name, old in before.items() if getattr(course, name) != old}
    if changed:
        course.version += 1
        db.session.flush()
        after = {name: getattr(course, name) for name in changed}
        audit_log.record("course.updated", course, before=changed, after=after)
    return course


def spoken(language: object) -> str | None:
    """The language that captions of a course begin with; None: it is not known, and Mux finds it out."""
    if language in (None, "", mux.AUTOMATIC):
        return None
    if not isinstance(language, str) or language not in mux.LANGUAGES:
        raise Invalid.field("language", "Choose one of the languages that Mux makes captions in.")
    return language


def lock_to_change(user: User, course_id: uuid.UUID, *, version: int | None = None) -> Course:
    """The course, locked and read again; Conflict if it is not at this version any more. Of a course that was read with its
    instructor, only the course is locked."""
    course = permissions.course_to_change(user, course_id)
    permissions.acting_user()
    db.session.refresh(course, with_for_update={"of": Course})
    permissions.still_theirs(course)
    if version is not None and course.version != version:
        raise Conflict("edit_conflict", "This course was saved by someone else while you were editing it.")
    return course


@dataclass(frozen=True)
class Layout:
    """Sections in an order, and what stands under each of them: lessons under none have None."""

    sections: Sequence[uuid.UUID]
    section_of: Mapping[uuid.UUID, uuid.UUID | None]

    def order(self, sections: Sequence[CourseSection]) -> list[CourseSection]:
        """Those that are not named follow as they were."""
        place = {section_id: number for number, section_id in enumerate(self.sections)}
        return sorted(sections, key=lambda one: place.get(one.id, len(place)))

    def put(self, lesson: Lesson, sections: Sequence[CourseSection]) -> None:
        """A lesson of a section that this layout does not know stays in it."""
        known = {one.id for one in sections}
        if lesson.id not in self.section_of or lesson.section_id in known - set(self.sections):
            return
        wanted = self.section_of[lesson.id]
        lesson.section_id = wanted if wanted in known else None


def reorder(
    user: User,
    course_id: uuid.UUID,
    lesson_ids: Sequence[uuid.UUID],
    *,
    among_themselves: bool = False,
    layout: Layout | None = None,
) -> bool:
    """Put the lessons of a course in this order; those that are not named follow as they were, or keep their places if the order is
    one `among_themselves`. With a layout its sections are put in order, too, and lessons into them; without one each lesson stays in
    its section. False if they stood so.

    Lessons that this person is not shown keep their places.
    """
    course = lock_to_change(user, course_id)
    sections = places.sections_of([course_id])[course_id]
    lessons = places.in_order(_lessons_in(course_id), sections)
    was = _order(lessons, sections)
    place = {lesson_id: number for number, lesson_id in enumerate(dict.fromkeys(lesson_ids))}
    shown = [one for one in lessons if permissions.owns(user, one) or permissions.visible_to_students(one)]
    if layout is not None:
        sections = layout.order(sections)
        for one in shown:
            layout.put(one, sections)
    if among_themselves:
        shown = [one for one in shown if one.id in place]
    ordered = iter(sorted(shown, key=lambda one: place.get(one.id, len(place))))
    moving = {one.id for one in shown}
    wanted = places.in_order([next(ordered) if one.id in moving else one for one in lessons], sections)
    if _order(wanted, sections) == was:
        return False
    _number(wanted)
    _number(sections)
    db.session.flush()
    audit_log.record("course.reordered", course, order=[str(lesson.id) for lesson in wanted])
    return True


def _number(rows: Sequence[Lesson | CourseSection]) -> None:
    for position, row in enumerate(rows, start=1):
        if row.position != position:
            row.position = position


def _lessons_in(course_id: uuid.UUID) -> Sequence[Lesson]:
    rows = select(Lesson).where(Lesson.course_id == course_id).order_by(Lesson.position, Lesson.id)
    return db.session.scalars(rows.execution_options(populate_existing=True)).all()


def _order(lessons: Sequence[Lesson], sections: Sequence[CourseSection]) -> list[object]:
    return [[(one.id, one.section_id) for one in lessons], [one.id for one in sections]]


def choose_cover(user: User, course_id: uuid.UUID, lesson_id: uuid.UUID | None) -> bool:
    """The course has the picture of this lesson from now on, or with None that of its first; False if it is so already."""
    course = lock_to_change(user, course_id)
    before = course.cover_lesson_id
    if before == lesson_id:
        return False
    if lesson_id is not None and lesson_id not in [lesson.id for lesson in pictures.may_cover(course)]:
        raise Invalid.field(
            "cover_lesson_id", "Choose a lesson of this course whose picture students may see."
        )
    course.cover_lesson_id = lesson_id
    names = {"before": before, "after": lesson_id}
    written = {name: {"lesson_id": str(value) if value else None} for name, value in names.items()}
    audit_log.record("course.cover_chosen", course, **written)
    return True


def delete(user: User, course_id: uuid.UUID) -> None:
    """Move a course to the trash with its preview; its lessons stay, without a course."""
    course = permissions.course_to_change(user, course_id)
    trash.put(locking.lock_video_of(course))


def edit_and_give(
    by: User, course_id: uuid.UUID, changes: Changes, *, version: int | None, to_email: str
) -> None:
    """Change its words and hand it over, as the form of the panel does; it stays with a teacher who has it already."""
    edit(by, course_id, changes, version=version)
    give(by, course_id, to_email=to_email)


def give(by: User, course_id: uuid.UUID, *, to_email: str) -> bool:
    """Hand the course over to another instructor; False if it is theirs already. The caller's transaction has locked it."""
    if not by.is_staff:
        raise Forbidden("forbidden", "Only staff can give a course to another instructor.")
    course: Course = permissions.course_to_change(by, course_id)
    taker = users.find_by_email(to_email)
    if taker is None or not taker.teaches:
        raise Invalid.field("teacher", "There is no instructor with this e-mail address.")
    if taker.id == course.instructor_id:
        return False
    if not taker.active:
        raise Conflict("account_disabled", "This account is disabled; choose another one.")
    giver = db.session.get_one(User, course.instructor_id)
    withdrawal.record_starter(giver, course_id=course.id)
    course.instructor_id = taker.id
    course.version += 1
    db.session.flush()
    # By their ids: an audit row names no person, so that it names none whose account is deleted later.
    audit_log.record(
        "course.handed_over",
        course,
        before={"instructor": str(giver.id)},
        after={"instructor": str(taker.id)},
    )
    withdrawal.withdraw_uploads_of(giver, why="the course was transferred to another instructor")
    return True
