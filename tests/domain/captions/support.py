"""Lessons with captions in any state, and how they stand."""

from typing import Any

from sqlalchemy import select

from lessonadmin.db import CLI, db, transaction
from lessonadmin.domain.captions import transcripts
from lessonadmin.domain.models import CaptionTrack, Lesson, Tracking
from lessonadmin.domain.videos import video_status
from lessonadmin.domain.videos.video_status import Captions
from lessonadmin.text.subtitles import Cue, Subtitles
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


def transcribed(text: str, *, lesson: Lesson | None = None, source: str = "generated", **more: Any) -> Lesson:
    """A lesson in whose video this is said."""
    lesson = lesson or make_playing_lesson(**more)
    with transaction(CLI):
        upload = db.session.scalars(select(Tracking).where(Tracking.lesson_id == lesson.id)).one()
        track = CaptionTrack(tracking_id=upload.id, source=source, state="ready", language="en")
        track.mux_track_id = f"{source} track of {lesson.id}"
        keep(track)
        transcripts.keep(track, upload, Subtitles([Cue(0, 1000, text, 1)]))
    return lesson
