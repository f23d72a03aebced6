"""A webhook's body as an Event: safe to store, and enough to find its owner and to apply it.

The payload that is kept is cleaned first and everything else is read from the cleaned one, so an event that is
replayed from the database says the same as it did when it came. Nothing in here checks who sent it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from lessonadmin.mux import fields, safe_json
from lessonadmin.mux.passthrough import Passthrough, parse_passthrough
from lessonadmin.mux.payloads import (
    Asset,
    TextTrack,
    Upload,
    WithoutId,
    asset_from,
    text_track_from,
    upload_from,
)

# Keys whose text gives access (upload addresses, master downloads, live stream keys), and which no code here reads.
SECRET_KEYS = frozenset({"url", "stream_key", "signing_secret", "private_key", "secret", "token"})


class BadPayload(ValueError):
    """This is no event: not a JSON object, or without a usable id or type."""


@dataclass(frozen=True, kw_only=True)
class Event:
    """One event of the Mux environment, about a local video or not."""

    id: str
    type: str
    object_type: str | None = None
    object_id: str | None = None
    environment_id: str | None = None
    created_at: datetime | None = None
    upload_id: str | None = None
    asset_id: str | None = None
    passthrough: Passthrough | None = None
    asset: Asset | None = None
    upload: Upload | None = None
    text_track: TextTrack | None = None
    payload: dict[str, Any] = field(default_factory=dict, repr=False)


def read_event(raw: bytes) -> Event:
    """Read the body of a webhook; raises BadPayload and nothing else."""
    return read_stored_event(_load(raw))


def read_id_and_type(raw: bytes) -> tuple[str, str]:
    """The little that must be known before a body is stored; raises BadPayload exactly when `read_event` does."""
    value = _load(raw)
    safe = safe_json.clean({name: value[name] for name in ("id", "type") if name in value})
    return _required(safe, "id"), _required(safe, "type")


def _load(raw: bytes) -> dict[str, Any]:
    try:
        value = safe_json.load(raw.decode("utf-8-sig", "replace"))
    except ValueError:
        raise BadPayload("the body is not JSON") from None
    if not isinstance(value, dict):
        raise BadPayload("the body is not a JSON object")
    return value


def read_stored_event(payload: Mapping[str, Any]) -> Event:
    """The same from a payload that was stored: a replay reads what the first delivery read."""
    safe = safe_json.clean(dict(payload), hide=SECRET_KEYS)
    event_id, kind = _required(safe, "id"), _required(safe, "type")
    about = fields.mapping(safe.get("object"))
    data = fields.mapping(safe.get("data"))
    object_id = fields.identifier(about.get("id"))
    known = {
        "id": event_id,
        "type": kind,
        "object_type": fields.identifier(about.get("type")),
        "object_id": object_id,
        "environment_id": fields.identifier(fields.mapping(safe.get("environment")).get("id")),
        "created_at": fields.moment(safe.get("created_at")),
        "payload": safe,
    }
    if kind.startswith("video.upload."):
        return Event(**known, **_of_upload(data, object_id))
    if kind.startswith("video.asset.") and kind.count(".") == 2:
        return Event(**known, **_of_asset(data, object_id))
    if kind.startswith("video.asset."):
        return Event(**known, **_of_part(data, object_id, known["object_type"]))
    return Event(**known)


def _required(payload: dict[str, Any], name: str) -> str:
    value = fields.identifier(payload.get(name))
    if value is None:
        raise BadPayload(f"the event has no usable {name}")
    return value


def _of_upload(data: dict[str, Any], object_id: str | None) -> dict[str, Any]:
    # In upload events the upload's id is `data.id`; `data.upload_id` exists on asset events only.
    try:
        upload = upload_from(data, fallback_id=object_id)
    except WithoutId:
        return {}
    return {
        "upload": upload,
        "upload_id": upload.id,
        "asset_id": upload.asset_id,
        "passthrough": upload.passthrough,
    }


def _of_asset(data: dict[str, Any], object_id: str | None) -> dict[str, Any]:
    try:
        asset = asset_from(data, fallback_id=object_id)
    except WithoutId:
        return {}
    return {
        "asset": asset,
        "upload_id": asset.upload_id,
        "asset_id": asset.id,
        "passthrough": asset.passthrough,
    }


def _of_part(data: dict[str, Any], object_id: str | None, object_type: str | None) -> dict[str, Any]:
    """Tracks and renditions: `data` is the part, so its id is not the asset's."""
    own = object_id if object_type == "asset" else None
    return {
        "asset_id": fields.identifier(data.get("asset_id")) or own,
        "upload_id": fields.identifier(data.get("upload_id")),
        "passthrough": parse_passthrough(data.get("passthrough")) if object_type == "asset" else None,
        "text_track": text_track_from(data),
    }
