"""``/_sim``: the control page. Its own scripts and styles only, nothing inline, nothing from elsewhere."""

from flask import Blueprint, Response, redirect, render_template
from werkzeug.wrappers import Response as AnyResponse

from muxsim.web.control import local_only

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
blueprint = Blueprint("page", __name__)


@blueprint.get("/_sim")
def show() -> Response:
    local_only()
    response = Response(render_template("sim.html"))
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.get("/")
def to_page() -> AnyResponse:
    local_only()
    return redirect("/_sim")
