"""The preview video of a course: the state that an open page asks for, and what may be done about it."""

import uuid
from collections.abc import Callable

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from lessonadmin import auth
from lessonadmin.domain import course_lists
from lessonadmin.domain.errors import Problem
from lessonadmin.domain.models import Course
from lessonadmin.views import video_actions, video_card
from lessonadmin.views.courses import bp, mine
from lessonadmin.web import errors, fragments

ACTIONS: dict[str, Callable[[Course], str]] = {
    "ask": video_actions.ask,
    "cancel": video_actions.cancel,
    "remove": video_actions.remove,
    "undo": video_actions.undo,
}


@bp.get("/<uuid:course_id>/video")
def video(course_id: uuid.UUID) -> Response:
    """The state alone, as an open page asks for it; typed by hand it leads to the page."""
    course = mine(course_id)
    if not fragments.wanted():
        return redirect(url_for("courses.edit", course_id=course.id))
    return video_card.fragment(card(course))


def card(course: Course, *, said: str = "", problem: Problem | None = None) -> video_card.Card:
    urls = {name: url_for(f"courses.{name}", course_id=course.id) for name in ("video", *ACTIONS)}
    return video_card.of(course, urls, said=said or request.args.get("said", "")[:20], problem=problem)


def _act(course_id: uuid.UUID, name: str) -> Response:
    course = mine(course_id)
    alone = fragments.wanted()
    try:
        said = ACTIONS[name](course)
    except Problem as problem:
        if not alone:
            raise
        return video_card.fragment(
            card(mine(course_id), problem=problem), status=errors.STATUS[type(problem)]
        )
    if alone:
        return video_card.fragment(card(mine(course_id), said=said))
    return redirect(url_for("courses.edit", course_id=course_id, said=said))


@bp.post("/<uuid:course_id>/ask")
def ask(course_id: uuid.UUID) -> Response:
    return _act(course_id, "ask")


@bp.post("/<uuid:course_id>/cancel")
def cancel(course_id: uuid.UUID) -> Response:
    return _act(course_id, "cancel")


@bp.post("/<uuid:course_id>/remove")
def remove(course_id: uuid.UUID) -> Response:
    return _act(course_id, "remove")


@bp.post("/<uuid:course_id>/undo")
def undo(course_id: uuid.UUID) -> Response:
    return _act(course_id, "undo")


@bp.get("/<uuid:course_id>/<any(cancel, remove, delete):what>")
def confirm(course_id: uuid.UUID, what: str) -> str:
    """The question as a page of its own, for browsers without scripts."""
    course = mine(course_id)
    if what == "delete":
        count = course_lists.counts(auth.current_user(), [course])[course.id]
        return render_template("courses/delete.html", course=course, count=count)
    return render_template("courses/confirm.html", course=course, what=what, card=card(course))
