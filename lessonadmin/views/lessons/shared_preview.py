"""The page that a preview link opens: one lesson as its buyers see it, for a person who needs no account. It only shows.

Its address never leaves the browser in a referrer, no search engine keeps the page, and `hiding` keeps the secret out of logs and reports.
"""

from flask import Blueprint, Response, make_response, render_template

from lessonadmin.domain import preview_links
from lessonadmin.domain.lessons import catalog
from lessonadmin.domain.preview_links import PreviewEnded
from lessonadmin.web import headers
from lessonadmin.web.player import shown_player

bp = Blueprint("shared_preview", __name__)


@bp.after_request
def _keep_it_here(response: Response) -> Response:
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return response


@bp.get("/preview/<secret>")
def show(secret: str) -> Response:
    try:
        found = preview_links.look(secret)
    except PreviewEnded:
        return make_response(render_template("catalog/preview_ended.html"), 404)
    headers.shows_pictures()
    return make_response(
        render_template(
            "catalog/shared_preview.html",
            lesson=found.lesson,
            entry=catalog.shown_to(found.lesson, bought=True),
            player=shown_player(found.lesson, at_most=found.seconds_left),
            ends_at=found.link.expires_at,
        )
    )
