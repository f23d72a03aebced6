"""The video of a lesson, and the deletion of the lesson with it."""

import uuid

from flask import abort, redirect, url_for
from werkzeug.wrappers import Response

from lessonadmin import auth
from lessonadmin.db import transaction
from lessonadmin.domain import buyers
from lessonadmin.domain.lessons import lessons
from lessonadmin.domain.models import Lesson
from lessonadmin.views.lessons.blueprint import bp, lesson_to_change
from lessonadmin.views.videos import trash
from lessonadmin.views.videos.routes import VideoRoutes, confirm_page


def confirm_delete(lesson: Lesson) -> str:
    """There is no question about a lesson that cannot be deleted."""
    if buyers.count(lesson.id):
        abort(404)
    return confirm_page(lesson, "delete")


VideoRoutes(kind="lesson", load=lesson_to_change, confirm_delete=confirm_delete).add_to(bp)


@bp.post("/<uuid:lesson_id>/delete")
def delete(lesson_id: uuid.UUID) -> Response:
    lesson = lesson_to_change(lesson_id)
    with transaction(auth.current_actor()):
        lessons.delete(auth.current_user(), lesson_id)
    trash.say_deleted(lesson)
    return redirect(url_for("lessons.index"))
