"""The lesson form: a new one, saving, its unsaved changes, and being told that another user saved in between.

An open page saves without being left: it sends the same form and gets the form back as a fragment. For a video that is chosen
before the form is complete it begins the lesson without a word of the user: that is no saving.
"""

import uuid
from contextlib import suppress

from flask import flash, jsonify, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from lessonadmin import auth
from lessonadmin.db import JOB, new_id, transaction
from lessonadmin.domain.errors import Conflict, Invalid, Problem
from lessonadmin.domain.lessons import course_lists, lessons
from lessonadmin.domain.models import Lesson
from lessonadmin.text.ids import as_id
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
        if form.file_name.data and form.lacks_only_what_is_not_typed_yet:
            return _saved(_begun(form), "The lesson is not saved yet.", status=201)
        return _form_page(None, form, problem=problem, status=400)
    return _saved(lesson, "The lesson is saved.", status=201)


def _begun(form: InstructorLessonForm) -> Lesson:
    with transaction(auth.current_actor()):
        return lessons.begin(auth.current_user(), form.so_far(), file_name=form.file_name.data or "")


@bp.get("/<uuid:lesson_id>/edit")
def edit(lesson_id: uuid.UUID) -> Response:
    lesson = lesson_to_change(lesson_id)
    return _form_page(lesson, InstructorLessonForm.of(lesson))


@bp.post("/<uuid:lesson_id>/edit")
def save(lesson_id: uuid.UUID) -> Response:
    lesson = lesson_to_change(lesson_id)
    form = InstructorLessonForm.of(lesson, request.form)
    try:
        lesson = _stored(lesson_id, form)
    except Invalid as problem:
        return _form_page(lesson, form, problem=problem, status=400)
    except Conflict as problem:
        if problem.type != "edit_conflict":
            raise
        return _merged(lesson_id, form, problem)
    return _saved(lesson, "The lesson is saved.")


def _stored(lesson_id: uuid.UUID, form: InstructorLessonForm) -> Lesson:
    wanted, version, page_id = form.changes(), form.version.data, form.page_id.data
    with transaction(auth.current_actor()):
        return lessons.edit(auth.current_user(), lesson_id, wanted, version=version, page_id=page_id)


def _merged(lesson_id: uuid.UUID, form: InstructorLessonForm, problem: Conflict) -> Response:
    """Where both wrote something different, both texts are shown; saving again is then a decision, against the newest version."""
    lesson = lesson_to_change(lesson_id)
    newest = InstructorLessonForm.of(lesson)
    both = edit_conflicts.merge(form, newest, request.form)
    form.version.data = lesson.version
    if not both:
        with suppress(Conflict):
            return _saved(_stored(lesson_id, form), "The lesson is saved.")
    compared = {
        form[name].label.text: (_read(lesson, newest, name), _read(lesson, form, name)) for name in both
    }
    conflict = edit_conflicts.conflict(auth.current_user(), lesson, compared)
    return _form_page(lesson, form, problem=problem, conflict=conflict, status=409)


def _read(lesson: Lesson, form: InstructorLessonForm, name: str) -> str:
    text = form.texts()[name]
    return (
        dict(course_lists.offered(lesson.creator_id, lesson)).get(text, "") if name == "course_id" else text
    )


@bp.post("/<uuid:lesson_id>/unsaved-changes")
def unsaved_changes(lesson_id: uuid.UUID) -> Response:
    """An open page tells whether it has any; the lesson is not published automatically meanwhile."""
    lesson, page_id = lesson_to_change(lesson_id), as_id(request.form.get("page_id", ""))
    if page_id is None:
        raise Invalid("invalid_input", "The page has no id.")
    dirty = request.form.get("dirty") == "1"
    # what follows when there are none any more was decided before: the program publishes, and the instructor is told
    with transaction(auth.current_actor() if dirty else JOB):
        published = lessons.note_unsaved_changes(lesson, page_id, dirty=dirty)
    return jsonify(published=published)


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
        "was": edit_conflicts.fingerprints(InstructorLessonForm.of(lesson)) if lesson is not None else {},
        "page_id": form.page_id.data or new_id(),
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
