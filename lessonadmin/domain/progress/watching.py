"""Where a user is in the video of a lesson: what the player tells is stored, and the next visit goes on there.

The clock of a browser is never asked: of two reports the one that reached this server later counts, also when the database
takes them in the other order. A position belongs to the length of its video, so another video of another length
starts anew, and a page that still plays the former one is refused.
"""

import uuid

from sqlalchemy import ColumnElement, and_, case, func, or_
from sqlalchemy.dialects.postgresql import insert

from lessonadmin.db import db
from lessonadmin.domain import permissions
from lessonadmin.domain.accounts import rate_limits
from lessonadmin.domain.errors import Conflict
from lessonadmin.domain.models import Lesson, LessonProgress, User

DONE_PART = 0.9  # of the video: what passes it is done
FIRST_SECONDS, LAST_PART = 10, 0.95  # before and after these a visit starts at the beginning
# Players and Mux do not measure the length of a video alike.
SAME_SECONDS, SAME_PART = 2, 0.02


def report(user: User, lesson_id: uuid.UUID, *, seconds: float, duration: float) -> LessonProgress | None:
    """The player is here in a video of this length. None if a later report is stored already."""
    lesson = permissions.lesson_to_play(user, lesson_id)
    if not lesson.is_playable:
        raise Conflict("not_ready", "This video cannot be played yet.")
    length = lesson.video_duration or duration
    if not _is_same_length(length, duration):
        raise Conflict("other_video", "This lesson has another video now. Reload the page to watch it.")
    rate_limits.report_progress(user.id)
    return _store(user.id, lesson.id, min(seconds, length), length)


def _store(user_id: uuid.UUID, lesson_id: uuid.UUID, seconds: float, length: float) -> LessonProgress | None:
    # now() is the moment at which the transaction began: a report that waits for the lock of another is not made newer by that
    passes = seconds >= DONE_PART * length
    new = insert(LessonProgress).values(
        user_id=user_id,
        lesson_id=lesson_id,
        seconds=seconds,
        duration=length,
        done_at=func.now() if passes else None,
        updated_at=func.now(),
    )
    stored = new.on_conflict_do_update(
        index_elements=[LessonProgress.user_id, LessonProgress.lesson_id],
        set_={
            "seconds": new.excluded.seconds,
            "duration": new.excluded.duration,
            "done_at": case(
                (
                    and_(LessonProgress.done_at.is_(None), _was_before(length)),
                    new.excluded.done_at,
                ),
                else_=LessonProgress.done_at,
            ),
            "updated_at": new.excluded.updated_at,
        },
        where=LessonProgress.updated_at <= new.excluded.updated_at,
    ).returning(LessonProgress)
    return db.session.scalar(stored, execution_options={"populate_existing": True})


def _was_before(length: float) -> ColumnElement[bool]:
    """It had not passed DONE_PART yet: after a person has said that it is not done, only passing it once more says otherwise."""
    apart = func.abs(LessonProgress.duration - length)
    return or_(
        LessonProgress.seconds < DONE_PART * LessonProgress.duration,
        apart > func.greatest(SAME_SECONDS, SAME_PART * LessonProgress.duration),
    )


def _is_same_length(one: float, other: float) -> bool:
    return abs(one - other) <= max(SAME_SECONDS, SAME_PART * one)


def going_on(lesson: Lesson, *, seconds: float, duration: float) -> float | None:
    """The second at which the video of this lesson goes on for a user who was there; None: at its beginning."""
    if not FIRST_SECONDS < seconds < LAST_PART * duration:
        return None
    same = lesson.video_duration is None or _is_same_length(duration, lesson.video_duration)
    return seconds if same else None
