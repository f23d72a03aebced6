"""Where lessons stand in a course: its sections in their order, the lessons in theirs, and the place that one had.

Lessons without a section stand before all sections; a section of another course counts as none. Read-only, and never checks who may see
a course: the caller has done that.
"""

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Generic, TypeVar

from sqlalchemy import select

from lessonadmin.db import db
from lessonadmin.domain.models import CourseSection, Lesson
from lessonadmin.text.ids import as_id

T = TypeVar("T")


@dataclass(frozen=True)
class Place:
    """Where a lesson stands: its course, its section and its place in it, and the course in the trash that it was in."""

    course_id: uuid.UUID | None
    position: int
    trashed_course_id: uuid.UUID | None
    section_id: uuid.UUID | None = None

    @classmethod
    def of(cls, lesson: Lesson) -> "Place":
        return cls(lesson.course_id, lesson.position, lesson.trashed_course_id, lesson.section_id)

    def as_json(self) -> dict[str, object]:
        return {
            name: str(value) if isinstance(value, uuid.UUID) else value
            for name, value in asdict(self).items()
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, object]) -> "Place":
        """Also of one that was stored before there were sections."""
        course_id, trashed, section_id = (
            as_id(str(stored.get(name) or "")) for name in ("course_id", "trashed_course_id", "section_id")
        )
        return cls(course_id, int(str(stored["position"])), trashed, section_id)


@dataclass(frozen=True, kw_only=True)
class Part(Generic[T]):
    """A section with what is in it; without a section: what stands before all of them."""

    section: CourseSection | None
    items: list[T]


def sections_of(course_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, list[CourseSection]]:
    """Of each course in their order, with one query."""
    ids = list(course_ids)
    found: dict[uuid.UUID, list[CourseSection]] = {course_id: [] for course_id in ids}
    rows = (
        select(CourseSection)
        .where(CourseSection.course_id.in_(ids))
        .order_by(CourseSection.position, CourseSection.id)
        .execution_options(populate_existing=True)
    )
    for section in db.session.scalars(rows) if ids else []:
        found[section.course_id].append(section)
    return found


def of_lessons(lessons: Sequence[Lesson]) -> dict[uuid.UUID, CourseSection]:
    """The section of each lesson that is in one, with one query."""
    wanted = [one for one in lessons if one.section_id is not None]
    rows = select(CourseSection).where(CourseSection.id.in_({one.section_id for one in wanted}))
    known = {one.id: one for one in db.session.scalars(rows)} if wanted else {}
    found = ((one, known.get(one.section_id)) for one in wanted if one.section_id is not None)
    return {one.id: section for one, section in found if section and section.course_id == one.course_id}


def in_order(lessons: Sequence[Lesson], sections: Sequence[CourseSection]) -> list[Lesson]:
    """Lessons that are in the order of their positions, section by section."""
    return [lesson for part in parts(lessons, sections, lambda lesson: lesson) for lesson in part.items]


def parts(
    items: Sequence[T], sections: Sequence[CourseSection], lesson_of: Callable[[T], Lesson]
) -> list[Part[T]]:
    """Things that are about lessons of one course, by section; also sections without any. First what has no section, if there is such."""
    inside: dict[uuid.UUID | None, list[T]] = {None: []} | {section.id: [] for section in sections}
    for item in items:
        section_id = lesson_of(item).section_id
        inside[section_id if section_id in inside else None].append(item)
    first = [Part(section=None, items=inside[None])] if inside[None] else []
    return [*first, *(Part(section=one, items=inside[one.id]) for one in sections)]
