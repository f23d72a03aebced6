"""``/video/v1/uploads``: direct uploads over REST."""

from flask import Blueprint, request

from muxsim import checks
from muxsim.errors import not_found
from muxsim.store import Doc
from muxsim.videos.uploads import Upload
from muxsim.web.context import sim
from muxsim.web.every_call import data, env, guard

blueprint = guard(Blueprint("uploads", __name__, url_prefix="/video/v1/uploads"))
MIN_TIMEOUT_SECONDS, MAX_TIMEOUT_SECONDS, USUAL = 60, 604_800, 3600


def _shown(upload: Upload) -> Doc:
    body = upload.shown(url=sim().upload_url(upload))
    if sim().switches["unknown_enum"] == "upload_status":
        body["status"] = "reticulating"
    return body


def _found(upload_id: str) -> Upload:
    checks.an_id(upload_id, sim().switches["bad_id_status"])
    upload = sim().uploads.get(upload_id, env())
    if upload is None:
        raise not_found()
    return upload


@blueprint.post("")
def create_upload() -> tuple[Doc, int]:
    body = checks.json_body(request)
    settings = checks.asset_settings(body.get("new_asset_settings"))
    origin = checks.cors_origin(body.get("cors_origin"), required=sim().switches["cors_origin_required"])
    timeout = checks.whole(
        body.get("timeout"), "timeout", least=MIN_TIMEOUT_SECONDS, most=MAX_TIMEOUT_SECONDS, default=USUAL
    )
    doc: Doc = {"timeout": timeout, "new_asset_settings": settings}
    if origin:
        doc["cors_origin"] = origin
    if checks.flag(body.get("test"), "test"):
        doc["test"] = True
    upload = sim().lifecycle.create_upload(env(), timeout=timeout, doc=doc, url_of=sim().upload_url)
    return data(_shown(upload), 201)


@blueprint.get("")
def list_uploads() -> tuple[Doc, int]:
    limit = checks.whole(
        request.args.get("limit"), "limit", least=1, most=100, default=sim().switches["default_page_size"]
    )
    page = checks.whole(request.args.get("page"), "page", least=1, most=10_000_000, default=1)
    return data([_shown(one) for one in sim().uploads.page(env(), limit, (page - 1) * limit)])


@blueprint.get("/<upload_id>")
def get_upload(upload_id: str) -> tuple[Doc, int]:
    return data(_shown(_found(upload_id)))


@blueprint.put("/<upload_id>/cancel")
def cancel_upload(upload_id: str) -> tuple[Doc, int]:
    return data(_shown(sim().lifecycle.cancel_upload(_found(upload_id).id)))
