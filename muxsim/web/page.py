"""``/_sim``: the control page."""

from flask import Blueprint, render_template

from muxsim.web.control import local_only

blueprint = Blueprint("page", __name__, url_prefix="/_sim")
blueprint.before_request(local_only)


@blueprint.get("")
def show() -> str:
    return render_template("sim.html")
