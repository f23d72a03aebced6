"""Lessons with captions in any state, and how they stand."""

from typing import Any

from sqlalchemy import select

from lessonadmin.db import CLI, db, transaction
from lessonadmin.domain.models import CaptionTrack, Lesson, Tracking
from lessonadmin.domain.videos import video_status
from lessonadmin.domain.videos.video_status import Captions
from tests.factories import keep, make_playing_lesson


def captioned(state: str, *, language: str = "en", **more: Any) -> Lesson:
    """A lesson whose video plays, with one track in this state."""
    lesson = make_playing_lesson(**more)
    with transaction(CLI):
        upload = db.session.scalars(select(Tracking).where(Tracking.lesson_id == lesson.id)).one()
        word = {"asked": "preparing", "deleted": "none"}.get(state, state)
        upload.captions, upload.captions_language = word, language
        columns = {"source": "generated", "state": state, "language": language}
        keep(CaptionTrack(tracking_id=upload.id, mux_track_id=f"track of {lesson.id}", **columns))
    return lesson


def captions(lesson: Lesson) -> Captions:
    db.session.rollback()
    return video_status.of(lesson).captions


def tracks() -> list[CaptionTrack]:
    db.session.rollback()
    wanted = select(CaptionTrack).order_by(CaptionTrack.created_at)
    return list(db.session.scalars(wanted.execution_options(populate_existing=True)))


def given_captions(lesson: Lesson) -> CaptionTrack:
    """The one track of this lesson."""
    of_lesson = Tracking.id == CaptionTrack.tracking_id, Tracking.lesson_id == lesson.id
    return db.session.scalars(select(CaptionTrack).join(Tracking, of_lesson[0]).where(of_lesson[1])).one()
