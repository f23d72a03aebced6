"""What Mux told us, read as news about one upload. Pure: the same reading serves events and direct looks."""

from dataclasses import dataclass
from typing import Literal

from lessonadmin import mux
from lessonadmin.domain.models.videos import ANY_POLICY
from lessonadmin.domain.videos.state_machine import Happening

Outcome = Literal["applied", "no_change", "ask"]
FoundBy = Literal["webhook", "sweep", "manual"]


@dataclass(frozen=True, kw_only=True)
class News:
    """One thing that happened to an upload, and what came along with it."""

    happening: Happening
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


UPLOAD_STATUSES = {
    "errored": Happening.UPLOAD_ERRORED,
    "cancelled": Happening.UPLOAD_CANCELLED,
    "timed_out": Happening.UPLOAD_EXPIRED,
}


def asset_news(
    asset: mux.Asset,
    *,
    wanted_policy: str,
    found_by: FoundBy,
    seen: bool,
    any_policy: bool = False,
    keep: str | None = None,
) -> News:
    """An asset as it stands. `any_policy`: take over whatever policy it has (support said so). `keep`: of several
    playback ids that would do, prefer this one."""
    happening, playback_id, policy = _judge(asset, wanted_policy, any_policy, keep)
    failed = happening in (Happening.ASSET_ERRORED, Happening.ASSET_UNPLAYABLE)
    return News(
        happening=happening,
        found_by=found_by,
        seen=seen,
        upload_id=asset.upload_id,
        asset_id=asset.id,
        playback_id=playback_id,
        policy=policy,
        duration=asset.duration,
        progress=asset.progress,
        error_type=_error_type(asset, happening) if failed else None,
        error_message=asset.error_message if happening is Happening.ASSET_ERRORED else None,
    )


def _judge(
    asset: mux.Asset, wanted: str, any_policy: bool, keep: str | None
) -> tuple[Happening, str | None, str | None]:
    if asset.status == "errored":
        return Happening.ASSET_ERRORED, None, None
    if asset.status != "ready":
        return Happening.ASSET_SEEN, None, None
    usable = [found for found in asset.playback_ids if found.policy in ("public", "signed")]
    fitting = [found for found in usable if found.policy == wanted]
    candidates = fitting or (usable if any_policy or wanted == ANY_POLICY else [])
    if not candidates:
        return Happening.ASSET_UNPLAYABLE, None, None
    chosen = next((found for found in candidates if found.id == keep), candidates[0])
    return Happening.ASSET_READY, chosen.id, chosen.policy


def _error_type(asset: mux.Asset, happening: Happening) -> str:
    if happening is Happening.ASSET_ERRORED:
        return "asset_errored"
    return "wrong_policy" if asset.playback_ids else "no_playback_id"


def upload_news(upload: mux.Upload, *, found_by: FoundBy, seen: bool) -> News:
    """An upload as it stands; one that became an asset is read through that asset."""
    happening = UPLOAD_STATUSES.get(upload.status, Happening.UPLOAD_WAITING)
    if upload.status == "asset_created" or (upload.asset_id and happening is Happening.UPLOAD_WAITING):
        happening = Happening.ASSET_SEEN
    return News(
        happening=happening,
        found_by=found_by,
        seen=seen,
        upload_id=upload.id,
        asset_id=upload.asset_id,
        error_message=upload.error_message,
    )


def gone_news(asset_id: str, *, found_by: FoundBy) -> News:
    """Mux does not know the asset any more."""
    return News(happening=Happening.ASSET_DELETED, found_by=found_by, seen=True, asset_id=asset_id)
