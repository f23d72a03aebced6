"""The simulator's HTTP side: one Flask app that answers for Mux's API, upload, stream and image hosts."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from muxsim import checks
from muxsim.core import Core
from muxsim.errors import NOT_FOUND, MuxError, error_response
from muxsim.web import control, images, page, playback, upload_endpoint
from muxsim.web.api import assets, data, playback_ids, restrictions, system, tracks, uploads, usage, webhooks
from muxsim.web.context import sim

CHANGED_BY_HAND = ("control.change_upload", "control.change_asset")
READING = ("GET", "HEAD", "OPTIONS")


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
    parts = {one.blueprint.name for one in (uploads, assets, tracks, playback_ids, restrictions)}
    for endpoint, view in app.view_functions.items():
        if endpoint.partition(".")[0] in parts or endpoint in CHANGED_BY_HAND:
            app.view_functions[endpoint] = _in_one_transaction(view)
    app.register_error_handler(MuxError, MuxError.response)
    app.register_error_handler(HTTPException, _http_error)
    return app


def _in_one_transaction(view: Callable[..., Any]) -> Callable[..., Any]:
    """What a call reads is what it changes: else it would undo what a timer wrote in between."""

    @wraps(view)
    def whole(**values: Any) -> Any:
        if request.method in READING:
            return view(**values)
        checks.whole_body(request)  # before the others have to wait
        with sim().store.transaction():
            return view(**values)

    return whole


def _http_error(error: HTTPException) -> Response:
    status = error.code or 500
    if status < 400:
        return Response(status=status, headers=error.get_headers())
    message = NOT_FOUND if status == 404 else error.description or error.name
    return error_response(status, [message])
