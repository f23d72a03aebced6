"""The lessons of whoever teaches."""

from flask import Blueprint, render_template

bp = Blueprint("lessons", __name__, url_prefix="/lessons")


@bp.get("")
def index() -> str:
    return render_template("lessons/index.html")
