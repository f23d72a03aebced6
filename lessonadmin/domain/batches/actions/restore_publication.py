"""Restore the publication that a lesson had before a bulk action: the undo of publish, unpublish and republish.

What it was comes from the undone batch; whether it was changed since is decided before (`batches.undo`). A lesson is
published again only with the video that it had.
"""

import uuid
from collections.abc import Mapping

from sqlalchemy import ColumnElement, literal

from lessonadmin.domain.batches import results
from lessonadmin.domain.batches.before import BEFORE
from lessonadmin.domain.batches.results import Result
from lessonadmin.domain.models import Lesson
from lessonadmin.domain.videos import locking, publication
from lessonadmin.domain.videos.locking import LockedVideo
from lessonadmin.domain.videos.publication import Publication
from lessonadmin.text.temporary_ids import is_temporary


def verdict() -> ColumnElement[str]:
    """Without an undone batch nothing is known to restore."""
    return literal("not_recorded")


def restore(lesson_id: uuid.UUID, options: Mapping[str, object]) -> Result:
    video, stored = locking.lock_video("lesson", lesson_id), options.get(BEFORE)
    if video is None or not isinstance(video.owner, Lesson):
        return results.of("missing")
    if not isinstance(stored, Mapping):
        return results.of("not_recorded")
    return _restore(video, video.owner, stored)


def _restore(video: LockedVideo, lesson: Lesson, stored: Mapping[str, object]) -> Result:
    before = Publication.from_json(stored)
    if publication.state_of(lesson) == before:
        return results.of("as_before")
    if before.status == "published" and not lesson.is_playable:
        return results.of("video_gone")
    if before.status == "published" and _has_other_video(lesson, stored.get("asset_id")):
        return results.of("other_video")
    # Did its video become ready while it was a draft without the intent to publish, by mistake?
    missed = lesson.status == "draft" and lesson.is_playable and not stored.get("plays")
    publication.restore(lesson, before)
    if missed and publication.publishes_by_itself(lesson):
        publication.publish(lesson, by_itself=True, tracking=video.playing)
        return results.of("publishes_after_all")
    return results.of("restores_publication")


def _has_other_video(lesson: Lesson, asset_id: object) -> bool:
    """A temporary id may have become the true one of the same video."""
    known = isinstance(asset_id, str) and not is_temporary(asset_id)
    return known and lesson.mux_asset_id != asset_id
