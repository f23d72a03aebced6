"""`/`: sends each user to the first page of their role."""

from flask import Blueprint, redirect, url_for
from werkzeug.wrappers import Response

from lessonadmin import auth

bp = Blueprint("home", __name__)

FIRST_PAGE = {
    "student": "catalog.index",
    "instructor": "lessons.index",
    "support": "admin.index",
    "admin": "admin.index",
}


@bp.get("/")
def index() -> Response:
    return redirect(url_for(FIRST_PAGE[auth.current_user().role]))
