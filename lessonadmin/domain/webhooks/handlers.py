"""Which upload is an event about? By the passthrough, then by upload id, then by asset id; and what it says about that upload.

An event that names no known owner changes nothing: it is parked (the owner may be about to appear) or, if another
application's name is on it, ignored.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import select

from lessonadmin import mux
from lessonadmin.db import db
from lessonadmin.domain.captions import learning
from lessonadmin.domain.models import AssetDeletion, Tracking, UploadCancellation
from lessonadmin.domain.models.videos import MIGRATED
from lessonadmin.domain.videos import locking, outbox, transitions
from lessonadmin.domain.videos.locking import LockedVideo, Target
from lessonadmin.domain.videos.observations import Observation, asset_observation
from lessonadmin.domain.videos.state_machine import VideoEvent

# What each type of event means; a type that is not here is stored and ignored.
ASSET_TYPES = {
    "video.asset.created": "preparing",
    "video.asset.ready": "ready",
    "video.asset.errored": "errored",
    "video.asset.updated": None,  # whatever its data say
    "video.asset.warning": None,
    "video.asset.non_standard_input_detected": None,
    "video.asset.deleted": None,
}
TRACK_TYPES: dict[str, mux.TrackStatus] = {
    "video.asset.track.created": "preparing",
    "video.asset.track.ready": "ready",
    "video.asset.track.errored": "errored",
    "video.asset.track.skipped": "skipped",
    "video.asset.track.deleted": "deleted",
}
UPLOAD_TYPES = {
    "video.upload.asset_created": VideoEvent.ASSET_SEEN,
    "video.upload.cancelled": VideoEvent.UPLOAD_CANCELLED,
    "video.upload.errored": VideoEvent.UPLOAD_ERRORED,
}


@dataclass(frozen=True)
class EventResult:
    """What became of an event, and about which lesson or course it was."""

    outcome: str
    kind: str | None = None
    target_id: uuid.UUID | None = None


def apply_event(event: mux.Event) -> EventResult:
    """Match one event and let it happen."""
    (target,) = find_targets([event])
    return apply_to(target, event)


def apply_to(target: Target | None, event: mux.Event) -> EventResult:
    """The same where it is known already which lesson or course the event is about."""
    if not _is_known(event) or (event.type in TRACK_TYPES and target is None):
        return EventResult(
            "ignored"
        )  # of an unknown asset the captions say nothing; a known one is looked at again
    video = locking.lock_video(*target, in_trash_too=True) if target is not None else None
    if video is not None and event.type in TRACK_TYPES:
        return _apply_to_captions(video, event)
    if video is None:
        return _without_owner(event, target)
    upload = _find_upload(video, event)
    kind, owner_id = video.owner.kind, video.owner.id
    observation = observation_of(event, upload) if upload is not None else None
    if upload is None or observation is None or _of_another_asset(upload, event):
        return EventResult("unmatched", kind, owner_id)
    outcome = transitions.apply(video, upload, observation)
    learned = learning.learn(video, upload, observation)
    return EventResult("applied" if outcome == "applied" or learned else "no_change", kind, owner_id)


def _apply_to_captions(video: LockedVideo, event: mux.Event) -> EventResult:
    """The type decides how the track stands, as it does for the video."""
    transitions.ensure_tracked(video)
    upload = video.of_asset(event.asset_id or "")
    track = event.text_track
    learned = False
    if upload is not None and track is not None:
        learned = learning.learn_track(video, upload, replace(track, status=TRACK_TYPES[event.type]))
    return EventResult("applied" if learned else "no_change", video.owner.kind, video.owner.id)


def _is_known(event: mux.Event) -> bool:
    return event.type in ASSET_TYPES or event.type in UPLOAD_TYPES or event.type in TRACK_TYPES


def find_targets(events: Sequence[mux.Event]) -> list[Target | None]:
    """Which lesson or course each event is about; a few queries, however many events name none themselves."""
    named = [_named_target(event) for event in events]
    unnamed = [
        event for event, target in zip(events, named, strict=True) if target is None and _is_known(event)
    ]
    by_upload = locking.targets_by_upload_id(
        {event.upload_id for event in unnamed if event.upload_id and event.upload_id != MIGRATED}
    )
    by_asset = locking.targets_by_asset_id(
        {event.asset_id for event in unnamed if event.asset_id and event.upload_id not in by_upload}
    )
    return [
        target or by_upload.get(event.upload_id or "") or by_asset.get(event.asset_id or "")
        if _is_known(event)
        else None
        for event, target in zip(events, named, strict=True)
    ]


def _named_target(event: mux.Event) -> Target | None:
    named = event.passthrough
    if named is not None and named.lesson_id is not None:
        return "lesson", named.lesson_id
    if named is not None and named.course_id is not None:
        return "course", named.course_id
    return None


def _find_upload(video: LockedVideo, event: mux.Event) -> Tracking | None:
    named = event.passthrough
    if named is not None and named.tracking_id is not None:
        found = video.upload(named.tracking_id)
        if found is not None:
            return found
    for upload in reversed(video.uploads):
        if event.upload_id and upload.upload_id == event.upload_id:
            return upload
    if event.asset_id is None:
        return None
    transitions.ensure_tracked(video)
    found = video.of_asset(event.asset_id)
    if found is not None:
        return found
    coming = video.on_its_way
    if event.upload_id is None and coming is not None and not coming.real_asset_id:
        return coming
    return _adopt(video, event)


def _adopt(video: LockedVideo, event: mux.Event) -> Tracking | None:
    """Made at Mux with a local passthrough, by no tracked upload: taken in only where nothing else plays or is coming."""
    if video.playing is not None or video.on_its_way is not None or event.passthrough is None:
        return None
    if event.type not in ("video.asset.created", "video.asset.ready", "video.upload.asset_created"):
        return None
    policies = {found.policy for found in event.asset.playback_ids} if event.asset else set()
    upload = transitions.add_upload(
        video,
        upload_id=event.upload_id or MIGRATED,
        wanted_policy="signed" if policies == {"signed"} else "public",
    )
    transitions.supersede_others(video, to=upload)
    return upload


def _of_another_asset(upload: Tracking, event: mux.Event) -> bool:
    return bool(event.asset_id and upload.real_asset_id and upload.mux_asset_id != event.asset_id)


def observation_of(event: mux.Event, upload: Tracking) -> Observation | None:
    """What an event says about an upload. The type decides, not the snapshot's status, which may be old."""
    if event.type == "video.asset.deleted":
        return Observation(video_event=VideoEvent.ASSET_DELETED, found_by="webhook", asset_id=event.asset_id)
    if event.type in UPLOAD_TYPES:
        return Observation(
            video_event=UPLOAD_TYPES[event.type],
            found_by="webhook",
            upload_id=event.upload_id,
            asset_id=event.asset_id,
            error_message=event.upload.error_message if event.upload else None,
        )
    if event.asset is None:
        return None
    status = ASSET_TYPES[event.type] or event.asset.status
    asset = replace(event.asset, status=status)  # type: ignore[arg-type]  # one of the known words
    return asset_observation(asset, wanted_policy=upload.wanted_policy, found_by="webhook", seen=False)


def _without_owner(event: mux.Event, target: Target | None) -> EventResult:
    """No known lesson or course, or none any more: a late asset of a deleted lesson must go at Mux."""
    if event.asset_id is not None and _being_deleted(event):
        return EventResult("no_change")
    if event.asset_id is not None and event.upload_id is not None and event.type != "video.asset.deleted":
        given_up = db.session.scalar(
            select(UploadCancellation).where(UploadCancellation.upload_id == event.upload_id)
        )
        if given_up is not None:
            whose = (given_up.target_type, given_up.target_id)
            outbox.request_deletion_of_asset(event.asset_id, why="made by a cancelled upload", target=whose)
            return EventResult("applied", *whose)
    if target is None and _of_another_application(event):
        return EventResult("ignored")
    return EventResult("unmatched")


def _being_deleted(event: mux.Event) -> bool:
    leaving = db.session.scalar(
        select(AssetDeletion.id).where(AssetDeletion.mux_asset_id == event.asset_id).limit(1)
    )
    if leaving is not None and event.type == "video.asset.deleted":
        outbox.mark_asset_deleted(event.asset_id)
    elif leaving is not None and event.type in ("video.asset.ready", "video.asset.errored"):
        outbox.retry_deletion(event.asset_id)
    return leaving is not None


def _of_another_application(event: mux.Event) -> bool:
    raw = event.asset.raw_passthrough if event.asset else None
    raw = raw or (event.upload.raw_passthrough if event.upload else None)
    return bool(raw) and event.passthrough is None
