"""What Mux said about one upload, read as an observation. Pure: the same reading serves events and direct looks."""

from dataclasses import dataclass
from typing import Literal

from lessonadmin import mux
from lessonadmin.domain.models.videos import ANY_POLICY
from lessonadmin.domain.videos.state_machine import VideoEvent

Outcome = Literal["applied", "no_change", "ask"]
FoundBy = Literal["webhook", "sweep", "manual"]


@dataclass(frozen=True, kw_only=True)
class Observation:
    """One thing that happened to an upload, and what came along with it."""

    video_event: VideoEvent
    found_by: FoundBy = "manual"
    seen: bool = False
    upload_id: str | None = None
    asset_id: str | None = None
    playback_id: str | None = None
    policy: str | None = None
    duration: float | None = None
    progress: int | None = None
    error_type: str | None = None
    error_message: str | None = None
    text_tracks: tuple[mux.TextTrack, ...] = ()


UPLOAD_STATUSES = {
    "errored": VideoEvent.UPLOAD_ERRORED,
    "cancelled": VideoEvent.UPLOAD_CANCELLED,
    "timed_out": VideoEvent.UPLOAD_EXPIRED,
}


def asset_observation(
    asset: mux.Asset,
    *,
    wanted_policy: str,
    found_by: FoundBy,
    seen: bool,
    any_policy: bool = False,
    keep: str | None = None,
) -> Observation:
    """An asset as it stands. `any_policy`: take over whatever policy it has (support said so). `keep`: of several
    playback ids that would do, prefer this one."""
    video_event, playback_id, policy = _event_and_playback(asset, wanted_policy, any_policy, keep)
    failed = video_event in (VideoEvent.ASSET_ERRORED, VideoEvent.ASSET_UNPLAYABLE)
    return Observation(
        video_event=video_event,
        found_by=found_by,
        seen=seen,
        upload_id=asset.upload_id,
        asset_id=asset.id,
        playback_id=playback_id,
        policy=policy,
        duration=asset.duration,
        progress=asset.progress,
        error_type=_error_type(asset, video_event) if failed else None,
        error_message=asset.error_message if video_event is VideoEvent.ASSET_ERRORED else None,
        text_tracks=asset.text_tracks,
    )


def _event_and_playback(
    asset: mux.Asset, wanted: str, any_policy: bool, keep: str | None
) -> tuple[VideoEvent, str | None, str | None]:
    if asset.status == "errored":
        return VideoEvent.ASSET_ERRORED, None, None
    if asset.status != "ready":
        return VideoEvent.ASSET_SEEN, None, None
    usable = [found for found in asset.playback_ids if found.policy in ("public", "signed")]
    fitting = [found for found in usable if found.policy == wanted]
    candidates = fitting or (usable if any_policy or wanted == ANY_POLICY else [])
    if not candidates:
        return VideoEvent.ASSET_UNPLAYABLE, None, None
    chosen = next((found for found in candidates if found.id == keep), candidates[0])
    return VideoEvent.ASSET_READY, chosen.id, chosen.policy


def _error_type(asset: mux.Asset, video_event: VideoEvent) -> str:
    if video_event is VideoEvent.ASSET_ERRORED:
        return "asset_errored"
    return "wrong_policy" if asset.playback_ids else "no_playback_id"


def upload_observation(upload: mux.Upload, *, found_by: FoundBy, seen: bool) -> Observation:
    """An upload as it stands; one that became an asset is read through that asset."""
    video_event = UPLOAD_STATUSES.get(upload.status, VideoEvent.UPLOAD_WAITING)
    if upload.status == "asset_created" or (upload.asset_id and video_event is VideoEvent.UPLOAD_WAITING):
        video_event = VideoEvent.ASSET_SEEN
    return Observation(
        video_event=video_event,
        found_by=found_by,
        seen=seen and upload.status != "unknown",  # a word of tomorrow says nothing
        upload_id=upload.id,
        asset_id=upload.asset_id,
        error_message=upload.error_message,
    )


def gone_observation(asset_id: str, *, found_by: FoundBy) -> Observation:
    """Mux does not know the asset any more."""
    return Observation(video_event=VideoEvent.ASSET_DELETED, found_by=found_by, seen=True, asset_id=asset_id)
