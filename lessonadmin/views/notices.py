"""Notices: what happened to one's lessons."""

from flask import Blueprint, render_template

bp = Blueprint("notices", __name__, url_prefix="/notifications")


@bp.get("")
def index() -> str:
    return render_template("notices/index.html")
