"""``/video/v1/assets/{id}/tracks``: captions that are brought, generated, changed and removed."""

from flask import Blueprint, request

from muxsim import checks
from muxsim.errors import invalid, not_found
from muxsim.store import Doc
from muxsim.videos.assets import Asset
from muxsim.web.api.assets import Answer, found
from muxsim.web.context import sim
from muxsim.web.every_call import data, guard

blueprint = guard(Blueprint("tracks", __name__, url_prefix="/video/v1/assets/<asset_id>/tracks"))


def _track(asset: Asset, track_id: str) -> Doc:
    checks.an_id(track_id, sim().switches["bad_id_status"])
    for track in asset.tracks:
        if track["id"] == track_id:
            return track
    raise not_found()


@blueprint.post("")
def create_track(asset_id: str) -> Answer:
    """Text comes from a public URL, and no other way: it is fetched after the answer."""
    asset, body = found(asset_id), checks.json_body(request)
    if asset.status != "ready":
        raise invalid("Tracks can only be added to an asset that is ready.")
    if checks.choice(body.get("type"), "type", ("text",)) is None:
        raise invalid("type is required.")
    checks.choice(body.get("text_type"), "text_type", ("subtitles",))
    url = checks.text(body.get("url"), "url", most=2000)
    if not url or not url.startswith(("http://", "https://")):
        raise invalid("url must be an http or https address.")
    wanted = _named(body) | {
        "url": url,
        "closed_captions": checks.flag(body.get("closed_captions"), "closed_captions"),
    }
    if wanted["language_code"] is None:
        raise invalid("language_code is required.")
    return data(sim().tracks.add_caption(asset, wanted, source="uploaded"), 201)


def _named(body: Doc) -> Doc:
    return {
        "language_code": checks.language_tag(body.get("language_code")),
        "name": checks.text(body.get("name"), "name", most=255),
        "passthrough": checks.text(body.get("passthrough"), "passthrough", most=255),
    }


@blueprint.patch("/<track_id>")
def update_track(asset_id: str, track_id: str) -> Answer:
    asset, body = found(asset_id), checks.json_body(request)
    track = _track(asset, track_id)
    changes = {name: value for name, value in _named(body).items() if name in body}
    for name in ("language_code", "name"):
        if changes.get(name, "") is None:
            raise invalid(f"{name} cannot be taken away.")
    if "closed_captions" in body:
        if track["type"] != "text":
            raise invalid("closed_captions is for text tracks only.")
        changes["closed_captions"] = checks.flag(body["closed_captions"], "closed_captions")
    return data(sim().tracks.change_track(asset, track, changes))


@blueprint.delete("/<track_id>")
def delete_track(asset_id: str, track_id: str) -> tuple[str, int]:
    asset = found(asset_id)
    sim().tracks.remove_track(asset, _track(asset, track_id))
    return "", 204


@blueprint.post("/<track_id>/generate-subtitles")
def generate_subtitles(asset_id: str, track_id: str) -> Answer:
    asset = found(asset_id)
    if _track(asset, track_id)["type"] != "audio":
        raise invalid("Subtitles can only be generated from an audio track.")
    wanted = checks.captions(checks.json_body(request).get("generated_subtitles"))
    if not wanted:
        raise invalid("generated_subtitles is required.")
    return data([sim().tracks.add_caption(asset, one) for one in wanted], 201)
