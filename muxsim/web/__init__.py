"""The simulator's HTTP side: one Flask app that answers for Mux's API, upload, stream and image hosts."""

from flask import Flask, Response
from werkzeug.exceptions import HTTPException

from muxsim.core import Core
from muxsim.errors import NOT_FOUND, MuxError, error_response
from muxsim.web import control, images, page, playback, upload_endpoint
from muxsim.web.api import assets, data, playback_ids, restrictions, system, tracks, uploads, usage, webhooks


def create_app(core: Core) -> Flask:
    app = Flask("muxsim", static_url_path="/_sim/static")
    app.extensions["muxsim"] = core
    app.url_map.strict_slashes = False
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.url_map.merge_slashes = False
    for part in (
        uploads, assets, tracks, playback_ids, system, webhooks, usage, data,
        restrictions,
    ):  # fmt: skip
        app.register_blueprint(part.blueprint)
    for place in (upload_endpoint, control, page, playback, images):  # fmt: skip
        app.register_blueprint(place.blueprint)
    app.register_error_handler(MuxError, MuxError.response)
    app.register_error_handler(HTTPException, _http_error)
    return app


def _http_error(error: HTTPException) -> Response:
    status = error.code or 500
    if status < 400:
        return Response(status=status, headers=error.get_headers())
    message = NOT_FOUND if status == 404 else error.description or error.name
    return error_response(status, [message])
