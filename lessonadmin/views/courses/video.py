"""The preview video of a course, the lesson whose picture it has without one, and the deletion of the course."""

import uuid

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from lessonadmin import auth
from lessonadmin.db import transaction
from lessonadmin.domain.errors import Missing
from lessonadmin.domain.lessons import course_lists, courses
from lessonadmin.domain.models import Course
from lessonadmin.text.ids import as_id
from lessonadmin.views.courses.blueprint import bp, course_to_change
from lessonadmin.views.videos import trash
from lessonadmin.views.videos.routes import VideoRoutes


def confirm_delete(course: Course) -> str:
    count = course_lists.counts(auth.current_user(), [course])[course.id]
    return render_template("courses/delete.html", course=course, count=count)


VideoRoutes(kind="course", load=course_to_change, confirm_delete=confirm_delete).add_to(bp)


@bp.post("/<uuid:course_id>/cover")
def cover(course_id: uuid.UUID) -> Response:
    typed = request.form.get("lesson_id", "")
    chosen = as_id(typed)
    if typed and chosen is None:
        raise Missing()
    with transaction(auth.current_actor()):
        courses.choose_cover(auth.current_user(), course_id, chosen)
    flash("Cover saved.", "success")
    return redirect(url_for("courses.edit", course_id=course_id, _anchor="cover"))


@bp.post("/<uuid:course_id>/delete")
def delete(course_id: uuid.UUID) -> Response:
    course = course_to_change(course_id)
    with transaction(auth.current_actor()):
        courses.delete(auth.current_user(), course_id)
    trash.say_deleted(course, "Its lessons are kept.")
    return redirect(url_for("courses.index"))
