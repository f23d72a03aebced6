"""The order of a course's lessons: the whole order as the page has it, or that of a few (`among`), and one step up or down as the
buttons ask."""

import uuid

from flask import redirect, request, url_for
from werkzeug.wrappers import Response

from lessonadmin import auth
from lessonadmin.db import transaction
from lessonadmin.domain.lessons import courses
from lessonadmin.text.ids import as_id
from lessonadmin.views.courses.blueprint import bp
from lessonadmin.web import fragments

STEPS = {"up": -1, "down": 1}


@bp.post("/<uuid:course_id>/order")
def order(course_id: uuid.UUID) -> Response:
    ids = [lesson_id for text in request.form.getlist("lesson_id") if (lesson_id := as_id(text)) is not None]
    way, _, moved = request.form.get("move", "").partition(" ")
    wanted = moved_by(ids, as_id(moved), STEPS.get(way, 0))
    with transaction(auth.current_actor()):
        courses.reorder(auth.current_user(), course_id, wanted, among_themselves="among" in request.form)
    if fragments.wanted():
        return Response(status=204)
    return redirect(
        url_for("courses.edit", course_id=course_id, _anchor=f"lesson-{moved}" if moved else "lessons")
    )


def moved_by(ids: list[uuid.UUID], lesson_id: uuid.UUID | None, step: int) -> list[uuid.UUID]:
    """This order with one lesson a step further up or down; beyond the ends there is nowhere to go."""
    if lesson_id not in ids:
        return ids
    at = ids.index(lesson_id)
    to = min(max(at + step, 0), len(ids) - 1)
    rest = ids[:at] + ids[at + 1 :]
    return [*rest[:to], lesson_id, *rest[to:]]
