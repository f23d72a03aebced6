"""A lesson that is to be published at a time, and whose video will hardly be ready then: its instructor is told beforehand, once.

Publishes nothing and takes nothing back: what is done when the time comes stands in `videos.publication`.
"""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select

from lessonadmin.db import db, later, transaction_time
from lessonadmin.domain import school_time
from lessonadmin.domain.audit import audit_log
from lessonadmin.domain.models import Lesson
from lessonadmin.domain.uploads import estimates
from lessonadmin.domain.videos import publication
from lessonadmin.domain.videos.locking import LockedVideo

AHEAD_SECONDS = 86_400
# A person who has just set the time is about to choose the video.
QUIET_SECONDS = 1_800
MAX_ROWS = 500


def due() -> Sequence[uuid.UUID]:
    """The lessons to look at: their time comes within a day, and they cannot be played yet."""
    return db.session.scalars(
        select(Lesson.id)
        .where(
            Lesson.publish_not_before <= later(AHEAD_SECONDS),
            Lesson.publication_warned_at.is_(None),
            Lesson.publish_on_ready,
            Lesson.status == "draft",
            ~Lesson.is_playable,
        )
        .order_by(Lesson.publish_not_before)
        .limit(MAX_ROWS)
    ).all()


def warn(video: LockedVideo) -> bool:
    """Tell the instructor if the video will hardly be ready; True if that was done."""
    lesson = video.owner
    if not isinstance(lesson, Lesson) or not _at_risk(lesson, transaction_time()):
        return False
    lesson.publication_warned_at = transaction_time()
    at = school_time.in_words(lesson.publish_not_before)  # type: ignore[arg-type]  # it is at risk of missing it
    why = publication.why_not(lesson, first=False)
    audit_log.record("lesson.publication_at_risk", lesson, why=why)
    said = f"“{lesson.title}” is to be published on {at}, but {why} {_what_then(lesson)}"
    audit_log.notify("publication_time", lesson, said, cause="publication_at_risk")
    return True


def _at_risk(lesson: Lesson, now: datetime) -> bool:
    at = lesson.publish_not_before
    waits = publication.publishes_by_itself(lesson) and not lesson.is_playable
    if at is None or not waits or lesson.publication_warned_at is not None or at <= now:
        return False
    if lesson.video_processing_status == "processing":
        guess = estimates.of(lesson)
        return guess is not None and now + timedelta(seconds=guess.left) > at
    if at - now > timedelta(seconds=AHEAD_SECONDS):
        return False
    left = (at - now).total_seconds()
    return (now - lesson.updated_at).total_seconds() >= min(QUIET_SECONDS, left)


def _what_then(lesson: Lesson) -> str:
    if lesson.video_processing_status == "processing":
        return "That takes longer than the time that is left; it is published as soon as it is ready."
    return "Upload it now, or choose another time."
