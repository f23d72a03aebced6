"""Mux's data beside the local row, read at a user's request. Changes nothing.

`look` asks (no transaction stays open meanwhile), `compare` puts the answer beside the local columns. What the difference
means is for `diagnose` to say.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from lessonadmin import mux
from lessonadmin.db import db
from lessonadmin.domain.models import Kind, Owner, Tracking
from lessonadmin.domain.models.videos import MIGRATED
from lessonadmin.domain.polling import environment
from lessonadmin.domain.videos import locking
from lessonadmin.domain.videos.locking import LockedVideo


@dataclass(frozen=True)
class Look:
    """Mux's answer about one video, as far as it gave one. `error` is why nothing (more) is known; `strange` says
    that this token is of another environment than the local videos."""

    asset_id: str | None = None
    upload_id: str | None = None
    asset: mux.Asset | None = None
    upload: mux.Upload | None = None
    asset_gone: bool = False
    upload_gone: bool = False
    error: mux.MuxError | None = None
    strange: bool = False

    @property
    def answered(self) -> bool:
        return self.error is None


@dataclass(frozen=True)
class Compared:
    """One line of the side by side. `agrees` is None where there is nothing to compare."""

    field: str
    ours: str | None
    theirs: str | None
    agrees: bool | None


@dataclass(frozen=True)
class _Ids:
    asset_id: str | None
    upload_id: str | None


def look(kind: Kind, target_id: uuid.UUID, *, priority: mux.Priority = "high") -> Look:
    """Ask Mux about the video of a lesson or course; never raises for what Mux answers."""
    ids = _ids(kind, target_id)
    db.session.rollback()
    try:
        return _ask(ids, priority)
    except mux.MuxError as error:
        return Look(asset_id=ids.asset_id, upload_id=ids.upload_id, error=error)


def _ids(kind: Kind, target_id: uuid.UUID) -> _Ids:
    owner = locking.find_owner(kind, target_id)
    if owner is None:
        return _Ids(None, None)
    video = locking.read_video(owner)
    upload = video.watched
    upload_id = upload.upload_id if upload is not None and upload.upload_id != MIGRATED else None
    asset_id = upload.real_asset_id if upload is not None else None
    if upload is video.shown and not owner.has_temporary_asset:
        asset_id = asset_id or owner.mux_asset_id  # never that of another video that plays beside it
    return _Ids(asset_id, upload_id)


def _ask(ids: _Ids, priority: mux.Priority) -> Look:
    mux_upload, upload_gone = None, False
    if ids.upload_id:
        try:
            mux_upload = mux.get_upload(ids.upload_id, priority=priority)
        except mux.Gone:
            upload_gone = True
    asset_id = ids.asset_id or (mux_upload.asset_id if mux_upload is not None else None)
    asset, asset_gone = None, False
    if asset_id:
        try:
            asset = mux.get_asset(asset_id, priority=priority)
        except mux.Gone:
            asset_gone = True
    gone = asset_gone or (upload_gone and asset is None)
    return Look(
        asset_id=asset_id,
        upload_id=ids.upload_id,
        asset=asset,
        upload=mux_upload,
        asset_gone=asset_gone,
        upload_gone=upload_gone,
        strange=gone and environment.is_another(priority),
    )


def compare(owner: Owner, found: Look, uploads: Sequence[Tracking]) -> list[Compared]:
    """Line by line, local and Mux's; empty where Mux gave no answer. `uploads`: every one, oldest first."""
    if not found.answered:
        return []
    video = LockedVideo(owner, list(uploads))
    upload, ours = video.watched, _ours(video)
    wanted = upload.wanted_policy if upload is not None else (owner.playback_policy or "public")
    asset = found.asset
    theirs_id = _playback_id(asset, ours.playback_id, wanted)
    return [
        _line("Upload id", found.upload_id, found.upload.id if found.upload else None),
        _line("Upload", _our_upload(upload), _their_upload(found), same=_uploads_agree(upload, found)),
        _line("Asset id", upload.mux_asset_id if upload else owner.mux_asset_id, asset.id if asset else None),
        _line("Video", ours.status, _their_video(found), same=_videos_agree(ours.status, found)),
        _line("Playback id", ours.playback_id, theirs_id),
        _line("Policy", ours.policy, _policies(asset), same=_policies_agree(ours.policy, asset)),
        _line("Duration", _seconds(ours.duration), _seconds(asset.duration if asset else None)),
        _line("Progress", _percent(upload.progress if upload else None), _percent(asset.progress if asset else None), same=None),
        _line("Error", ours.error, asset.error_message if asset else None),
        _line("Made for", str(owner.id), _named(found)),
    ]  # fmt: skip


@dataclass(frozen=True)
class _Ours:
    """What the local rows say of the video that Mux was asked about."""

    status: str
    playback_id: str | None
    policy: str | None
    duration: float | None
    error: str | None


def _ours(video: LockedVideo) -> _Ours:
    """What users see; of a new video beside one that plays, what its own upload says."""
    upload, owner = video.watched, video.owner
    if upload is not None and upload is not video.shown:
        return _Ours(
            upload.status,
            upload.mux_playback_id,
            upload.playback_policy,
            upload.duration,
            upload.error_message,
        )
    return _Ours(
        owner.video_processing_status,
        owner.mux_playback_id,
        owner.playback_policy,
        owner.video_duration,
        owner.video_error_message,
    )


UNDECIDED = object()


def _line(field: str, ours: str | None, theirs: str | None, *, same: object = UNDECIDED) -> Compared:
    if same is UNDECIDED:
        same = None if ours is None and theirs is None else ours == theirs
    return Compared(field, ours, theirs, same if isinstance(same, bool) else None)


def _playback_id(asset: mux.Asset | None, ours: str | None, wanted: str) -> str | None:
    ids = asset.playback_ids if asset is not None and asset.status == "ready" else ()
    if any(one.id == ours for one in ids):
        return ours
    found = asset.playback_id_for(wanted) if asset is not None and ids else None
    return found or (ids[0].id if ids else None)


def _policies(asset: mux.Asset | None) -> str | None:
    return (
        ", ".join(sorted({one.policy for one in asset.playback_ids})) or None if asset is not None else None
    )


def _policies_agree(ours: str | None, asset: mux.Asset | None) -> bool | None:
    if ours is None or asset is None:
        return None
    return any(one.policy == ours for one in asset.playback_ids)


def _our_upload(upload: Tracking | None) -> str | None:
    return upload.status if upload is not None and upload.upload_id != MIGRATED else None


def _their_upload(found: Look) -> str | None:
    if found.upload is not None:
        return found.upload.status
    return "unknown at Mux" if found.upload_gone else None


STATUSES_THAT_FIT = {
    "waiting": ("uploading",),
    "asset_created": ("processing", "ready", "error", "deleting", "deleted"),
    "errored": ("error", "cancelled"),
    "cancelled": ("cancelled", "error"),
    "timed_out": ("error", "cancelled"),
}


def _uploads_agree(upload: Tracking | None, found: Look) -> bool | None:
    if upload is None or found.upload is None:
        return None
    return upload.status in STATUSES_THAT_FIT.get(found.upload.status, ())


def _their_video(found: Look) -> str | None:
    if found.asset is not None:
        return found.asset.status
    return "unknown at Mux" if found.asset_gone else None


VIDEOS_THAT_FIT = {"preparing": "processing", "ready": "ready", "errored": "error"}


def _videos_agree(ours: str, found: Look) -> bool | None:
    if found.asset is not None:
        return VIDEOS_THAT_FIT.get(found.asset.status) == ours
    if found.asset_gone:
        return ours not in ("ready", "processing")
    return None


def _named(found: Look) -> str | None:
    thing = found.asset or found.upload
    named = thing.passthrough if thing is not None else None
    return str(named.lesson_id or named.course_id) if named is not None else None


def _seconds(value: float | None) -> str | None:
    return None if value is None else f"{value:.1f} s"


def _percent(value: int | None) -> str | None:
    return None if value is None else f"{value} %"
