"""What a teacher's pages about courses read: how many lessons each has, whose it is, and the lessons in their order.

Read-only, and a few queries for a whole page of courses. Who may see a course was asked before.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from lessonadmin.db import db
from lessonadmin.domain.models import Course, Lesson, User

MOST_LESSONS = 500


@dataclass(frozen=True)
class Count:
    """The lessons of one course: all of them, and those that are out."""

    lessons: int = 0
    published: int = 0


def counts(courses: Sequence[Course]) -> dict[uuid.UUID, Count]:
    """For a page of courses, with one query."""
    rows = db.session.execute(
        select(Lesson.course_id, func.count(), func.count().filter(Lesson.status == "published"))
        .where(Lesson.course_id.in_([course.id for course in courses]))
        .group_by(Lesson.course_id)
    )
    known = {course_id: Count(lessons, published) for course_id, lessons, published in rows}
    return {course.id: known.get(course.id, Count()) for course in courses}


def teachers(courses: Sequence[Course]) -> dict[uuid.UUID, str]:
    """Who teaches each course, for staff, who see everybody's."""
    rows = db.session.execute(
        select(Course.id, User.name, User.email)
        .join(User, User.id == Course.instructor_id)
        .where(Course.id.in_([course.id for course in courses]))
    )
    return {course_id: name or email for course_id, name, email in rows}


def lessons_of(course_id: uuid.UUID) -> list[Lesson]:
    """In the order in which students meet them."""
    return list(
        db.session.scalars(
            select(Lesson)
            .where(Lesson.course_id == course_id)
            .order_by(Lesson.position, Lesson.id)
            .limit(MOST_LESSONS)
            .execution_options(populate_existing=True)
        )
    )
