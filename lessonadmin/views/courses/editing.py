"""The course form: a new one, saving, and being told that another user saved in between.

Everything that is wrong is said at once and what was typed is kept. An open page saves without being left: it sends the
same form and gets the form back as a fragment.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace

from flask import flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from lessonadmin import auth
from lessonadmin.db import transaction
from lessonadmin.domain import course_lists, courses, standing
from lessonadmin.domain.errors import Conflict, Invalid
from lessonadmin.domain.lessons import Changes
from lessonadmin.domain.models import Course
from lessonadmin.views import clashes
from lessonadmin.views.courses.blueprint import bp, course_to_change
from lessonadmin.views.videos import card
from lessonadmin.web import fields, fragments, headers


@dataclass(frozen=True, kw_only=True)
class Typed:
    """The form as it is typed."""

    title: str = ""
    description: str = ""
    version: int | None = None

    @classmethod
    def of(cls, course: Course) -> "Typed":
        return cls(title=course.title, description=course.description, version=course.version)

    @classmethod
    def read(cls, form: Mapping[str, str], before: "Typed") -> "Typed":
        """What a browser sent; a field that the form does not have stays as it was."""
        return cls(
            title=form.get("title", before.title),
            description=fields.long_text(form, "description", before.description),
            version=fields.version(form),
        )

    @property
    def wish(self) -> Changes:
        return Changes(title=self.title, description=self.description)


@bp.get("/new")
def new() -> Response:
    return _page(None, Typed())


@bp.post("/new")
def create() -> Response:
    typed = Typed.read(request.form, Typed())
    try:
        with transaction(auth.current_actor()):
            course = courses.create(auth.current_user(), typed.wish)
    except Invalid as problem:
        return _page(None, typed, problem=problem, status=400)
    return _saved(course, status=201)


@bp.get("/<uuid:course_id>/edit")
def edit(course_id: uuid.UUID) -> Response:
    course = course_to_change(course_id)
    return _page(course, Typed.of(course))


@bp.post("/<uuid:course_id>/edit")
def save(course_id: uuid.UUID) -> Response:
    course = course_to_change(course_id)
    typed = Typed.read(request.form, Typed.of(course))
    try:
        with transaction(auth.current_actor()):
            course = courses.edit(auth.current_user(), course_id, typed.wish, version=typed.version)
    except Invalid as problem:
        return _page(course, typed, problem=problem, status=400)
    except Conflict as problem:
        return _clash(course_to_change(course_id), typed, problem)
    return _saved(course)


def _clash(course: Course, typed: Typed, problem: Conflict) -> Response:
    """Both texts are shown; saving again is then a decision, made against the newest version."""
    fields = {"Title": (course.title, typed.title), "Description": (course.description, typed.description)}
    clash = clashes.clash(auth.current_user(), course, fields)
    kept = replace(typed, version=course.version)
    return _page(course, kept, problem=problem, clash=clash, status=409)


def _page(course: Course | None, typed: Typed, *, status: int = 200, **more: object) -> Response:
    headers.needs_widgets()
    given: dict[str, object] = {"course": course, "typed": typed, "problem": None, "clash": None, **more}
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
        "states": standing.of_many(lessons),
        "covers": course_lists.covers(user, lessons),
    }
    return make_response(render_template("courses/edit.html", **given), status)


def _saved(course: Course, *, status: int = 200) -> Response:
    if fragments.wanted():
        return _page(course, Typed.of(course), status=status)
    flash("The course is saved.", "success")
    return redirect(url_for("courses.edit", course_id=course.id))
