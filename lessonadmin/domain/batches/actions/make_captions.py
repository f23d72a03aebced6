"""Make captions for one lesson of a bulk action, and the same verdict as SQL for the preview.

In the language of its course, or Mux finds it out. Where captions are there, or are being made, nothing is asked for; each lesson is told to Mux by its own row later
(`captions.carrying_out`), within the budget of background work.
"""

import uuid

from sqlalchemy import ColumnElement, case, exists, literal

from lessonadmin import mux
from lessonadmin.domain.batches import results
from lessonadmin.domain.batches.results import Result
from lessonadmin.domain.captions import asking, learning, track_states
from lessonadmin.domain.models import CaptionTrack, Lesson, Tracking
from lessonadmin.domain.videos import locking


def verdict() -> ColumnElement[str]:
    playing = Tracking.lesson_id == Lesson.id, Tracking.plays
    live = exists().where(
        *playing,
        CaptionTrack.tracking_id == Tracking.id,
        CaptionTrack.source == "generated",
        CaptionTrack.state.in_(sorted(track_states.LIVE)),
    )
    return case(
        (live.correlate(Lesson), literal("captions_there")),
        (
            exists().where(*playing, ~Tracking.has_temporary_asset).correlate(Lesson),
            literal("makes_captions"),
        ),
        else_=literal("no_video"),
    )


def make(lesson_id: uuid.UUID) -> Result:
    """Safe to repeat."""
    video = locking.lock_video("lesson", lesson_id)
    if video is None:
        return results.of("missing")
    upload = video.playing
    if upload is None or upload.real_asset_id is None:
        return results.of("no_video")
    tracks = learning.of_upload(upload)
    if (why := asking.why_not_made(tracks, mux.AUTOMATIC)) is not None:
        return results.of(why)
    asking.ask_for(video, upload, tracks, asking.language_of(video.owner) or mux.AUTOMATIC)
    return results.of("makes_captions")
