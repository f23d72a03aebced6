"""Notifications as pages: what happened to the user's lessons, read and unread, and the number beside the bell."""

import uuid

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from lessonadmin import auth
from lessonadmin.db import transaction
from lessonadmin.domain.accounts import account_notices
from lessonadmin.domain.models.notifications import TO_STUDENTS
from lessonadmin.domain.notifications import notices
from lessonadmin.domain.videos import wording
from lessonadmin.text.ids import as_id
from lessonadmin.web import fragments

bp = Blueprint("notices", __name__, url_prefix="/notifications")

SHOWN = ("", "unread")


@bp.get("")
def index() -> str:
    show = _show()
    page = notices.page(
        auth.current_user(), unread_only=show == "unread", before=as_id(request.args.get("before"))
    )
    return render_template(
        "notices/index.html",
        page=page,
        show=show,
        first=not request.args.get("before"),
        headline=wording.headline,
        why=wording.why_many,
        beyond_headline=wording.beyond_headline,
        place=_place,
    )


@bp.get("/bell")
def bell() -> Response:
    """The figure alone, for a page that is open already; typed by hand it leads to the list."""
    if not fragments.wanted():
        return redirect(url_for("notices.index"))
    return fragments.answer(render_template("notices/bell.html"), name="bell")


@bp.post("/<uuid:notice_id>/open")
def open_one(notice_id: uuid.UUID) -> Response:
    """A user who opens what a notification is about has read it, with or without scripts. That is written, so it is a
    form that asks for it and no link."""
    user = auth.current_user()
    with transaction(auth.current_actor()):
        if not notices.mark_read(user, notice_id):
            abort(404)
    kind, item = notices.one(user, notice_id)
    return redirect(_place(item, kind) or url_for("notices.index"))


@bp.post("/read")
def mark_all() -> Response:
    with transaction(auth.current_actor()):
        notices.mark_all_read(auth.current_user(), until=as_id(request.form.get("until")))
    return redirect(url_for("notices.index", show=_show() or None))


@bp.post("/<uuid:notice_id>/read")
def mark_one(notice_id: uuid.UUID) -> Response:
    with transaction(auth.current_actor()):
        if not notices.mark_read(auth.current_user(), notice_id):
            abort(404)
    return redirect(url_for("notices.index", show=_show() or None))


def _place(item: notices.Item, kind: str) -> str:
    """Where the thing is that a notice tells of; empty if there is none, or none any more. Staff see what is
    another person's in the panel, students in the catalogue."""
    if kind in TO_STUDENTS and item.course_id:
        return url_for("catalog.course", course_id=item.course_id)
    if kind in TO_STUDENTS:
        return url_for("catalog.lesson", lesson_id=item.lesson_id) if item.lesson_id else ""
    if (item.lesson_id or item.course_id) and not item.is_theirs:
        page = "admin_lesson.details_view" if item.lesson_id else "admin_course.details_view"
        return url_for(page, id=item.lesson_id or item.course_id)
    if item.lesson_id:
        return url_for("lessons.edit", lesson_id=item.lesson_id)
    if item.course_id:
        return url_for("courses.edit", course_id=item.course_id)
    if kind == account_notices.KIND:
        return url_for("account.show")
    return url_for("admin.index") if kind == "alarm" and auth.allows("admin") else ""


def _show() -> str:
    asked = request.args.get("show", "")
    return asked if asked in SHOWN else ""
