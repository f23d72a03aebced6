"""The state of a lesson's video and what may be done about it: publish, take back, cancel, remove, undo, delete.

Each action answers twice: a browser without scripts is sent back to the page, an open page gets the state alone.
"""

import uuid
from collections.abc import Callable

from flask import abort, flash, make_response, redirect, render_template, request, url_for
from sqlalchemy import func, select
from werkzeug.wrappers import Response

from lessonadmin import auth
from lessonadmin.db import db, transaction
from lessonadmin.domain import lessons
from lessonadmin.domain.errors import Problem
from lessonadmin.domain.models import Lesson, Purchase
from lessonadmin.views import video_actions, video_card
from lessonadmin.views.lessons import bp, mine
from lessonadmin.web import errors, fragments

Action = Callable[[Lesson], str]


@bp.get("/<uuid:lesson_id>/video")
def video(lesson_id: uuid.UUID) -> Response:
    """The state alone, as an open page asks for it; typed by hand it leads to the page."""
    lesson = mine(lesson_id)
    if not fragments.wanted():
        return redirect(url_for("lessons.edit", lesson_id=lesson.id))
    return video_card.fragment(card(lesson))


def card(lesson: Lesson, *, said: str = "", problem: Problem | None = None) -> video_card.Card:
    urls = {name: url_for(f"lessons.{name}", lesson_id=lesson.id) for name in (*ACTIONS, "video", "delete")}
    return video_card.of(
        lesson, urls, said=said or request.args.get("said", "")[:20], problem=problem, bought=bought(lesson)
    )


def _publish(lesson: Lesson) -> str:
    return "published" if lessons.publish(lesson, actor=auth.current_actor()) else "asked"


def _unpublish(lesson: Lesson) -> str:
    with transaction(auth.current_actor()):
        lessons.unpublish(lesson)
    return "unpublished"


ACTIONS: dict[str, Action] = {
    "publish": _publish,
    "unpublish": _unpublish,
    "ask": video_actions.ask,
    "cancel": video_actions.cancel,
    "remove": video_actions.remove,
    "undo": video_actions.undo,
}


def _act(lesson_id: uuid.UUID, name: str) -> Response:
    lesson = mine(lesson_id)
    alone = fragments.wanted()
    try:
        said = ACTIONS[name](lesson)
    except Problem as problem:
        if not alone:
            raise
        return video_card.fragment(
            card(mine(lesson_id), problem=problem), status=errors.STATUS[type(problem)]
        )
    if alone:
        return video_card.fragment(card(mine(lesson_id), said=said))
    return redirect(url_for("lessons.edit", lesson_id=lesson_id, said=said))


@bp.post("/<uuid:lesson_id>/publish")
def publish(lesson_id: uuid.UUID) -> Response:
    return _act(lesson_id, "publish")


@bp.post("/<uuid:lesson_id>/unpublish")
def unpublish(lesson_id: uuid.UUID) -> Response:
    return _act(lesson_id, "unpublish")


@bp.post("/<uuid:lesson_id>/ask")
def ask(lesson_id: uuid.UUID) -> Response:
    return _act(lesson_id, "ask")


@bp.post("/<uuid:lesson_id>/cancel")
def cancel(lesson_id: uuid.UUID) -> Response:
    return _act(lesson_id, "cancel")


@bp.post("/<uuid:lesson_id>/remove")
def remove(lesson_id: uuid.UUID) -> Response:
    return _act(lesson_id, "remove")


@bp.post("/<uuid:lesson_id>/undo")
def undo(lesson_id: uuid.UUID) -> Response:
    return _act(lesson_id, "undo")


@bp.post("/<uuid:lesson_id>/delete")
def delete(lesson_id: uuid.UUID) -> Response:
    title = mine(lesson_id).title
    with transaction(auth.current_actor()):
        lessons.delete(auth.current_user(), lesson_id)
    flash(f"“{title}” is deleted.", "success")
    return redirect(url_for("lessons.index"))


@bp.get("/<uuid:lesson_id>/<any(unpublish, cancel, remove, delete):what>")
def confirm(lesson_id: uuid.UUID, what: str) -> Response:
    """The question as a page of its own, for browsers without scripts."""
    lesson = mine(lesson_id)
    if what == "delete" and bought(lesson):
        abort(404)
    page = render_template("lessons/confirm.html", lesson=lesson, what=what, card=card(lesson))
    return make_response(page)


def bought(lesson: Lesson) -> int:
    wanted = select(func.count()).select_from(Purchase).where(Purchase.lesson_id == lesson.id)
    return db.session.scalar(wanted) or 0
