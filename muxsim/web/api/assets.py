"""``/video/v1/assets``: assets over REST."""

import base64
import binascii

from flask import Blueprint, request

from muxsim import checks
from muxsim.errors import invalid, not_found
from muxsim.store import Doc
from muxsim.videos.assets import Asset
from muxsim.web.context import sim
from muxsim.web.every_call import data, env, guard

blueprint = guard(Blueprint("assets", __name__, url_prefix="/video/v1/assets"))
Answer = tuple[Doc, int]
MAX_VIDEO_SECONDS = 12 * 3600.0


def shown(asset: Asset) -> Doc:
    body = asset.shown(sim().processing.progress(asset))
    odd = sim().switches["unknown_enum"]
    if odd in ("status", "resolution_tier", "video_quality"):
        body[odd] = "reticulating"
    return body


def found(asset_id: str) -> Asset:
    checks.an_id(asset_id, sim().switches["bad_id_status"])
    asset = sim().assets.get(asset_id, env())
    if asset is None:
        raise not_found()
    return asset


@blueprint.post("")
def create_asset() -> Answer:
    body = checks.json_body(request)
    return data(shown(sim().lifecycle.create_asset(env(), checks.asset_settings(body, urls=True))), 201)


@blueprint.get("")
def list_assets() -> Answer:
    given = request.args
    limit = checks.whole(
        given.get("limit"), "limit", least=1, most=100, default=sim().switches["default_page_size"]
    )
    page = checks.whole(given.get("page"), "page", least=1, most=10_000_000, default=1)
    upload_id = given.get("upload_id") or None
    if upload_id is not None:
        checks.an_id(upload_id)
    if given.get("live_stream_id"):
        checks.an_id(given["live_stream_id"])
        return data([], next_cursor=None)
    cursor = given.get("cursor") or None
    after = None if cursor is None else _place(cursor)
    offset = 0 if cursor else (page - 1) * limit
    rows = sim().assets.page(env(), limit=limit + 1, offset=offset, after=after, upload_id=upload_id)
    following = _cursor(rows[limit - 1][1]) if len(rows) > limit else None
    return data([shown(asset) for asset, _ in rows[:limit]], next_cursor=following)


def _cursor(place: tuple[float, int]) -> str:
    return base64.urlsafe_b64encode(f"{place[0]!r}/{place[1]}".encode()).decode().rstrip("=")


def _place(cursor: str) -> tuple[float, int]:
    try:
        moment, _, seq = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode().partition("/")
        place = (float(moment), int(seq))
    except (ValueError, binascii.Error) as error:
        raise invalid("Invalid cursor.") from error
    if not 0 <= place[1] < 2**62:
        raise invalid("Invalid cursor.")
    return place


@blueprint.get("/<asset_id>")
def get_asset(asset_id: str) -> Answer:
    return data(shown(found(asset_id)))


@blueprint.patch("/<asset_id>")
def update_asset(asset_id: str) -> Answer:
    asset, body = found(asset_id), checks.json_body(request)
    changes: Doc = {}
    if "passthrough" in body:
        changes["passthrough"] = checks.text(body["passthrough"], "passthrough", most=255)
    if "meta" in body:
        changes["meta"] = checks.meta(body["meta"])
    if "thumbnail_time" in body:
        max_seconds = asset.doc.get("duration", MAX_VIDEO_SECONDS)
        changes["thumbnail_time"] = checks.seconds(body["thumbnail_time"], "thumbnail_time", most=max_seconds)
    sim().lifecycle.update_asset(asset, changes)
    return data(shown(asset))


@blueprint.delete("/<asset_id>")
def delete_asset(asset_id: str) -> tuple[str, int]:
    if not sim().lifecycle.delete_asset(found(asset_id).id, asked_by_api=True):
        raise not_found()
    return "", 204


@blueprint.delete("/<asset_id>/thumbnail-time")
def delete_thumbnail_time(asset_id: str) -> tuple[str, int]:
    """Back to the picture from the middle."""
    sim().lifecycle.update_asset(found(asset_id), {"thumbnail_time": None})
    return "", 204


@blueprint.get("/<asset_id>/input-info")
def get_input_info(asset_id: str) -> Answer:
    asset = found(asset_id)
    tracks = [_input_track(one) for one in asset.tracks if one["type"] in ("video", "audio")]
    settings: Doc = {"url": f"muxsim://{asset.id}"}
    return data(
        [{"settings": settings, "file": {"container_format": "mp4", "tracks": tracks}}] if tracks else []
    )


def _input_track(track: Doc) -> Doc:
    if track["type"] == "audio":
        return {
            "type": "audio",
            "duration": track["duration"],
            "encoding": "aac",
            "channels": track["max_channels"],
        }
    return {
        "type": "video", "duration": track["duration"], "encoding": "h264", "width": track["max_width"],
        "height": track["max_height"], "frame_rate": track["max_frame_rate"],
    }  # fmt: skip


@blueprint.put("/<asset_id>/master-access")
def update_master_access(asset_id: str) -> Answer:
    return _switched(asset_id, "master_access", ("none", "temporary"))


@blueprint.put("/<asset_id>/mp4-support")
def update_mp4_support(asset_id: str) -> Answer:
    return _switched(asset_id, "mp4_support", ("none", "standard", "capped-1080p", "audio-only"))


def _switched(asset_id: str, name: str, allowed: tuple[str, ...]) -> Answer:
    asset = found(asset_id)
    value = checks.choice(checks.json_body(request).get(name), name, allowed)
    if value is None:
        raise invalid(f"{name} is required.")
    sim().lifecycle.update_asset(asset, {name: value})
    return data(shown(asset))


@blueprint.post("/<asset_id>/static-renditions")
def create_static_rendition(asset_id: str) -> Answer:
    asset = found(asset_id)
    resolution = checks.choice(checks.json_body(request).get("resolution"), "resolution", checks.RENDITIONS)
    if resolution is None:
        raise invalid("resolution is required.")
    renditions = asset.doc.get("static_renditions") or {"files": []}
    if any(one["resolution"] == resolution for one in renditions["files"]):
        raise invalid("There is a static rendition of this resolution already.")
    return data(sim().tracks.add_rendition(asset, resolution), 201)


@blueprint.delete("/<asset_id>/static-renditions/<rendition_id>")
def delete_static_rendition(asset_id: str, rendition_id: str) -> tuple[str, int]:
    asset = found(asset_id)
    checks.an_id(rendition_id, sim().switches["bad_id_status"])
    renditions = asset.doc.get("static_renditions") or {"files": []}
    for rendition in renditions["files"]:
        if rendition.get("id") == rendition_id:
            sim().tracks.remove_rendition(asset, rendition)
            return "", 204
    raise not_found()
