"""Playback ids over REST: those of an asset, and the way back from a playback id to its asset."""

from flask import Blueprint, request

from muxsim import checks
from muxsim.errors import not_found
from muxsim.store import Doc
from muxsim.videos.assets import Asset
from muxsim.web.api.assets import found
from muxsim.web.context import sim
from muxsim.web.every_call import data, env, guard

blueprint = guard(Blueprint("playback_ids", __name__, url_prefix="/video/v1"))


def _entry(asset: Asset, playback_id: str) -> Doc:
    checks.an_id(playback_id, sim().switches["bad_id_status"])
    for entry in asset.doc.get("playback_ids", []):
        if entry["id"] == playback_id:
            return dict(entry)
    raise not_found()


@blueprint.post("/assets/<asset_id>/playback-ids")
def create_playback_id(asset_id: str) -> tuple[Doc, int]:
    asset, body = found(asset_id), checks.json_body(request, optional=True)
    policy = checks.choice(body.get("policy"), "policy", checks.POLICIES) or "public"
    with sim().store.transaction():
        return data(sim().assets.add_playback_id(asset, sim().ids.new("playback"), policy), 201)


@blueprint.get("/assets/<asset_id>/playback-ids/<playback_id>")
def get_playback_id(asset_id: str, playback_id: str) -> tuple[Doc, int]:
    return data(_entry(found(asset_id), playback_id))


@blueprint.delete("/assets/<asset_id>/playback-ids/<playback_id>")
def delete_playback_id(asset_id: str, playback_id: str) -> tuple[str, int]:
    asset = found(asset_id)
    with sim().store.transaction():
        sim().assets.remove_playback_id(asset, _entry(asset, playback_id)["id"])
    return "", 204


@blueprint.get("/playback-ids/<playback_id>")
def find_by_playback_id(playback_id: str) -> tuple[Doc, int]:
    checks.an_id(playback_id, sim().switches["bad_id_status"])
    known = sim().assets.playback(playback_id)
    if known is None or known[0].env != env():
        raise not_found()
    return data({"id": playback_id, "policy": known[1], "object": {"type": "asset", "id": known[0].id}})
