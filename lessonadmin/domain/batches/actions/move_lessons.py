"""Put a lesson at the end of a course, or take it out of its course; and its undo, which puts it back to its place.

Whether the course may have it is asked for each lesson, under the lock of both: it may be in the trash, or another instructor's, since.
"""

import uuid
from collections.abc import Mapping

from sqlalchemy import ColumnElement, case, literal

from lessonadmin.domain import permissions
from lessonadmin.domain.batches import before, results
from lessonadmin.domain.batches.before import BEFORE
from lessonadmin.domain.batches.results import Result
from lessonadmin.domain.errors import Invalid
from lessonadmin.domain.lessons import course_lists, lessons
from lessonadmin.domain.lessons.lessons import Changes
from lessonadmin.domain.lessons.sections.places import Place
from lessonadmin.domain.models import Lesson, User
from lessonadmin.domain.videos import locking
from lessonadmin.text.ids import as_id

COURSE = "course_id"
PLACE = "place"


def chosen(user: User, text: str) -> dict[str, object]:
    """The option out of the choice in a form; Invalid for what is no course of theirs. No course is a choice, too."""
    course_id = course_lists.chosen(text)
    if course_id is None:
        return {COURSE: None}
    return {COURSE: str(lessons.course_of(user, course_id).id)}


def _course(options: Mapping[str, object]) -> uuid.UUID | None:
    return as_id(str(options.get(COURSE) or ""))


def verdict(options: Mapping[str, object]) -> ColumnElement[str]:
    course_id = _course(options)
    if course_id is None:
        return case((Lesson.course_id.is_(None), "in_no_course"), else_=literal("takes_out"))
    return case((Lesson.course_id == course_id, "in_course_already"), else_=literal("moves"))


def move(lesson_id: uuid.UUID, options: Mapping[str, object]) -> Result:
    video, user = locking.lock_video("lesson", lesson_id), permissions.acting_user()
    if video is None or user is None or not isinstance(video.owner, Lesson):
        return results.of("missing")
    course_id, lesson = _course(options), video.owner
    if lesson.course_id == course_id:
        return results.of("in_course_already" if course_id else "in_no_course")
    was = {**before.of(lesson), COURSE: _text(lesson.course_id), PLACE: Place.of(lesson).as_json()}
    try:
        lessons.edit(user, lesson_id, Changes(course_id=course_id))
    except Invalid:
        return results.of("course_gone")
    return results.of("moves" if course_id else "takes_out", before=was)


def restore(lesson_id: uuid.UUID, options: Mapping[str, object]) -> Result:
    """Back to the course and the place that it had in it."""
    video, user, stored = (
        locking.lock_video("lesson", lesson_id),
        permissions.acting_user(),
        options.get(BEFORE),
    )
    if video is None or user is None or not isinstance(video.owner, Lesson):
        return results.of("missing")
    place = stored.get(PLACE) if isinstance(stored, Mapping) else None
    if not isinstance(place, Mapping):
        return results.of("not_recorded")
    wanted = Place.from_json(place)
    if Place.of(video.owner) == wanted:
        return results.of("as_before")
    try:
        lessons.put_back(user, lesson_id, wanted)
    except Invalid:
        return results.of("course_gone")
    return results.of("restores_place")


def _text(course_id: uuid.UUID | None) -> str | None:
    return str(course_id) if course_id is not None else None
