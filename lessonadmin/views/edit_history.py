"""The page of what was edited in a lesson or a course, and taking an edit back.

What an edit is and what taking it back means is decided in the domain.
"""

import uuid
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from lessonadmin import auth
from lessonadmin.db import transaction
from lessonadmin.domain.errors import Conflict, Invalid
from lessonadmin.domain.lessons import edit_history
from lessonadmin.domain.models import Course, Lesson
from lessonadmin.text.ids import as_id
from lessonadmin.views.courses import blueprint as of_courses
from lessonadmin.views.lessons import blueprint as of_lessons

OVERTAKEN = (
    "It was saved again while this page was open, so nothing was taken back. Look at the newest edits first."
)


@of_lessons.bp.get("/<uuid:lesson_id>/edits", endpoint="edits")
def of_lesson(lesson_id: uuid.UUID) -> str:
    return _page(of_lessons.lesson_to_change(lesson_id))


@of_courses.bp.get("/<uuid:course_id>/edits", endpoint="edits")
def of_course(course_id: uuid.UUID) -> str:
    return _page(of_courses.course_to_change(course_id))


@of_lessons.bp.post("/<uuid:lesson_id>/edits/take-back", endpoint="take_back")
def take_back_of_lesson(lesson_id: uuid.UUID) -> Response:
    return _take_back(of_lessons.lesson_to_change(lesson_id))


@of_courses.bp.post("/<uuid:course_id>/edits/take-back", endpoint="take_back")
def take_back_of_course(course_id: uuid.UUID) -> Response:
    return _take_back(of_courses.course_to_change(course_id))


def _address(owner: Lesson | Course, endpoint: str) -> str:
    values: dict[str, Any] = {f"{owner.kind}_id": owner.id}
    return url_for(f"{owner.kind}s.{endpoint}", **values)


def _page(owner: Lesson | Course) -> str:
    return render_template(
        "edit_history.html",
        owner=owner,
        history=edit_history.of(auth.current_user(), owner),
        back=_address(owner, "edit"),
        action=_address(owner, "take_back"),
    )


def _take_back(owner: Lesson | Course) -> Response:
    edit_id, version = as_id(request.form.get("edit_id", "")), request.form.get("version", type=int)
    if edit_id is None or version is None:
        raise Invalid("invalid_input", "The page names no edit.")
    try:
        with transaction(auth.current_actor()):
            edit_history.take_back(auth.current_user(), owner, edit_id, version=version)
        flash("The edit is taken back.", "success")
    except Conflict as problem:
        flash(OVERTAKEN if problem.type == "edit_conflict" else problem.message, "warning")
    return redirect(_address(owner, "edits"))
