"""Mux's objects as small frozen dataclasses: the few fields that are used, whatever else is in them.

Unknown values become "unknown", missing and odd ones None; only an object without an id is refused. Nothing in
here makes a call.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, cast

from lessonadmin.mux import fields
from lessonadmin.mux.passthrough import Passthrough, parse_passthrough

AssetStatus = Literal["preparing", "ready", "errored", "unknown"]
UploadStatus = Literal["waiting", "asset_created", "errored", "cancelled", "timed_out", "unknown"]
ASSET_STATUSES = frozenset({"preparing", "ready", "errored"})
TrackStatus = Literal["preparing", "ready", "errored", "skipped", "deleted", "unknown"]
TRACK_STATUSES = frozenset({"preparing", "ready", "errored", "skipped", "deleted"})
UPLOAD_STATUSES = frozenset({"waiting", "asset_created", "errored", "cancelled", "timed_out"})


class WithoutId(ValueError):
    """This is no object of Mux's: it has no id."""


@dataclass(frozen=True)
class PlaybackId:
    id: str
    policy: str


@dataclass(frozen=True, kw_only=True)
class TextTrack:
    """Captions of an asset. `generated`: Mux made them of the speech; the language is "auto" until Mux has found out."""

    id: str
    status: TrackStatus = "unknown"
    generated: bool = False
    language: str | None = None
    name: str | None = None
    passthrough: str | None = None
    error_message: str | None = None


@dataclass(frozen=True, kw_only=True)
class Asset:
    """A video at Mux."""

    id: str
    status: AssetStatus = "unknown"
    upload_id: str | None = None
    passthrough: Passthrough | None = None
    raw_passthrough: str | None = None
    external_id: str | None = None
    playback_ids: tuple[PlaybackId, ...] = ()
    duration: float | None = None
    progress: int | None = None
    error_type: str | None = None
    error_message: str | None = None
    created_at: datetime | None = None
    resolution_tier: str | None = None
    test: bool = False
    text_tracks: tuple[TextTrack, ...] = ()
    audio_track_id: str | None = None

    def playback_id_for(self, policy: str) -> str | None:
        """The first playback id of this policy: Mux promises no order."""
        return next((one.id for one in self.playback_ids if one.policy == policy), None)


@dataclass(frozen=True)
class AssetPage:
    assets: tuple[Asset, ...]
    next_cursor: str | None


@dataclass(frozen=True, kw_only=True)
class Upload:
    """A direct upload; its address lets every holder upload, so it shows in no repr."""

    id: str
    status: UploadStatus = "unknown"
    url: str | None = field(default=None, repr=False)
    asset_id: str | None = None
    passthrough: Passthrough | None = None
    raw_passthrough: str | None = None
    external_id: str | None = None
    error_type: str | None = None
    error_message: str | None = None
    timeout: int | None = None


def _error(value: object) -> tuple[str | None, str | None]:
    """Type and words: assets have `messages`, uploads `message`; take whichever is there."""
    error = fields.mapping(value)
    return fields.short_text(error.get("type"), max_length=100), fields.short_text(fields.error_text(error))


def _progress(value: object) -> int | None:
    found = fields.number(fields.mapping(value).get("progress"))
    return None if found is None or found < 0 else min(100, int(found))


def _playback_ids(value: object) -> tuple[PlaybackId, ...]:
    return tuple(one for one in map(playback_id_from, fields.items(value)) if one is not None)


def playback_id_from(value: object) -> PlaybackId | None:
    """A playback id out of cleaned JSON; None if it is none."""
    data = fields.mapping(value)
    playback_id = fields.identifier(data.get("id"))
    if playback_id is None:
        return None
    return PlaybackId(playback_id, fields.short_text(data.get("policy"), max_length=40) or "unknown")


def asset_from(value: object, *, fallback_id: str | None = None) -> Asset:
    """An asset out of cleaned JSON; raises WithoutId."""
    data = fields.mapping(value)
    asset_id = fields.identifier(data.get("id")) or fallback_id
    if asset_id is None:
        raise WithoutId("an asset without an id")
    duration = fields.number(data.get("duration"))
    error_type, error_message = _error(data.get("errors") or data.get("error"))
    return Asset(
        id=asset_id,
        status=cast(AssetStatus, _known(data.get("status"), ASSET_STATUSES)),
        upload_id=fields.identifier(data.get("upload_id")),
        **_identification(data),
        playback_ids=_playback_ids(data.get("playback_ids")),
        duration=duration if duration is not None and duration >= 0 else None,
        progress=_progress(data.get("progress")),
        error_type=error_type,
        error_message=error_message,
        created_at=fields.moment(data.get("created_at")),
        resolution_tier=fields.short_text(data.get("resolution_tier"), max_length=40),
        test=data.get("test") is True,
        text_tracks=tuple(
            one for one in map(text_track_from, fields.items(data.get("tracks"))) if one is not None
        ),
        audio_track_id=_audio_track_id(data.get("tracks")),
    )


def _known(status: object, statuses: frozenset[str]) -> str:
    return status if isinstance(status, str) and status in statuses else "unknown"


def _audio_track_id(value: object) -> str | None:
    """What captions are made of: the main one, where there are several."""
    found = [one for one in map(fields.mapping, fields.items(value)) if one.get("type") == "audio"]
    main = next((one for one in found if one.get("primary") is True), found[0] if found else {})
    return fields.identifier(main.get("id"))


def text_track_from(value: object) -> TextTrack | None:
    """Captions out of cleaned JSON; None for a track of another kind, or one without an id."""
    data = fields.mapping(value)
    track_id = fields.identifier(data.get("id"))
    if track_id is None or data.get("type") != "text":
        return None
    source = data.get("text_source")
    _, error_message = _error(data.get("error") or data.get("errors"))
    return TextTrack(
        id=track_id,
        status=cast(TrackStatus, _known(data.get("status"), TRACK_STATUSES)),
        generated=isinstance(source, str) and source.startswith("generated"),
        language=fields.short_text(data.get("language_code"), max_length=40),
        name=fields.short_text(data.get("name"), max_length=100),
        passthrough=fields.identifier(data.get("passthrough")),
        error_message=error_message,
    )


def upload_from(value: object, *, fallback_id: str | None = None) -> Upload:
    """A direct upload out of cleaned JSON; raises WithoutId."""
    data = fields.mapping(value)
    upload_id = fields.identifier(data.get("id")) or fallback_id
    if upload_id is None:
        raise WithoutId("an upload without an id")
    timeout = fields.number(data.get("timeout"))
    error_type, error_message = _error(data.get("error") or data.get("errors"))
    return Upload(
        id=upload_id,
        status=cast(UploadStatus, _known(data.get("status"), UPLOAD_STATUSES)),
        url=fields.web_address(data.get("url")),
        asset_id=fields.identifier(data.get("asset_id")),
        **_identification(fields.mapping(data.get("new_asset_settings"))),
        error_type=error_type,
        error_message=error_message,
        timeout=int(timeout) if timeout is not None and 0 <= timeout < 1e9 else None,
    )


def _identification(data: dict[str, Any]) -> dict[str, Any]:
    """What was written on it: on an asset it stands in the object, on an upload in `new_asset_settings`."""
    raw = data.get("passthrough")
    return {
        "passthrough": parse_passthrough(raw),
        "raw_passthrough": raw[:1000] if isinstance(raw, str) else None,
        "external_id": fields.identifier(fields.mapping(data.get("meta")).get("external_id")),
    }
