"""A lesson as students see it, for its instructor and staff, also while it is a draft; and the links that show it to others for a day.

Nothing in here publishes anything, and nothing can be bought.
"""

import uuid

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from lessonadmin import auth, config
from lessonadmin.db import transaction
from lessonadmin.domain import permissions, preview_links
from lessonadmin.domain.captions import transcripts
from lessonadmin.domain.lesson_files import files
from lessonadmin.domain.lessons import catalog
from lessonadmin.views.lessons.blueprint import bp
from lessonadmin.web import headers
from lessonadmin.web.player import shown_player


@bp.get("/<uuid:lesson_id>/preview")
def preview(lesson_id: uuid.UUID) -> str:
    return _page(lesson_id)


@bp.post("/<uuid:lesson_id>/preview-links")
def create_preview_link(lesson_id: uuid.UUID) -> str:
    with transaction(auth.current_actor()):
        secret = preview_links.make(auth.current_user(), lesson_id)
    address = config.current().public_url + url_for("shared_preview.show", secret=secret)
    return _page(lesson_id, new_address=address)


@bp.post("/<uuid:lesson_id>/preview-links/<uuid:link_id>/end")
def end_preview_link(lesson_id: uuid.UUID, link_id: uuid.UUID) -> Response:
    with transaction(auth.current_actor()):
        ended = preview_links.end(auth.current_user(), lesson_id, link_id)
    flash("The link shows nothing any more." if ended else "The link had ended already.", "success")
    return redirect(url_for("lessons.preview", lesson_id=lesson_id, _anchor="share"))


def _page(lesson_id: uuid.UUID, *, new_address: str = "") -> str:
    headers.shows_pictures()
    lesson = catalog.to_preview(auth.current_user(), lesson_id)
    bought = request.args.get("as") != "visitor" or lesson.price_cents == 0
    entry = catalog.shown_to(lesson, bought=bought)
    return render_template(
        "lessons/preview.html",
        lesson=lesson,
        entry=entry,
        player=shown_player(lesson) if entry.plays else None,
        preview=shown_player(lesson.course) if lesson.course is not None and not entry.plays else None,
        on_sale=permissions.visible_to_students(lesson),
        seen_as="buyer" if bought else "visitor",
        files=files.of_lesson(lesson) if entry.plays else [],
        transcript=transcripts.of_lesson(lesson) if entry.plays else None,
        links=preview_links.open_of(lesson),
        most_links=preview_links.MAX_OPEN,
        new_address=new_address,
    )
