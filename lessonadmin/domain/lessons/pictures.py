"""The picture of a lesson or a course: a moment of its own video, which its instructor chooses in the player.

Nothing is written to Mux, which makes a still of any moment. The moment belongs to the video in which it was chosen: another one is shown by
the picture that Mux chooses, and with an undo the picture comes back, too. Where a picture is served stands in `domain.thumbnails`.

A course without a preview that plays has the picture of one of its lessons: the one that was chosen, else the first. Only of lessons that students
see, and never of one whose address would open a video that is paid for.
"""

import math
import re
import uuid
from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, false, func, or_, select
from sqlalchemy.dialects.postgresql import distinct_on

from lessonadmin.db import db
from lessonadmin.domain import permissions, thumbnails
from lessonadmin.domain.audit import audit_log
from lessonadmin.domain.errors import Conflict, Invalid
from lessonadmin.domain.models import Course, CourseSection, Lesson, Owner
from lessonadmin.domain.videos import locking

FIELD = "seconds"
MAX_CHOICES = 500
# Lessons without a section stand before all sections.
IN_ORDER = (CourseSection.position.asc().nulls_first(), CourseSection.id, Lesson.position, Lesson.id)
MOMENT = re.compile(r"\d{1,7}(\.\d{1,9})?", re.ASCII)


def read_moment(text: str) -> float:
    """Seconds from the beginning, as a player tells them; raises Invalid for anything else."""
    if MOMENT.fullmatch(text) is None:
        raise Invalid.field(FIELD, "Choose a moment of the video.")
    return float(text)


def choose(owner: Owner, seconds: float | None) -> bool:
    """The picture is this moment from now on, or with None the one that Mux chooses; False if it is that already."""
    video = locking.lock_video_of(owner)
    owner = video.owner
    if not owner.is_playable:
        raise Conflict("no_video", "The video does not play at the moment, so no picture can be chosen.")
    if seconds is not None:
        # a tenth of a second is finer than pictures follow each other in the list of a player, and the last one is a picture, too
        seconds = math.floor(min(seconds, owner.video_duration or seconds) * 10) / 10
    if seconds == owner.picture_at:
        return False
    before = owner.picture_at
    owner.picture_seconds = seconds
    owner.picture_asset_id = owner.mux_asset_id if seconds is not None else None
    audit_log.record("video.picture_chosen", owner, before={FIELD: before}, after={FIELD: seconds})
    return True


def _may_cover() -> ColumnElement[bool]:
    """Of a lesson: each student may be shown its picture. The address of a public video's picture has its playback id, and with that
    the whole video could be watched; a signed one plays with its token alone."""
    return permissions.on_sale() & or_(Lesson.playback_policy == "signed", Lesson.price_cents == 0)


def _in_section() -> ColumnElement[bool]:
    """A section of another course counts as none, as in `sections.places`."""
    return and_(CourseSection.id == Lesson.section_id, CourseSection.course_id == Lesson.course_id)


def covering(courses: Sequence[Course]) -> dict[uuid.UUID, Lesson]:
    """The lesson whose picture each course has; none where its own preview plays, or no lesson may. One query for a page of courses."""
    ids = [course.id for course in courses if not course.is_playable]
    if not ids:
        return {}
    is_chosen = func.coalesce(Lesson.id == Course.cover_lesson_id, false())
    found = db.session.scalars(
        select(Lesson)
        .join(Course, Course.id == Lesson.course_id)
        .outerjoin(CourseSection, _in_section())
        .where(Lesson.course_id.in_(ids), _may_cover())
        .ext(distinct_on(Lesson.course_id))
        .order_by(Lesson.course_id, is_chosen.desc(), *IN_ORDER)
        .execution_options(populate_existing=True)
    )
    return {lesson.course_id: lesson for lesson in found if lesson.course_id is not None}


def covers(courses: Sequence[Course], *, width: int, height: int) -> dict[uuid.UUID, str | None]:
    """The picture of each course, as every user who sees the course is shown it."""
    lessons = covering(courses)
    return {
        course.id: thumbnails.thumbnail(lessons.get(course.id, course), width=width, height=height)
        for course in courses
    }


def may_cover(course: Course) -> list[Lesson]:
    """The lessons that can be chosen, in their order."""
    found = select(Lesson).outerjoin(CourseSection, _in_section())
    found = found.where(Lesson.course_id == course.id, _may_cover())
    return list(db.session.scalars(found.order_by(*IN_ORDER).limit(MAX_CHOICES)))
