"""Lessons of all courses as they are read: by the title of the course, and in it as they stand there; then those without a course, by title.

A page begins after a lesson, which the address names by its id alone: where that one stands now counts. One that is gone names no
place, so the first page is shown. Read-only; which lessons a user sees is said by the caller's conditions.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, func, literal, select, tuple_
from sqlalchemy.orm import contains_eager, joinedload

from lessonadmin.db import db
from lessonadmin.domain.models import Course, CourseSection, Lesson
from lessonadmin.domain.querying.keyset import Page
from lessonadmin.text.ids import as_id

NO_SECTION = uuid.UUID(int=0)


@dataclass(frozen=True, eq=False)
class Stage:
    """Lessons in a course, or those in none. `columns`: what they are sorted by; the first `indexed` of them stand in an index."""

    in_course: bool
    columns: tuple[Any, ...]
    indexed: int


STAGES = (
    Stage(
        True,
        (
            Course.title,
            Course.id,
            func.coalesce(CourseSection.position, -1),
            func.coalesce(CourseSection.id, literal(NO_SECTION)),
            Lesson.position,
            Lesson.id,
        ),
        2,
    ),
    Stage(False, (Lesson.title, Lesson.id), 0),
)


@dataclass(frozen=True)
class Place:
    """Where a lesson stands: what it has in the columns of its stage."""

    stage: Stage
    values: tuple[Any, ...]


def read(conditions: Sequence[ColumnElement[bool]], arguments: Mapping[str, str], *, size: int) -> Page:
    """The page that begins after the lesson of `after`, or ends before that of `before`."""
    after = _place(arguments.get("after"))
    before = _place(arguments.get("before")) if after is None else None
    place, backwards = after or before, before is not None
    stages = STAGES[::-1] if backwards else STAGES
    rows: list[Lesson] = []
    for stage in stages[stages.index(place.stage) :] if place is not None else stages:
        if len(rows) <= size:
            beyond = _beyond(place, backwards) if place is not None and place.stage is stage else []
            rows += _rows(stage, [*conditions, *beyond], backwards, size + 1 - len(rows))
    more, rows = len(rows) > size, rows[:size]
    if backwards:
        rows.reverse()
    has_earlier, has_later = (more, True) if backwards else (after is not None, more)
    return Page(
        rows,
        {"before": str(rows[0].id)} if rows and has_earlier else None,
        {"after": str(rows[-1].id)} if rows and has_later else None,
    )


def _place(text: str | None) -> Place | None:
    lesson_id = as_id(text)
    course_id = select(Lesson.course_id).where(Lesson.id == lesson_id)
    found = db.session.execute(course_id).first() if lesson_id is not None else None
    if found is None:
        return None
    stage = STAGES[0 if found[0] is not None else 1]
    values = db.session.execute(_of(stage, select(*stage.columns)).where(Lesson.id == lesson_id)).first()
    return Place(stage, tuple(values)) if values is not None else None


def _of(stage: Stage, rows: Any) -> Any:
    if not stage.in_course:
        return rows.where(Lesson.course_id.is_(None))
    return rows.select_from(Lesson).join(Lesson.course).outerjoin(Lesson.section)


def _beyond(place: Place, backwards: bool) -> list[ColumnElement[bool]]:
    """Apart from the whole comparison one of what is indexed, since that of columns of several tables leads to no index."""
    columns, values = place.stage.columns, place.values
    there = tuple_(*(literal(value, column.type) for column, value in zip(columns, values, strict=True)))
    here = tuple_(*columns)
    conditions = [here < there if backwards else here > there]
    if few := place.stage.indexed:
        first = tuple_(*columns[:few])
        bound = tuple_(*(literal(value, columns[n].type) for n, value in enumerate(values[:few])))
        conditions.append(first <= bound if backwards else first >= bound)
    return conditions


def _rows(
    stage: Stage, conditions: Sequence[ColumnElement[bool]], backwards: bool, limit: int
) -> Sequence[Lesson]:
    course = contains_eager(Lesson.course) if stage.in_course else joinedload(Lesson.course)
    rows = _of(stage, select(Lesson)).where(*conditions).options(course, joinedload(Lesson.creator))
    order = [column.desc() if backwards else column.asc() for column in stage.columns]
    found = rows.order_by(*order).limit(limit).execution_options(populate_existing=True)
    return list(db.session.scalars(found))
