"""The calls to Mux that the product makes: each is one request, counted and logged, with a typed answer.

A creation is never repeated, here or by a caller. What a failure means for a lesson is decided elsewhere.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import mux_python

from lessonadmin import config
from lessonadmin.mux import fields, responses
from lessonadmin.mux.passthrough import Passthrough
from lessonadmin.mux.payloads import (
    Asset,
    AssetPage,
    PlaybackId,
    Upload,
    WithoutId,
    asset_from,
    playback_id_from,
    upload_from,
)
from lessonadmin.mux.request import RAW_ANSWER, mux_request, valid_id
from lessonadmin.mux.transport import Priority
from lessonadmin.text.texts import plain

PAGE = 100
MAX_TITLE_LENGTH = 512
MAX_EXTERNAL_ID_LENGTH = 128
AUTOMATIC = "auto"
# What Mux can write subtitles in, in its own words; the first lets Mux find out by listening.
LANGUAGES = {
    AUTOMATIC: "Detected by Mux",
    "en": "English", "es": "Spanish", "it": "Italian", "pt": "Portuguese", "de": "German", "fr": "French",
    "pl": "Polish", "ru": "Russian", "nl": "Dutch", "ca": "Catalan", "tr": "Turkish", "sv": "Swedish",
    "uk": "Ukrainian", "no": "Norwegian", "fi": "Finnish", "sk": "Slovak", "el": "Greek", "cs": "Czech",
    "hr": "Croatian", "da": "Danish", "ro": "Romanian", "bg": "Bulgarian",
}  # fmt: skip


@dataclass(frozen=True)
class Ping:
    """What a small question brought: the clock at Mux, and the newest assets that the token sees."""

    clock: datetime | None
    asset_ids: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Whose an access token is and what it may do, by Mux's own word."""

    environment_id: str
    environment_name: str
    permissions: frozenset[str]
    clock: datetime | None = None


@dataclass(frozen=True)
class SigningKey:
    id: str
    created_at: datetime | None


def create_upload(
    *,
    passthrough: Passthrough,
    external_id: str,
    policy: str,
    caption_language: str | None = None,
    title: str | None = None,
    priority: Priority = "high",
) -> Upload:
    """Ask for an upload address. An error leaves open whether Mux made one: look, never repeat."""
    if not 0 < len(external_id) <= MAX_EXTERNAL_ID_LENGTH:
        raise ValueError("an external id has 1 to 128 characters")
    # The title and the external id can be read by every viewer who plays the video.
    meta = {"external_id": external_id} | ({"title": plain(title)[:MAX_TITLE_LENGTH]} if title else {})
    asset: dict[str, Any] = {
        "playback_policies": [policy],
        "passthrough": passthrough.text(),
        "max_resolution_tier": "1080p",
        "meta": meta,
    }
    if caption_language:
        # The name is what viewers choose in the player: it is not known yet which language it will be.
        name = (
            "Captions" if caption_language == AUTOMATIC else LANGUAGES.get(caption_language, caption_language)
        )
        asset["inputs"] = [{"generated_subtitles": [{"language_code": caption_language, "name": name}]}]
    settings = config.current()
    body = {
        "cors_origin": settings.public_url,
        "timeout": settings.upload_timeout_seconds,
        "new_asset_settings": asset,
    }
    with mux_request("create_upload", priority=priority) as ask:
        upload = ask.upload(
            lambda sdk: mux_python.DirectUploadsApi(sdk).create_direct_upload(body, **RAW_ANSWER)
        )
        if upload.url is None:
            raise responses.nonsense("the upload had no address")
        return upload


def get_upload(upload_id: str, *, priority: Priority) -> Upload:
    with mux_request("get_upload", "upload", upload_id, priority=priority) as ask:
        return ask.upload(
            lambda sdk: mux_python.DirectUploadsApi(sdk).get_direct_upload(upload_id, **RAW_ANSWER)
        )


def cancel_upload(upload_id: str, *, priority: Priority) -> Upload:
    """Only a waiting upload can be cancelled; anything else is Refused with status 403."""
    with mux_request("cancel_upload", "upload", upload_id, priority=priority) as ask:
        return ask.upload(
            lambda sdk: mux_python.DirectUploadsApi(sdk).cancel_direct_upload(upload_id, **RAW_ANSWER)
        )


def list_uploads(*, page: int, limit: int = PAGE, priority: Priority) -> tuple[Upload, ...]:
    """Newest first; pages count from 1."""
    with mux_request("list_uploads", priority=priority) as ask:
        rows, _ = ask.rows(
            lambda sdk: mux_python.DirectUploadsApi(sdk).list_direct_uploads(
                limit=limit, page=page, **RAW_ANSWER
            )
        )
        return tuple(upload_from(row) for row in rows)


def get_asset(asset_id: str, *, priority: Priority) -> Asset:
    with mux_request("get_asset", "asset", asset_id, priority=priority) as ask:
        value = ask.value(lambda sdk: mux_python.AssetsApi(sdk).get_asset(asset_id, **RAW_ANSWER))
        asset = asset_from(value["data"])
        ask.must_be(asset.id)
        return asset


def list_assets(
    *, cursor: str | None = None, upload_id: str | None = None, limit: int = PAGE, priority: Priority
) -> AssetPage:
    """Newest first, a hundred for one request; `upload_id` finds the asset of an upload whose event was lost."""
    chosen: dict[str, Any] = {"limit": limit}
    if cursor is not None:
        chosen["cursor"] = cursor
    if upload_id is not None:
        chosen["upload_id"] = valid_id("upload", upload_id)
    with mux_request("list_assets", priority=priority) as ask:
        rows, value = ask.rows(lambda sdk: mux_python.AssetsApi(sdk).list_assets(**chosen, **RAW_ANSWER))
        found = map(asset_from, rows)
        # Should the filter ever be ignored, a stranger's asset must not look like the one that was searched.
        assets = tuple(one for one in found if upload_id is None or one.upload_id in (upload_id, None))
        following = value.get("next_cursor")
        return AssetPage(assets, following if isinstance(following, str) and following else None)


def delete_asset(asset_id: str, *, priority: Priority) -> None:
    """Gone means that it is done already; Later of category preparing that the asset is still being processed."""
    with mux_request("delete_asset", "asset", asset_id, priority=priority) as ask:
        responses.check_success(
            ask.question, ask.send(lambda sdk: mux_python.AssetsApi(sdk).delete_asset(asset_id, **RAW_ANSWER))
        )


def create_playback_id(asset_id: str, *, policy: str, priority: Priority) -> PlaybackId:
    """One more way to play an asset. An error leaves open whether Mux made it: look at the asset, never repeat."""
    body = {"policy": policy}
    with mux_request("create_playback_id", "asset", asset_id, priority=priority) as ask:
        value = ask.value(
            lambda sdk: mux_python.AssetsApi(sdk).create_asset_playback_id(asset_id, body, **RAW_ANSWER)
        )
        found = playback_id_from(value["data"])
        if found is None or found.policy != policy:
            raise responses.nonsense("it was no playback id of the requested policy", status=ask.status)
        return found


def delete_playback_id(asset_id: str, playback_id: str, *, priority: Priority) -> None:
    """This playback id plays nothing any more; Gone means that it is done already."""
    valid_id("playback", playback_id)
    with mux_request("delete_playback_id", "asset", asset_id, priority=priority) as ask:
        answer = ask.send(
            lambda sdk: mux_python.AssetsApi(sdk).delete_asset_playback_id(
                asset_id, playback_id, **RAW_ANSWER
            )
        )
        responses.check_success(ask.question, answer)


def whoami(*, priority: Priority) -> Identity:
    """Any token may ask this, whatever it lacks; the environment's id is the one in the envelope of Mux's events."""
    with mux_request("whoami", priority=priority) as ask:
        # Newer than the package's list of routes, so its client is asked directly.
        answer = ask.send(
            lambda sdk: sdk.call_api("/system/v1/whoami", "GET", auth_settings=["accessToken"], **RAW_ANSWER)
        )
        data = fields.mapping(responses.read_body(ask.question, answer)["data"])
        if (environment_id := fields.identifier(data.get("environment_id"))) is None:
            raise WithoutId("an environment without an id")
        permissions = (fields.short_text(one) for one in fields.items(data.get("permissions")))
        return Identity(
            environment_id=environment_id,
            environment_name=fields.short_text(data.get("environment_name"), max_length=80) or "unnamed",
            permissions=frozenset(one for one in permissions if one is not None),
            clock=fields.http_date(answer.headers.get("Date")),
        )


def ping(*, priority: Priority, limit: int = 10) -> Ping:
    """Is the token valid, and for which environment? One small list, and the time in the answer's headers."""
    with mux_request("list_assets", priority=priority) as ask:
        answer = ask.send(lambda sdk: mux_python.AssetsApi(sdk).list_assets(limit=limit, **RAW_ANSWER))
        rows = fields.items(responses.read_body(ask.question, answer)["data"])
        ids = (fields.identifier(fields.mapping(row).get("id")) for row in rows)
        return Ping(
            fields.http_date(answer.headers.get("Date")), tuple(one for one in ids if one is not None)
        )


def list_signing_keys(*, priority: Priority) -> tuple[SigningKey, ...]:
    """Needs a token with the System permission; without it Refused, category auth_error."""
    with mux_request("list_signing_keys", priority=priority) as ask:
        rows, _ = ask.rows(
            lambda sdk: mux_python.SigningKeysApi(sdk).list_signing_keys(limit=PAGE, page=1, **RAW_ANSWER)
        )
        keys = []
        for row in map(fields.mapping, rows):
            if (key_id := fields.identifier(row.get("id"))) is None:
                raise WithoutId("a key without an id")
            keys.append(SigningKey(key_id, fields.moment(row.get("created_at"))))
        return tuple(keys)
