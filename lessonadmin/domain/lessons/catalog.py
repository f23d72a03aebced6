"""The catalogue that students browse: published lessons and courses, searched by words, with what the user bought.

Read-only, paged by key, a few queries a page; what a search finds comes in a few pages, the best first. Every user sees what a student would see: no draft, and nothing that does
not play, except what they bought. Who may play a lesson is decided in `permissions`.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, tuple_
from sqlalchemy.orm import joinedload

from lessonadmin.database import row_access
from lessonadmin.db import db
from lessonadmin.domain import permissions, thumbnails
from lessonadmin.domain.captions import spoken_words
from lessonadmin.domain.errors import Missing
from lessonadmin.domain.lessons import pictures, search
from lessonadmin.domain.lessons.sections import places, reading_order
from lessonadmin.domain.models import Course, Lesson, User
from lessonadmin.domain.progress import done
from lessonadmin.domain.progress.done import UNTOUCHED, Standing
from lessonadmin.domain.querying import keyset
from lessonadmin.domain.querying.dated_cursor import Cursor

PER_PAGE = 24
MAX_LESSONS = 500
MAX_COURSES = 200
MAX_INSTRUCTORS = 200
MAX_FOUND_PAGES = 10  # of a search: further words lead further than further pages
MAX_GOING_ON = 4  # of those that a user began last
MAX_COUNTED = 100  # of what a search finds on the other tab
COVER = {"width": 640, "height": 360}
LATEST_FIRST = (Lesson.published_at.desc().nulls_first(), Lesson.id.desc())
BY_TITLE = (Course.title, Course.id)
Sort = Literal["newest", "title", "price", "course"]
ORDERS = {
    "title": keyset.Order(Lesson.title, Lesson.id, descending=False),
    "price": keyset.Order(Lesson.price_cents, Lesson.id, descending=False),
}


@dataclass(frozen=True, kw_only=True)
class Query:
    """What a page of the catalogue is filtered by."""

    q: str = ""
    course_id: uuid.UUID | None = None
    free: bool = False
    bought: bool = False
    instructor_id: uuid.UUID | None = None
    to_do: bool = False  # what the user has not done
    sort: Sort = "newest"
    cursor: Cursor | None = None
    after: str = ""  # as `cursor`, of a list that is sorted otherwise
    before: str = ""
    number: int = 1  # the page of a search

    @property
    def plain(self) -> bool:
        return not (self.narrowed or self.free or self.bought or self.goes_on)

    @property
    def narrowed(self) -> bool:
        """By what the form above the list says."""
        return bool(self.q or self.course_id or self.instructor_id or self.to_do)

    @property
    def goes_on(self) -> bool:
        """Behind the first page."""
        return bool(self.cursor or (self.sort != "newest" and (self.after or self.before)))

    @property
    def searches(self) -> bool:
        return bool(self.q.strip())


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One lesson of the catalogue: may the user play it, did they buy it, how far are they, and a picture that reveals no playback id."""

    lesson: Lesson
    plays: bool
    bought: bool
    cover: str | None
    standing: Standing = UNTOUCHED


@dataclass(frozen=True, kw_only=True)
class CataloguePage:
    """One page of lessons, and where the pages beside it begin."""

    entries: list[Entry]
    newer: Cursor | int | str | None
    older: Cursor | int | str | None
    similar: bool = False  # nothing has the words as they were typed


def page(user: User, query: Query) -> CataloguePage:
    """A page of lessons in the order that is asked for; of a search, those that fit best."""
    if query.searches:
        return _page_found(user, query)
    if query.sort != "newest":
        return _page_sorted(user, query)
    lessons, more = _page(select(Lesson).where(*_shown(user, query)), query.cursor)
    back = query.cursor is not None and query.cursor.back
    has_newer, has_older = (more, True) if back else (query.cursor is not None, more)
    return CataloguePage(
        entries=entries(user, lessons),
        newer=_cursor(lessons[0], back=True) if lessons and has_newer else None,
        older=_cursor(lessons[-1]) if lessons and has_older else None,
    )


def _page_sorted(user: User, query: Query) -> CataloguePage:
    place = {"after": query.after, "before": query.before}
    if query.sort == "course":
        found = reading_order.read(_shown(user, query), place, size=PER_PAGE)
    else:
        rows = db.session.query(Lesson).filter(*_shown(user, query)).populate_existing()
        rows = rows.options(joinedload(Lesson.course), joinedload(Lesson.creator))
        found = keyset.read(rows, ORDERS[query.sort], place, page=0, size=PER_PAGE)
    return CataloguePage(
        entries=entries(user, found.rows),
        newer=found.previous["before"] if found.previous else None,
        older=found.next["after"] if found.next else None,
    )


def _page_found(user: User, query: Query) -> CataloguePage:
    number = min(max(query.number, 1), MAX_FOUND_PAGES)
    spoken = partial(spoken_words.condition, user, query.q)
    most = number * PER_PAGE + 1
    found = search.ranked(Lesson, query.q, _shown(user, query), LATEST_FIRST, most, spoken=spoken)
    ids = found.ids[(number - 1) * PER_PAGE : number * PER_PAGE]
    rows = db.session.scalars(
        select(Lesson)
        .where(Lesson.id.in_(ids))
        .options(joinedload(Lesson.course), joinedload(Lesson.creator))
        .execution_options(populate_existing=True)
    )
    lessons = sorted(rows, key=lambda lesson: ids.index(lesson.id))
    has_more = len(found.ids) > number * PER_PAGE and number < MAX_FOUND_PAGES
    return CataloguePage(
        entries=entries(user, lessons),
        newer=number - 1 or None,
        older=number + 1 if has_more else None,
        similar=found.similar,
    )


def count_lessons(user: User, q: str) -> int:
    """How many lessons a search finds, counted to MAX_COUNTED."""
    if not q.strip():
        return 0
    spoken = partial(spoken_words.condition, user, q)
    shown = _shown(user, Query())
    return len(search.ranked(Lesson, q, shown, LATEST_FIRST, MAX_COUNTED, spoken=spoken).ids)


def count_courses(q: str) -> int:
    """How many courses a search finds, counted to MAX_COUNTED."""
    return len(_found_courses(q, MAX_COUNTED).ids) if q.strip() else 0


def _shown(user: User, query: Query) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [
        permissions.bought_by(user) if query.bought else permissions.on_sale()
    ]
    if query.course_id is not None:
        conditions.append(Lesson.course_id == query.course_id)
    if query.instructor_id is not None:
        conditions.append(Lesson.creator_id == query.instructor_id)
    if query.to_do:
        conditions.append(~done.done_by(user))
    if query.free:
        conditions.append(Lesson.price_cents == 0)
    return conditions


def _page(statement: Select[Lesson], cursor: Cursor | None) -> tuple[list[Lesson], bool]:
    """Rows in the order of the list, and whether there are more in the direction of reading."""
    order: tuple[Any, ...] = LATEST_FIRST
    if cursor is not None and cursor.back:
        order = (Lesson.published_at.asc().nulls_last(), Lesson.id.asc())
    if cursor is not None:
        statement = statement.where(_beyond(cursor))
    rows = list(
        db.session.scalars(
            statement.options(joinedload(Lesson.course), joinedload(Lesson.creator))
            .order_by(*order)
            .limit(PER_PAGE + 1)
            .execution_options(populate_existing=True)
        )
    )
    lessons = rows[:PER_PAGE]
    return lessons[::-1] if cursor is not None and cursor.back else lessons, len(rows) > PER_PAGE


def _beyond(cursor: Cursor) -> ColumnElement[bool]:
    """What stands after this place; lessons without a date of publication stand before all others."""
    here, undated = tuple_(Lesson.published_at, Lesson.id), Lesson.published_at.is_(None)
    if cursor.at is None:
        beside = Lesson.id > cursor.id if cursor.back else Lesson.id < cursor.id
        return and_(undated, beside) if cursor.back else or_(~undated, and_(undated, beside))
    place = tuple_(cursor.at, cursor.id)
    return or_(undated, here > place) if cursor.back else here < place


def _cursor(lesson: Lesson, *, back: bool = False) -> Cursor:
    return Cursor(lesson.published_at, lesson.id, back)


def entries(user: User, lessons: Sequence[Lesson]) -> list[Entry]:
    """The same lessons with what this person may do and has done with them, with three queries however many they are."""
    standings = done.among(user, lessons)
    plays, bought = permissions.playable_among(user, lessons), _bought_among(user, lessons)
    return [
        Entry(
            lesson=lesson,
            plays=lesson.id in plays,
            bought=lesson.id in bought,
            cover=cover(lesson, plays=lesson.id in plays),
            standing=standings.get(lesson.id, UNTOUCHED),
        )
        for lesson in lessons
    ]


def going_on(user: User) -> list[Entry]:
    """What the user began last and may still play."""
    return [entry for entry in entries(user, done.begun(user)) if entry.plays][:MAX_GOING_ON]


def shown_to(lesson: Lesson, *, bought: bool) -> Entry:
    """What a student sees who has bought this lesson, or who has not; also of a draft, as if it were on sale."""
    plays = bought or lesson.price_cents == 0
    return Entry(
        lesson=lesson, plays=plays, bought=bought and lesson.price_cents > 0, cover=cover(lesson, plays=plays)
    )


def _bought_among(user: User, lessons: Sequence[Lesson]) -> set[uuid.UUID]:
    if user.role != "student" or not lessons:
        return set()
    return permissions.bought_among(user, [lesson.id for lesson in lessons])


def cover(lesson: Lesson, *, plays: bool) -> str | None:
    """The picture of a lesson. The address of a public video's picture has its playback id, and with that the whole video
    could be watched: a user who may not play it gets the picture of the course's preview, or none."""
    if plays or lesson.playback_policy == "signed":
        return thumbnails.thumbnail(lesson, **COVER)
    return thumbnails.thumbnail(lesson.course, **COVER) if lesson.course is not None else None


def with_its_course(user: User, lesson: Lesson) -> tuple[Entry, list[places.Part[Entry]]]:
    """A lesson, and what the page shows of its course with it among them; nothing if it is alone there."""
    inside = in_course(user, lesson.course_id) if lesson.course_id is not None else []
    others = [one for one in inside if one.id != lesson.id]
    found = {entry.lesson.id: entry for entry in entries(user, [lesson, *others])}
    if lesson.course_id is None or not others:
        return found[lesson.id], []
    return found[lesson.id], parts([found[one.id] for one in inside], lesson.course_id)


def lesson(user: User, lesson_id: uuid.UUID) -> Lesson:
    """One lesson that is out, or that this person bought."""
    found = db.session.scalar(
        select(Lesson)
        .where(Lesson.id == lesson_id, permissions.on_sale_or_bought_by(user))
        .options(joinedload(Lesson.course), joinedload(Lesson.creator))
        .execution_options(populate_existing=True)
    )
    if found is None:
        raise Missing()
    return found


def to_preview(user: User, lesson_id: uuid.UUID) -> Lesson:
    """One lesson that this person may change, whether it is out or not, with what its page shows."""
    permissions.lesson_to_change(user, lesson_id)
    return db.session.scalars(
        select(Lesson)
        .where(Lesson.id == lesson_id)
        .options(joinedload(Lesson.course), joinedload(Lesson.creator))
        .execution_options(populate_existing=True)
    ).one()


@dataclass(frozen=True, kw_only=True)
class CourseEntry:
    """One course of the catalogue."""

    course: Course
    lessons: int
    cover: str | None


@dataclass(frozen=True, kw_only=True)
class CoursePage:
    """Courses, and whether they have the words of a search only with another letter."""

    entries: list[CourseEntry]
    similar: bool = False


def courses(q: str = "") -> CoursePage:
    """Courses with something to watch, by title, of a search the best first; as many as a page bears."""
    statement = select(Course).options(joinedload(Course.instructor))
    found = _found_courses(q, MAX_COURSES) if q.strip() else None
    if found is None:
        statement = statement.where(permissions.has_lessons_on_sale()).order_by(*BY_TITLE).limit(MAX_COURSES)
    else:
        statement = statement.where(Course.id.in_(found.ids))
    rows = list(db.session.scalars(statement.execution_options(populate_existing=True)))
    if found is not None:
        rows.sort(key=lambda course: found.ids.index(course.id))
    counts = _on_sale_in(rows)
    covers = pictures.covers(rows, **COVER)
    listed = [
        CourseEntry(course=course, lessons=counts.get(course.id, 0), cover=covers[course.id])
        for course in rows
    ]
    return CoursePage(entries=listed, similar=found is not None and found.similar)


def _found_courses(q: str, most: int) -> search.Found:
    return search.ranked(Course, q, [permissions.has_lessons_on_sale()], BY_TITLE, most)


def _on_sale_in(courses: Sequence[Course]) -> dict[uuid.UUID, int]:
    rows = db.session.execute(
        select(Lesson.course_id, func.count())
        .where(Lesson.course_id.in_([course.id for course in courses]), permissions.on_sale())
        .group_by(Lesson.course_id)
    )
    return {course_id: count for course_id, count in rows if course_id is not None}


def titles() -> list[tuple[uuid.UUID, str]]:
    """Courses to choose from, by title."""
    found = select(Course.id, Course.title).where(permissions.has_lessons_on_sale()).order_by(*BY_TITLE)
    return [(course_id, title) for course_id, title in db.session.execute(found.limit(MAX_COURSES))]


def instructors() -> list[tuple[uuid.UUID, str]]:
    """Those with a name who have something to watch, to choose from."""
    # asked of each by an index (the offset keeps it so): a join would read all lessons
    has_lessons = (
        select(Lesson.id).where(Lesson.creator_id == User.id, permissions.on_sale()).offset(0).exists()
    )
    rows = select(User.id, User.name).where(User.role != "student", User.name != "", has_lessons)
    # the same for every user; policies would be asked for each lesson, and find nothing to hide
    with row_access.everything():
        found = db.session.execute(rows.order_by(User.name, User.id).limit(MAX_INSTRUCTORS)).all()
    return [(user_id, name) for user_id, name in found]


def course(user: User, course_id: uuid.UUID) -> tuple[Course, list[Lesson]]:
    """A course and its lessons in their order: those that are out, and those that this person bought."""
    lessons = in_course(user, course_id)
    found = db.session.scalar(
        select(Course)
        .where(Course.id == course_id)
        .options(joinedload(Course.instructor))
        .execution_options(populate_existing=True)
    )
    if found is None or not lessons:
        raise Missing()
    return found, lessons


def parts(entries: Sequence[Entry], course_id: uuid.UUID) -> list[places.Part[Entry]]:
    """What a page shows of a course, section by section; a section without any of it is not there."""
    sections = places.sections_of([course_id])[course_id]
    return [part for part in places.parts(entries, sections, lambda entry: entry.lesson) if part.items]


def in_course(user: User, course_id: uuid.UUID) -> list[Lesson]:
    return list(
        db.session.scalars(
            select(Lesson)
            .where(Lesson.course_id == course_id, permissions.on_sale_or_bought_by(user))
            .options(joinedload(Lesson.course), joinedload(Lesson.creator))
            .order_by(Lesson.position, Lesson.id)
            .limit(MAX_LESSONS)
            .execution_options(populate_existing=True)
        )
    )
