"""Many files at once: the lessons of such a page whose file is still missing, and those that an open page follows.

Only reads. A lesson counts as missing its file while Mux waits for the file or the rest of it, or when a client made it with a key of
its own and no upload has begun. Which file that is, the browser remembers.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import and_, or_, select

from lessonadmin import config
from lessonadmin.db import db, later
from lessonadmin.domain import permissions
from lessonadmin.domain.models import Lesson, User
from lessonadmin.domain.videos import video_status
from lessonadmin.domain.videos.video_status import VideoStatus

MAX_FILES = 50
SENT_AT_ONCE = 2
MAX_FOLLOWED = 200


@dataclass(frozen=True)
class Followed:
    """Lessons with how their videos stand."""

    lessons: Sequence[Lesson]
    states: Mapping[uuid.UUID, VideoStatus]


def without_file(user: User, course_id: uuid.UUID | None) -> Followed:
    """What this user began in this course, or without one, and can go on with: in the order of the course."""
    young = Lesson.created_at > later(-config.current().upload_timeout_seconds)
    none_yet = and_(Lesson.video_processing_status == "none", Lesson.client_key.is_not(None), young)
    found = db.session.scalars(
        select(Lesson)
        .where(
            Lesson.creator_id == user.id,
            Lesson.course_id == course_id,
            or_(Lesson.video_processing_status == "uploading", none_yet),
        )
        .order_by(Lesson.position, Lesson.id)
        .limit(MAX_FOLLOWED)
    ).all()
    states = video_status.of_many(found)
    return Followed([one for one in found if _lacks_file(states[one.id])], states)


def _lacks_file(state: VideoStatus) -> bool:
    return state.waiting is not None or state.status == "none"


def usual_price(user: User, course_id: uuid.UUID | None) -> int | None:
    """What this user decided last for a lesson of this course, else for any: the price of one that is published or is to be. None: nothing yet."""
    decided = (
        select(Lesson.price_cents)
        .where(Lesson.creator_id == user.id, or_(Lesson.status == "published", Lesson.publish_on_ready))
        .order_by(Lesson.id.desc())
        .limit(1)
    )
    for query in (decided.where(Lesson.course_id == course_id), decided) if course_id else (decided,):
        found = db.session.scalar(query)
        if found is not None:
            return found
    return None


def followed(user: User, lesson_ids: Sequence[uuid.UUID]) -> Followed:
    """Those of these lessons that this user may change; the others are left out."""
    wanted = select(Lesson).where(Lesson.id.in_(lesson_ids[:MAX_FOLLOWED])).order_by(Lesson.id)
    found = [one for one in db.session.scalars(wanted) if permissions.owns(user, one)]
    return Followed(found, video_status.of_many(found))
