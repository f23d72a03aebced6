"""The lesson form: a new one, saving, and being told that somebody else saved in between.

An open page saves without being left: it sends the same form and gets the form back as a fragment.
"""

import uuid
from dataclasses import replace

from flask import flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from lessonadmin import auth
from lessonadmin.db import transaction
from lessonadmin.domain import course_lists, lessons
from lessonadmin.domain.errors import Conflict, Invalid, Problem
from lessonadmin.domain.models import Lesson
from lessonadmin.views import clashes
from lessonadmin.views.lessons import form
from lessonadmin.views.lessons.blueprint import bp, lesson_to_change
from lessonadmin.views.lessons.form import Typed
from lessonadmin.views.videos import card
from lessonadmin.web import fragments, headers


@bp.get("/new")
def new() -> Response:
    return _form_page(None, Typed(price="0.00", course_id=request.args.get("course_id", "")[:40]))


@bp.post("/new")
def create() -> Response:
    typed = Typed.read(request.form, Typed())
    try:
        wanted = form.changes(typed)
        with transaction(auth.current_actor()):
            lesson = lessons.create(auth.current_user(), wanted)
    except Invalid as problem:
        return _form_page(None, typed, problem=problem, status=400)
    return _saved(lesson, "The lesson is saved.", status=201)


@bp.get("/<uuid:lesson_id>/edit")
def edit(lesson_id: uuid.UUID) -> Response:
    lesson = lesson_to_change(lesson_id)
    return _form_page(lesson, Typed.of(lesson))


@bp.post("/<uuid:lesson_id>/edit")
def save(lesson_id: uuid.UUID) -> Response:
    lesson = lesson_to_change(lesson_id)
    typed = Typed.read(request.form, Typed.of(lesson))
    try:
        wanted = form.changes(typed)
        with transaction(auth.current_actor()):
            lesson = lessons.edit(auth.current_user(), lesson_id, wanted, version=typed.version)
    except Invalid as problem:
        return _form_page(lesson, typed, problem=problem, status=400)
    except Conflict as problem:
        if problem.type != "edit_conflict":
            raise
        return _clash_page(lesson_id, typed, problem)
    return _saved(lesson, "The lesson is saved.")


def _clash_page(lesson_id: uuid.UUID, typed: Typed, problem: Conflict) -> Response:
    """Both texts are shown; saving again is then a decision, made against the newest version."""
    lesson = lesson_to_change(lesson_id)
    clash = clashes.clash(auth.current_user(), lesson, form.compared(lesson, typed))
    kept = replace(typed, version=lesson.version)
    return _form_page(lesson, kept, problem=problem, clash=clash, status=409)


def _form_page(
    lesson: Lesson | None,
    typed: Typed,
    *,
    problem: Problem | None = None,
    clash: clashes.Clash | None = None,
    status: int = 200,
) -> Response:
    headers.needs_widgets()
    given: dict[str, object] = {
        "lesson": lesson,
        "typed": typed,
        "problem": problem,
        "clash": clash,
        "courses": course_lists.offered(lesson.creator_id if lesson else auth.current_user().id, lesson),
    }
    if fragments.wanted():
        address = url_for("lessons.edit", lesson_id=lesson.id) if lesson is not None else None
        html = render_template("lessons/form.html", **given)
        return fragments.answer(html, name="form", status=status, address=address)
    given["card"] = card.of(lesson) if lesson is not None else card.blank("lesson")
    given["rules"] = card.upload_rules()
    return make_response(render_template("lessons/edit.html", **given), status)


def _saved(lesson: Lesson, words: str, *, status: int = 200) -> Response:
    if fragments.wanted():
        return _form_page(lesson, Typed.of(lesson), status=status)
    flash(words, "success")
    return redirect(url_for("lessons.edit", lesson_id=lesson.id))
