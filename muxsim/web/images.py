"""Pictures of a video: thumbnails, animated previews, storyboards. Made when first asked for, then kept."""

import hashlib
import json
import math
from pathlib import Path

from flask import Blueprint, Response

from muxsim.errors import MuxError, not_found
from muxsim.store import Doc
from muxsim.videos.assets import Asset
from muxsim.videos.packaging import Interrupted
from muxsim.videos.sample import SAMPLE_PATH, STATIC
from muxsim.web.context import sim
from muxsim.web.playback import clock_face
from muxsim.web.viewing import GIF, STORYBOARD, THUMBNAIL, VIDEO, View, view, watch, whole_file

blueprint = watch(Blueprint("images", __name__))
TYPES = {
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
    "gif": "image/gif",
}
FITS = ("preserve", "stretch", "crop", "smartcrop", "pad")
TILE_WIDTH, COLUMNS, MAX_TILES = 256, 5, 50
MAX_WIDTH = 3840
BUILT_IN = {"jpeg": "jpg", "m4a": "mp4"}


@blueprint.get("/<playback_id>/thumbnail.<extension>")
def thumbnail(playback_id: str, extension: str) -> Response:
    kind = _type(extension, ("jpg", "jpeg", "png", "webp"))
    seen = view(playback_id, THUMBNAIL)
    length = seen.asset.doc["duration"]
    usual = seen.asset.doc.get("thumbnail_time", length / 2)
    at = min(seen.number("time", usual, most=12 * 3600), max(0.0, length - 0.1))
    options = ["-frames:v", "1", "-update", "1", *_scaled(seen)]
    return _picture(seen, f"thumbnail-{at:.2f}", extension, kind, options, at)


@blueprint.get("/<playback_id>/animated.<extension>")
def animated(playback_id: str, extension: str) -> Response:
    kind = _type(extension, ("gif", "webp"))
    seen = view(playback_id, GIF)
    start = seen.number("start", 0, most=12 * 3600)
    end = seen.number("end", start + 5, most=12 * 3600)
    if not 0.25 <= end - start <= 10:
        raise MuxError(400, "An animated image lasts between 250 milliseconds and 10 seconds.")
    rate, width = seen.number("fps", 15, most=30), int(seen.number("width", 320, most=640))
    shape = f"fps={max(1, rate):g},scale={max(16, width)}:-2"
    options = ["-t", f"{end - start:.3f}", "-vf", shape, "-loop", "0", "-an"]
    return _picture(seen, f"animated-{start}-{end}", extension, kind, options, start)


@blueprint.get("/<playback_id>/storyboard.<extension>")
def storyboard(playback_id: str, extension: str) -> Response:
    if extension not in ("vtt", "json", "jpg", "png", "webp"):
        raise not_found()
    seen = view(playback_id, STORYBOARD)
    sheet = _sheet(seen)
    if extension == "vtt":
        return Response(_vtt(sheet, seen), content_type="text/vtt; charset=utf-8")
    if extension == "json":
        return Response(json.dumps(_described(sheet, seen)), content_type="application/json")
    rows = math.ceil(sheet["count"] / COLUMNS)
    shape = f"fps=1/{sheet['step']:.4f}:round=down,scale={TILE_WIDTH}:{sheet['height']},tile={COLUMNS}x{rows}"
    return _picture(
        seen, "storyboard", extension, TYPES[extension], ["-frames:v", "1", "-update", "1", "-vf", shape], 0.0
    )


@blueprint.get("/<playback_id>/<rendition>.<any(mp4, m4a):extension>")
def static_rendition(playback_id: str, rendition: str, extension: str) -> Response:
    """A downloadable file, made when first asked for; without a packaged video the built-in one."""
    seen = view(playback_id, VIDEO)
    renditions = seen.asset.doc.get("static_renditions") or {"files": []}
    name = f"{rendition}.{extension}"
    if not any(one.get("name") == name and one["status"] == "ready" for one in renditions["files"]):
        raise not_found()
    sound = ["-vn", "-c:a", "aac"]
    picture = [
        "-c:v",
        "libx264",
        "-preset",
        "veryfast",
        "-pix_fmt",
        "yuv420p",
        "-c:a",
        "aac",
        "-movflags",
        "+faststart",
    ]
    size = [] if rendition == "highest" else ["-vf", f"scale=-2:{rendition.removesuffix('p')}"]
    kind = "audio/mp4" if extension == "m4a" else "video/mp4"
    return _picture(seen, name, extension, kind, sound if extension == "m4a" else [*picture, *size], 0.0)


def _sheet(seen: View) -> Doc:
    length = seen.asset.doc["duration"]
    video = next((one for one in seen.asset.tracks if one["type"] == "video"), None)
    if video is None:
        raise not_found()
    height = max(2, round(TILE_WIDTH * video["max_height"] / video["max_width"] / 2) * 2)
    count = max(1, min(MAX_TILES, math.floor(length)))
    return {"count": count, "step": length / count, "height": height, "length": length}


def _tiles(sheet: Doc) -> list[Doc]:
    return [
        {
            "start": number * sheet["step"],
            "x": number % COLUMNS * TILE_WIDTH,
            "y": number // COLUMNS * sheet["height"],
        }
        for number in range(sheet["count"])
    ]


def _vtt(sheet: Doc, seen: View) -> str:
    lines = ["WEBVTT", ""]
    for tile in _tiles(sheet):
        end = min(sheet["length"], tile["start"] + sheet["step"])
        place = f"{tile['x']},{tile['y']},{TILE_WIDTH},{sheet['height']}"
        lines += [f"{clock_face(tile['start'])} --> {clock_face(end)}", f"{_url(seen)}#xywh={place}", ""]
    return "\n".join(lines)


def _described(sheet: Doc, seen: View) -> Doc:
    return {
        "url": _url(seen), "tile_width": TILE_WIDTH, "tile_height": sheet["height"], "duration": sheet["length"],
        "tiles": _tiles(sheet),
    }  # fmt: skip


def _url(seen: View) -> str:
    return (sim().options.public_url or sim().url) + seen.link("storyboard.jpg")


def _type(extension: str, allowed: tuple[str, ...]) -> str:
    if extension not in allowed:
        raise not_found()
    return TYPES[extension]


def _scaled(seen: View) -> list[str]:
    width, height = (int(seen.number(name, 0, most=MAX_WIDTH)) for name in ("width", "height"))
    fit = str(seen.options.get("fit_mode", "preserve"))
    if fit not in FITS:
        raise MuxError(400, f"fit_mode must be one of {', '.join(FITS)}.")
    if not width and not height:
        return []
    if not (width and height) or fit == "preserve":
        bound = ":force_original_aspect_ratio=decrease" if width and height else ""
        return ["-vf", f"scale={width or -1}:{height or -1}{bound}"]
    if fit == "stretch":
        return ["-vf", f"scale={width}:{height}"]
    if fit == "pad":
        return [
            "-vf",
            f"scale={width}:{height}:force_original_aspect_ratio=decrease,pad={width}:{height}:-1:-1",
        ]
    return ["-vf", f"scale={width}:{height}:force_original_aspect_ratio=increase,crop={width}:{height}"]


def _picture(seen: View, name: str, extension: str, kind: str, options: list[str], at: float) -> Response:
    packager, media = sim().packager, sim().assets.media(seen.asset.id)
    source = media / "source" if (media / "hls" / "video.m3u8").is_file() else SAMPLE_PATH
    if packager is None:
        return _built_in(extension, kind)
    moment = at % 2 if source is SAMPLE_PATH else at
    key = hashlib.sha256(json.dumps([name, options]).encode()).hexdigest()[:16]
    target = media / "pictures" / f"{key}.{extension}"
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            made = packager.picture(source, target, options=options, at=moment)
        except Interrupted as error:
            raise MuxError(503, "The simulator is being stopped.") from error
        if not made:
            raise MuxError(404, "There is no picture at this moment of the video.")
    return whole_file(target, kind)


def _built_in(extension: str, kind: str) -> Response:
    name: Path = STATIC / f"sample.{BUILT_IN.get(extension, extension)}"
    response = whole_file(name, kind)
    response.headers["X-Muxsim-Picture"] = "built-in: there is no ffmpeg"
    return response


def poster(asset: Asset) -> Response:
    """The picture that the control page shows."""
    if asset.status != "ready":
        raise not_found()
    seen = View(asset, asset.id, {"width": "320"}, None)
    at = min(
        asset.doc.get("thumbnail_time", asset.doc["duration"] / 2), max(0.0, asset.doc["duration"] - 0.1)
    )
    return _picture(
        seen, f"poster-{at:.2f}", "jpg", "image/jpeg", ["-frames:v", "1", "-update", "1", *_scaled(seen)], at
    )
