"""The lesson form: a new one, saving, and being told that another user saved in between.

An open page saves without being left: it sends the same form and gets the form back as a fragment.
"""

import uuid

from flask import flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from lessonadmin import auth
from lessonadmin.db import transaction
from lessonadmin.domain.errors import Conflict, Invalid, Problem
from lessonadmin.domain.lessons import course_lists, lessons
from lessonadmin.domain.models import Lesson
from lessonadmin.views import edit_conflicts
from lessonadmin.views.lessons.blueprint import bp, lesson_to_change
from lessonadmin.views.videos import card
from lessonadmin.web import fragments, headers
from lessonadmin.web.forms import InstructorLessonForm


@bp.get("/new")
def new() -> Response:
    return _form_page(None, InstructorLessonForm(course_id=request.args.get("course_id", "")[:40]))


@bp.post("/new")
def create() -> Response:
    form = InstructorLessonForm(request.form)
    try:
        wanted = form.changes()
        with transaction(auth.current_actor()):
            lesson = lessons.create(auth.current_user(), wanted)
    except Invalid as problem:
        return _form_page(None, form, problem=problem, status=400)
    return _saved(lesson, "The lesson is saved.", status=201)


@bp.get("/<uuid:lesson_id>/edit")
def edit(lesson_id: uuid.UUID) -> Response:
    lesson = lesson_to_change(lesson_id)
    return _form_page(lesson, InstructorLessonForm.of(lesson))


@bp.post("/<uuid:lesson_id>/edit")
def save(lesson_id: uuid.UUID) -> Response:
    lesson = lesson_to_change(lesson_id)
    form = InstructorLessonForm.of(lesson, request.form)
    try:
        wanted = form.changes()
        with transaction(auth.current_actor()):
            lesson = lessons.edit(auth.current_user(), lesson_id, wanted, version=form.version.data)
    except Invalid as problem:
        return _form_page(lesson, form, problem=problem, status=400)
    except Conflict as problem:
        if problem.type != "edit_conflict":
            raise
        return _conflict_page(lesson_id, form, problem)
    return _saved(lesson, "The lesson is saved.")


def _conflict_page(lesson_id: uuid.UUID, form: InstructorLessonForm, problem: Conflict) -> Response:
    """Both texts are shown; saving again is then a decision, made against the newest version."""
    lesson = lesson_to_change(lesson_id)
    conflict = edit_conflicts.conflict(auth.current_user(), lesson, _compared(lesson, form))
    form.version.data = lesson.version
    return _form_page(lesson, form, problem=problem, conflict=conflict, status=409)


def _compared(lesson: Lesson, form: InstructorLessonForm) -> dict[str, tuple[str | None, str | None]]:
    """Each field by its label: as it is stored, and as it is typed."""
    stored = InstructorLessonForm.of(lesson)
    titles = dict(course_lists.offered(lesson.creator_id, lesson))
    return {
        "Title": (stored.title.data, form.title.data),
        "Description": (stored.description.data, form.description.data),
        "Price": (stored.price.data, form.price.data),
        "Course": (titles.get(stored.course_id.data or ""), titles.get(form.course_id.data or "")),
    }


def _form_page(
    lesson: Lesson | None,
    form: InstructorLessonForm,
    *,
    problem: Problem | None = None,
    conflict: edit_conflicts.EditConflict | None = None,
    status: int = 200,
) -> Response:
    headers.needs_widgets()
    given: dict[str, object] = {
        "lesson": lesson,
        "form": form,
        "problem": problem,
        "conflict": conflict,
        "courses": course_lists.offered(lesson.creator_id if lesson else auth.current_user().id, lesson),
    }
    if fragments.wanted():
        address = url_for("lessons.edit", lesson_id=lesson.id) if lesson is not None else None
        html = render_template("lessons/form.html", **given)
        return fragments.answer(html, name="form", status=status, address=address)
    given["card"] = card.of(lesson) if lesson is not None else card.blank("lesson")
    given["rules"] = card.upload_rules()
    given["instructor"] = _other_instructor(lesson) if lesson is not None else ""
    return make_response(render_template("lessons/edit.html", **given), status)


def _other_instructor(lesson: Lesson) -> str:
    """Whose lesson it is, for staff, who edit those of others; empty for one's own."""
    if lesson.creator_id == auth.current_user().id:
        return ""
    (found,) = course_lists.people([lesson.creator_id]).values()
    return found


def _saved(lesson: Lesson, words: str, *, status: int = 200) -> Response:
    if fragments.wanted():
        return _form_page(lesson, InstructorLessonForm.of(lesson), status=status)
    flash(words, "success")
    return redirect(url_for("lessons.edit", lesson_id=lesson.id))
