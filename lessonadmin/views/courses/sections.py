"""The sections of a course: a new one, and the page of one, where it is renamed or removed. In which order they stand is set on the page
of the course."""

import uuid

from flask import flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from lessonadmin import auth
from lessonadmin.db import transaction
from lessonadmin.domain.errors import Conflict, Invalid, Problem
from lessonadmin.domain.lessons.sections import editing
from lessonadmin.domain.models import Course, CourseSection
from lessonadmin.views.courses.blueprint import bp, course_to_change


@bp.post("/<uuid:course_id>/sections")
def add_section(course_id: uuid.UUID) -> Response:
    title = request.form.get("section", "")
    try:
        with transaction(auth.current_actor()):
            section = editing.add(auth.current_user(), course_id, title)
    except Invalid as problem:
        return _page(course_to_change(course_id), None, title, problem=problem, status=400)
    flash(f"The section “{section.title}” is added. Move lessons into it.", "success")
    return _back(course_id, section.id)


@bp.get("/<uuid:course_id>/sections/<uuid:section_id>")
def section(course_id: uuid.UUID, section_id: uuid.UUID) -> Response:
    course, found = editing.find(auth.current_user(), course_id, section_id)
    return _page(course, found, found.title)


@bp.post("/<uuid:course_id>/sections/<uuid:section_id>")
def rename_section(course_id: uuid.UUID, section_id: uuid.UUID) -> Response:
    title = request.form.get("section", "")
    try:
        with transaction(auth.current_actor()):
            editing.rename(auth.current_user(), course_id, section_id, title, version=_version())
    except (Invalid, Conflict) as problem:
        course, found = editing.find(auth.current_user(), course_id, section_id)
        return _page(
            course, found, title, problem=problem, status=400 if isinstance(problem, Invalid) else 409
        )
    flash("The section is renamed.", "success")
    return _back(course_id, section_id)


@bp.post("/<uuid:course_id>/sections/<uuid:section_id>/remove")
def remove_section(course_id: uuid.UUID, section_id: uuid.UUID) -> Response:
    try:
        with transaction(auth.current_actor()):
            title = editing.remove(auth.current_user(), course_id, section_id, version=_version())
    except Conflict as problem:
        course, found = editing.find(auth.current_user(), course_id, section_id)
        return _page(course, found, found.title, problem=problem, status=409, removing=True)
    flash(f"The section “{title}” is removed. Its lessons are still in the course.", "success")
    return redirect(url_for("courses.edit", course_id=course_id, _anchor="lessons"))


def _version() -> int:
    """That of the course as the page showed it; one that is none is too old."""
    version = request.form.get("version", "")
    return int(version) if version.isdecimal() and len(version) < 10 else 0


def _page(
    course: Course,
    section: CourseSection | None,
    title: str,
    *,
    problem: Problem | None = None,
    status: int = 200,
    removing: bool = False,
) -> Response:
    html = render_template(
        "courses/section.html",
        course=course,
        section=section,
        title=title,
        problem=problem,
        removing=removing,
    )
    return make_response(html, status)


def _back(course_id: uuid.UUID, section_id: uuid.UUID) -> Response:
    return redirect(url_for("courses.edit", course_id=course_id, _anchor=f"section-{section_id}"))
