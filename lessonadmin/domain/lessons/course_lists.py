"""Queries of the instructor's pages about courses: how many lessons each has, whose it is, and its lessons in order.

Read-only, a few queries for a whole page of courses. Never checks who may see a course: the caller has done that.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, or_, select, true
from sqlalchemy.orm import joinedload

from lessonadmin.db import db
from lessonadmin.domain import permissions, thumbnails
from lessonadmin.domain.errors import Invalid
from lessonadmin.domain.lessons import catalog
from lessonadmin.domain.lessons.sections import places
from lessonadmin.domain.models import Course, CourseSection, Lesson, User
from lessonadmin.text.ids import as_id

MAX_LESSONS = 500
MAX_COURSES = 500


@dataclass(frozen=True)
class Count:
    """The lessons of one course: all of them, and those that are out."""

    lessons: int = 0
    published: int = 0


def shown_to(user: User) -> ColumnElement[bool]:
    """Which lessons of a course its instructor is shown: staff all, others their own and what every student sees. A course
    may have lessons of another instructor, whose drafts stay private."""
    return true() if user.is_staff else or_(Lesson.creator_id == user.id, permissions.on_sale())


def counts(user: User, courses: Sequence[Course]) -> dict[uuid.UUID, Count]:
    """For a page of courses, with one query."""
    rows = db.session.execute(
        select(Lesson.course_id, func.count(), func.count().filter(Lesson.status == "published"))
        .where(Lesson.course_id.in_([course.id for course in courses]), shown_to(user))
        .group_by(Lesson.course_id)
    )
    known = {course_id: Count(lessons, published) for course_id, lessons, published in rows}
    return {course.id: known.get(course.id, Count()) for course in courses}


def instructors(courses: Sequence[Course]) -> dict[uuid.UUID, str]:
    """Who teaches each course, for staff, who see the courses of all instructors."""
    rows = db.session.execute(
        select(Course.id, User.name, User.email)
        .join(User, User.id == Course.instructor_id)
        .where(Course.id.in_([course.id for course in courses]))
    )
    return {course_id: name or email for course_id, name, email in rows}


def people(ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, str]:
    """Each by name, or by e-mail address if there is no name."""
    rows = db.session.execute(select(User.id, User.name, User.email).where(User.id.in_(ids)))
    return {user_id: name or email for user_id, name, email in rows}


def sections(
    user: User, courses: Sequence[Course]
) -> dict[uuid.UUID, list[tuple[CourseSection, list[uuid.UUID]]]]:
    """Of each course its sections, with those of their lessons that this person is shown; two queries for a whole page of courses. Who may
    not change the course is shown no section that is empty for them."""
    known = places.sections_of(course.id for course in courses)
    ids = [section.id for of_one in known.values() for section in of_one]
    seen = permissions.on_sale_or_bought_by(user) if user.role == "student" else shown_to(user)
    rows = select(Lesson.section_id, Lesson.course_id, Lesson.id).where(Lesson.section_id.in_(ids), seen)
    inside: dict[object, list[uuid.UUID]] = {}
    for section_id, course_id, lesson_id in (
        db.session.execute(rows.order_by(Lesson.position, Lesson.id)) if ids else []
    ):
        inside.setdefault((section_id, course_id), []).append(lesson_id)
    return {
        course.id: [
            (section, found)
            for section in known[course.id]
            if (found := inside.get((section.id, course.id), [])) or permissions.owns(user, course)
        ]
        for course in courses
    }


def lessons_of(user: User, course_id: uuid.UUID) -> list[Lesson]:
    """By their positions, as far as this person is shown them; `places.parts` puts them into their sections."""
    return list(
        db.session.scalars(
            select(Lesson)
            .where(Lesson.course_id == course_id, shown_to(user))
            .options(joinedload(Lesson.course), joinedload(Lesson.creator))
            .order_by(Lesson.position, Lesson.id)
            .limit(MAX_LESSONS)
            .execution_options(populate_existing=True)
        )
    )


def covers(user: User, lessons: Sequence[Lesson]) -> dict[uuid.UUID, str | None]:
    """A picture of each; of another instructor's lesson as in the catalogue, so that it reveals no playback id."""
    plays = permissions.playable_among(user, lessons)
    return {
        lesson.id: thumbnails.thumbnail(lesson, width=192, height=108)
        if permissions.owns(user, lesson)
        else catalog.cover(lesson, plays=lesson.id in plays)
        for lesson in lessons
    }


def offered(instructor_id: uuid.UUID, lesson: Lesson | None) -> list[tuple[str, str]]:
    """The courses that the form of a lesson offers, by title: those of its instructor, and the one that it is in."""
    wanted = select(Course.id, Course.title).order_by(Course.title, Course.id).limit(MAX_COURSES)
    found = {
        row.id: row.title for row in db.session.execute(wanted.where(Course.instructor_id == instructor_id))
    }
    if lesson is not None and lesson.course_id is not None and lesson.course_id not in found:
        title = db.session.scalar(select(Course.title).where(Course.id == lesson.course_id))
        found[lesson.course_id] = title or ""
    return [("", "No course"), *((str(key), title) for key, title in found.items())]


def chosen(text: str) -> uuid.UUID | None:
    """The choice that came back; None for no course. Whether it is a course of theirs is asked when it is saved."""
    found = as_id(text)
    if found is None and text:
        raise Invalid.field("course_id", "Choose a course from the list.")
    return found
