"""Lessons and courses by what is typed: their own words, the title of their course, the name of their instructor.

What has every word, each from its beginning, comes first; then what has them as parts of words, without their accents, in
the title of the course or in the instructor's name. Words with a wrong letter are tried only if that finds nothing.
Nothing that is typed raises. Who may see what is found is decided by the caller, with conditions.
"""

import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, Uuid, and_, any_, cast, exists, func, or_, select, text
from sqlalchemy.dialects.postgresql import ARRAY

from lessonadmin.database import row_access
from lessonadmin.db import db
from lessonadmin.domain.models import Course, Lesson, User
from lessonadmin.domain.querying import bounded_count, full_text, similar_words
from lessonadmin.domain.querying.similar_words import Word

MAX_BESIDE = 1_000  # courses, or instructors, whose lessons a word finds
Kind = type[Lesson] | type[Course]
Conditions = Sequence[ColumnElement[bool]]
Spoken = Callable[[], ColumnElement[bool] | None]


@dataclass(frozen=True)
class Found:
    """What was found, in order; `similar`: only with words that differ by a letter."""

    ids: list[uuid.UUID]
    similar: bool = False


def ranked(
    kind: Kind,
    typed: str,
    among: Conditions,
    order: Sequence[Any],
    most: int,
    *,
    spoken: Spoken | None = None,
) -> Found:
    """The first so many, what fits best first, and then in the order that is given. `spoken`: lessons in whose videos it is said, which
    come after those that have it in writing, and are looked for only where these are too few."""
    bounded_count.plan_by_values()
    with row_access.everything():  # its index answers no statement that policies narrow; ids are all it gives
        return _ranked(kind, typed, among, order, most, spoken)


def _ranked(
    kind: Kind,
    typed: str,
    among: Conditions,
    order: Sequence[Any],
    most: int,
    spoken: Spoken | None,
) -> Found:
    ids: list[uuid.UUID] = []
    for stage, is_similar in _stages(kind, typed, spoken):
        if len(ids) >= most or (is_similar and ids):
            break
        rows = select(kind.id).where(*among, *bounded_count.narrowed(kind.id, [stage], most))
        ids += db.session.scalars(rows.where(kind.id.not_in(ids)).order_by(*order).limit(most - len(ids)))
        if is_similar:
            return Found(ids, bool(ids))
    return Found(ids)


def condition(
    kind: Kind, typed: str, among: Conditions, *, spoken: ColumnElement[bool] | None = None
) -> ColumnElement[bool] | None:
    """For a list in an order of its own; None for an empty box."""
    exact = full_text.matches(kind.search, typed)
    if exact is not None and spoken is not None:
        exact = or_(exact, spoken)
    words = similar_words.containing(typed)
    if exact is None or not words:
        return exact
    with row_access.everything():  # as in `ranked`
        as_typed = or_(exact, _every_word(kind, words))
        if db.session.scalar(select(exists().where(*among, as_typed))):
            return as_typed
        return _every_word(kind, similar_words.similar(words))


def _stages(kind: Kind, typed: str, spoken: Spoken | None) -> Iterator[tuple[ColumnElement[bool], bool]]:
    """Conditions, and whether they are about words with a wrong letter."""
    exact = full_text.matches(kind.search, typed)
    if exact is None:
        return
    yield exact, False
    words = similar_words.containing(typed)
    if words:
        yield _every_word(kind, words), False
    said = spoken() if spoken is not None else None
    if said is not None:
        yield said, False
    if words:
        yield _every_word(kind, similar_words.similar(words)), True


def _every_word(kind: Kind, words: Sequence[Word]) -> ColumnElement[bool]:
    queries = [word.query for word in words]
    asked = [part for query in queries for part in (_instructors(query), _courses(query))]
    beside = db.session.execute(select(*asked)).one()
    return and_(
        *(
            or_(*_places(kind, query, instructors, courses))
            for query, instructors, courses in zip(queries, beside[::2], beside[1::2], strict=True)
        )
    )


def _places(
    kind: Kind, query: ColumnElement[object], instructors: list[uuid.UUID], courses: list[uuid.UUID]
) -> Iterator[ColumnElement[bool]]:
    """Where a word may stand. Courses and instructors are named by their ids, so that PostgreSQL knows how few they are."""
    yield kind.search.op("@@")(query)
    if instructors:
        yield _one_of(Lesson.creator_id if kind is Lesson else Course.instructor_id, instructors)
    if courses and kind is Lesson:
        yield _one_of(Lesson.course_id, courses)


def _instructors(query: ColumnElement[object]) -> ColumnElement[Any]:
    name = func.to_tsvector(text("'simple'"), User.name)
    return _few(select(User.id).where(name.op("@@")(query), User.role != text("'student'")))


def _courses(query: ColumnElement[object]) -> ColumnElement[Any]:
    """Those that have the word in their title."""
    title = func.to_tsvector(text("'simple'"), func.translate(Course.title, "/.:-_@", " " * 6))
    return _few(select(Course.id).where(Course.search.op("@@")(query), title.op("@@")(query)))


def _few(ids: Select[Any]) -> ColumnElement[Any]:
    return func.array(ids.limit(MAX_BESIDE).scalar_subquery(), type_=ARRAY(Uuid))


def _one_of(key: Any, ids: list[uuid.UUID]) -> ColumnElement[bool]:
    found: ColumnElement[bool] = key == any_(cast(ids, ARRAY(Uuid)))
    return found
