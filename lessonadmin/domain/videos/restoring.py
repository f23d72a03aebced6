"""Bringing a removed video back while Mux still has it, for a page and for the undo of a bulk action alike.

What the lesson was is written down with the removed upload. A removed video never takes the place of another one: while one
plays or is on its way it stays removed, and comes back when that is gone. A lesson is published again only if it was
published, and not if a person has changed that since.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, select

from lessonadmin.db import actor, db
from lessonadmin.domain import permissions
from lessonadmin.domain.errors import Conflict
from lessonadmin.domain.models import AssetDeletion, Kind, Lesson, Owner, Tracking, owners
from lessonadmin.domain.videos import locking, outbox, publication, transitions
from lessonadmin.domain.videos.locking import LockedVideo
from lessonadmin.domain.videos.observations import Observation
from lessonadmin.domain.videos.publication import Publication
from lessonadmin.domain.videos.state_machine import VideoEvent

REMOVED = Publication("draft", None, False)


@dataclass(frozen=True)
class Removed:
    """A removed video that can be restored, and until when."""

    asset_id: str
    filename: str
    removed_at: datetime
    until: datetime


def remember(video: LockedVideo, upload: Tracking) -> None:
    """Write down what the lesson is, before this video of it is taken away."""
    state: dict[str, object] = {"upload": upload.status}
    if isinstance(video.owner, Lesson):
        state |= publication.state_of(video.owner).as_json()
    upload.before_removal = state


def waits_for_its_time() -> ColumnElement[bool]:
    """A deletion in its grace time, so that the asset is at Mux for sure."""
    return (
        AssetDeletion.done_at.is_(None)
        & (AssetDeletion.attempts == 0)
        & AssetDeletion.lease_token.is_(None)
        & (AssetDeletion.due_at > func.clock_timestamp())
    )


def removed(kind: Kind, owner_id: uuid.UUID) -> Removed | None:
    """The video that a person removed last and that can be restored. Read without a lock."""
    found = db.session.execute(
        select(Tracking.mux_asset_id, Tracking.filename, AssetDeletion.requested_at, AssetDeletion.due_at)
        .join(AssetDeletion, AssetDeletion.mux_asset_id == Tracking.mux_asset_id)
        .where(
            owners.COLUMNS[kind] == owner_id,
            Tracking.status == "deleting",
            Tracking.before_removal.is_not(None),
            waits_for_its_time(),
        )
        .order_by(AssetDeletion.requested_at.desc(), AssetDeletion.id.desc())
        .limit(1)
    ).first()
    return Removed(found[0] or "", *found[1:]) if found is not None else None


def restore_removed(owner: Owner) -> None:
    """Bring the removed video of one lesson or course back; Conflict if that cannot be."""
    if not restore(owner.kind, owner.id):
        raise Conflict(
            "cannot_restore",
            "The video can't be restored: it is deleted at Mux, or another video has taken its place.",
        )


def restore(kind: Kind, owner_id: uuid.UUID) -> bool:
    """Withdraw the deletion and take the video back, with the publication that it had; False if it is too late.

    What was removed everywhere comes back everywhere: a row that waited for its deletion would wait for ever.
    """
    before = removed(kind, owner_id)
    if before is None:
        return False
    locked = locking.lock_all({(kind, owner_id)}, {before.asset_id})
    video = locked.get((kind, owner_id))
    if video is None or video.in_trash or not _is_free(video):
        return False
    if actor().type == "user":
        for one in locked.values():
            permissions.still_theirs(one.owner, in_trash_too=True)
    if not outbox.withdraw_deletion(before.asset_id):
        return False
    for one in locked.values():
        _bring_back(one, before.asset_id)
    return True


def _is_free(video: LockedVideo) -> bool:
    return video.playing is None and video.on_its_way is None


def _bring_back(video: LockedVideo, asset_id: str) -> None:
    gone = [one for one in video.uploads if one.mux_asset_id == asset_id and one.status == "deleting"]
    old = gone[-1] if gone else None
    if old is not None and _is_free(video):
        state = old.before_removal or {}
        transitions.restore_asset(video, old, plays=state.get("upload") == "ready")
        if isinstance(video.owner, Lesson) and "status" in state:
            _publish_as_before(video.owner, state)
        return
    for upload in gone:
        transitions.apply(video, upload, Observation(video_event=VideoEvent.LET_GO))


def _publish_as_before(lesson: Lesson, state: Mapping[str, object]) -> None:
    """What a person has decided about its publication since, stays."""
    before = Publication.from_json(state)
    if publication.state_of(lesson) != REMOVED:
        if lesson.is_playable and publication.publishes_by_itself(lesson):
            publication.publish(lesson, by_itself=True)
    elif before.status == "published" and not lesson.is_playable:
        publication.request(lesson)
    else:
        publication.restore(lesson, before)
