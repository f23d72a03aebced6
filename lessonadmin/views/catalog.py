"""What students see: published lessons."""

from flask import Blueprint, render_template

bp = Blueprint("catalog", __name__, url_prefix="/catalog")


@bp.get("")
def index() -> str:
    return render_template("catalog/index.html")
