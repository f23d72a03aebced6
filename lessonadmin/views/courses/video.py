"""The preview video of a course, and the deletion of the course with it."""

import uuid

from flask import redirect, render_template, url_for
from werkzeug.wrappers import Response

from lessonadmin import auth
from lessonadmin.db import transaction
from lessonadmin.domain.lessons import course_lists, courses
from lessonadmin.domain.models import Course
from lessonadmin.views.courses.blueprint import bp, course_to_change
from lessonadmin.views.videos import trash
from lessonadmin.views.videos.routes import VideoRoutes


def confirm_delete(course: Course) -> str:
    count = course_lists.counts(auth.current_user(), [course])[course.id]
    return render_template("courses/delete.html", course=course, count=count)


VideoRoutes(kind="course", load=course_to_change, confirm_delete=confirm_delete).add_to(bp)


@bp.post("/<uuid:course_id>/delete")
def delete(course_id: uuid.UUID) -> Response:
    course = course_to_change(course_id)
    with transaction(auth.current_actor()):
        courses.delete(auth.current_user(), course_id)
    trash.say_deleted(course, "Its lessons are kept.")
    return redirect(url_for("courses.index"))
