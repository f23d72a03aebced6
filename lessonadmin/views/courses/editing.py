"""The course form: a new one, saving, and being told that another user saved in between.

Everything that is wrong is said at once and what was typed is kept. An open page saves without being left: it sends the
same form and gets the form back as a fragment.
"""

import uuid
from contextlib import suppress

from flask import flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from lessonadmin import auth
from lessonadmin.db import transaction
from lessonadmin.domain.errors import Conflict, Invalid
from lessonadmin.domain.lessons import course_lists, courses, pictures
from lessonadmin.domain.lessons.sections import places
from lessonadmin.domain.models import Course
from lessonadmin.domain.videos import video_status
from lessonadmin.views import edit_conflicts
from lessonadmin.views.courses.blueprint import bp, course_to_change
from lessonadmin.views.videos import card
from lessonadmin.web import fragments, headers
from lessonadmin.web.forms import CourseForm


@bp.get("/new")
def new() -> Response:
    return _page(None, CourseForm())


@bp.post("/new")
def create() -> Response:
    form = CourseForm(request.form)
    try:
        wanted = form.changes()
        with transaction(auth.current_actor()):
            course = courses.create(auth.current_user(), wanted)
    except Invalid as problem:
        return _page(None, form, problem=problem, status=400)
    return _saved(course, status=201)


@bp.get("/<uuid:course_id>/edit")
def edit(course_id: uuid.UUID) -> Response:
    course = course_to_change(course_id)
    return _page(course, CourseForm.of(course))


@bp.post("/<uuid:course_id>/edit")
def save(course_id: uuid.UUID) -> Response:
    course = course_to_change(course_id)
    form = CourseForm.of(course, request.form)
    try:
        course = _stored(course_id, form)
    except Invalid as problem:
        return _page(course, form, problem=problem, status=400)
    except Conflict as problem:
        return _merged(course_to_change(course_id), form, problem)
    return _saved(course)


def _stored(course_id: uuid.UUID, form: CourseForm) -> Course:
    wanted, version = form.changes(), form.version.data
    with transaction(auth.current_actor()):
        return courses.edit(auth.current_user(), course_id, wanted, version=version)


def _merged(course: Course, form: CourseForm, problem: Conflict) -> Response:
    """Where both wrote something different, both texts are shown; saving again is then a decision, against the newest version."""
    newest = CourseForm.of(course)
    both = edit_conflicts.merge(form, newest, request.form)
    form.version.data = course.version
    if not both:
        with suppress(Conflict):
            return _saved(_stored(course.id, form))
    compared = {form[name].label.text: (_in_words(name, newest), _in_words(name, form)) for name in both}
    conflict = edit_conflicts.conflict(auth.current_user(), course, compared)
    return _page(course, form, problem=problem, conflict=conflict, status=409)


def _in_words(name: str, form: CourseForm) -> str:
    """What a field says; a language by its name."""
    return form.language_shown if name == "language" else form.texts()[name]


def _page(course: Course | None, form: CourseForm, *, status: int = 200, **more: object) -> Response:
    headers.needs_widgets()
    given: dict[str, object] = {
        "course": course,
        "form": form,
        "was": _was(course),
        "problem": None,
        "conflict": None,
        **more,
    }
    if fragments.wanted():
        address = url_for("courses.edit", course_id=course.id) if course is not None else None
        html = render_template("courses/form.html", **given)
        return fragments.answer(html, name="form", status=status, address=address)
    user = auth.current_user()
    lessons = course_lists.lessons_of(user, course.id) if course is not None else []
    given["card"] = card.of(course) if course is not None else card.blank("course")
    given["rules"] = card.upload_rules()
    given |= {
        "lessons": lessons,
        "parts": places.parts(lessons, places.sections_of([course.id])[course.id], lambda one: one)
        if course is not None
        else [],
        "states": video_status.of_many(lessons),
        "covers": course_lists.covers(user, lessons),
        "cover": pictures.covers([course], width=192, height=108)[course.id] if course is not None else None,
        "may_cover": _cover_choices(course) if course is not None and not course.is_playable else [],
    }
    return make_response(render_template("courses/edit.html", **given), status)


def _cover_choices(course: Course) -> list[tuple[str, str]]:
    found = [(str(lesson.id), lesson.title) for lesson in pictures.may_cover(course)]
    return [("", "The first of them"), *found] if found else []


def _was(course: Course | None) -> dict[str, str]:
    return edit_conflicts.fingerprints(CourseForm.of(course)) if course is not None else {}


def _saved(course: Course, *, status: int = 200) -> Response:
    if fragments.wanted():
        return _page(course, CourseForm.of(course), status=status)
    flash("Course saved.", "success")
    return redirect(url_for("courses.edit", course_id=course.id))
