"""The page of a lesson's files: what students download with it, adding further ones, removing and restoring.

A page with scripts adds files part by part over the API, of any size that a lesson may have; without scripts the form takes one that fits
into a request.
"""

import uuid

from flask import flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from lessonadmin import auth
from lessonadmin.db import transaction
from lessonadmin.domain.errors import Invalid, Problem
from lessonadmin.domain.lesson_files import files
from lessonadmin.views.lessons.blueprint import bp, lesson_to_change
from lessonadmin.web import fragments
from lessonadmin.web.errors import STATUS


@bp.get("/<uuid:lesson_id>/files", endpoint="files")
def index(lesson_id: uuid.UUID) -> Response:
    return _page(lesson_id)


@bp.post("/<uuid:lesson_id>/files")
def add_file(lesson_id: uuid.UUID) -> Response:
    chosen = [one for one in request.files.getlist("file") if one.filename]
    try:
        if not chosen:
            raise Invalid.field("file", "Choose a file first.")
        with transaction(auth.current_actor()):
            for one in chosen:
                files.add_whole(
                    auth.current_user(), lesson_id, name=one.filename or "", data=one.stream.read()
                )
    except Problem as problem:
        return _page(lesson_id, problem=problem)
    flash("The file is added." if len(chosen) == 1 else "The files are added.", "success")
    return redirect(url_for("lessons.files", lesson_id=lesson_id))


@bp.post("/<uuid:lesson_id>/files/<uuid:file_id>/remove")
def remove_file(lesson_id: uuid.UUID, file_id: uuid.UUID) -> Response:
    with transaction(auth.current_actor()):
        file = files.remove(auth.current_user(), lesson_id, file_id)
    flash(f"“{file.name}” is removed. You can restore it below.", "success")
    return redirect(url_for("lessons.files", lesson_id=lesson_id))


@bp.post("/<uuid:lesson_id>/files/<uuid:file_id>/restore")
def restore_file(lesson_id: uuid.UUID, file_id: uuid.UUID) -> Response:
    try:
        with transaction(auth.current_actor()):
            file = files.restore(auth.current_user(), lesson_id, file_id)
    except Invalid as problem:
        return _page(lesson_id, problem=problem)
    flash(f"“{file.name}” is restored.", "success")
    return redirect(url_for("lessons.files", lesson_id=lesson_id))


def _page(lesson_id: uuid.UUID, *, problem: Problem | None = None) -> Response:
    lesson = lesson_to_change(lesson_id)
    html = render_template(
        "lessons/file_list.html" if fragments.wanted() else "lessons/files.html",
        lesson=lesson,
        files=files.of_lesson(lesson),
        removed=files.removed_of(lesson),
        left=files.bytes_left(lesson),
        most_bytes=files.MAX_BYTES,
        most_files=files.MAX_FILES,
        problem=problem,
    )
    if fragments.wanted():
        return fragments.answer(html, name="files")
    return make_response(html, STATUS[type(problem)] if problem is not None else 200)
