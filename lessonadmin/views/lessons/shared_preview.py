"""The page that a preview link opens: one lesson as its buyers see it, for a person who needs no account. It only shows.

Its address never leaves the browser in a referrer, no search engine keeps the page, and `hiding` keeps the secret out of logs and reports.
"""

import uuid

from flask import Blueprint, Response, make_response, render_template

from lessonadmin.domain import preview_links
from lessonadmin.domain.lessons import catalog
from lessonadmin.domain.preview_links import PreviewEnded
from lessonadmin.views.lessons import downloads
from lessonadmin.web import headers
from lessonadmin.web.player import shown_player

bp = Blueprint("shared_preview", __name__)


@bp.after_request
def _keep_it_here(response: Response) -> Response:
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return response


@bp.errorhandler(PreviewEnded)
def ended(_problem: PreviewEnded) -> Response:
    return make_response(render_template("catalog/preview_ended.html"), 404)


@bp.get("/preview/<secret>")
def show(secret: str) -> Response:
    found = preview_links.look(secret)
    headers.shows_pictures()
    return make_response(
        render_template(
            "catalog/shared_preview.html",
            lesson=found.lesson,
            entry=catalog.shown_to(found.lesson, bought=True),
            player=shown_player(found.lesson, at_most=found.seconds_left),
            files=found.files,
            transcript=found.transcript,
            secret=secret,
            ends_at=found.link.expires_at,
        )
    )


@bp.get("/preview/<secret>/files/<uuid:file_id>")
def download_file(secret: str, file_id: uuid.UUID) -> Response:
    return downloads.answer(preview_links.file_of(secret, file_id))
