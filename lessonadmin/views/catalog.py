"""The catalogue for students: lessons, courses, the page of a lesson with its player or its price, and buying.

Instructors and staff see what a student would. Mux's player comes only to pages where something plays.
"""

import uuid
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from lessonadmin import auth, config
from lessonadmin.db import transaction
from lessonadmin.domain import permissions
from lessonadmin.domain.accounts import rate_limits
from lessonadmin.domain.captions import transcripts
from lessonadmin.domain.lesson_files import files
from lessonadmin.domain.lessons import catalog, purchases
from lessonadmin.domain.lessons.catalog import Query, Sort
from lessonadmin.domain.models import Owner
from lessonadmin.domain.progress import done
from lessonadmin.domain.querying.dated_cursor import Cursor
from lessonadmin.text.ids import as_id
from lessonadmin.views.lessons import downloads
from lessonadmin.web import address_numbers, headers
from lessonadmin.web.player import Player, shown_player

SORTS: dict[Sort, str] = {
    "newest": "Newest first",
    "title": "Title, A to Z",
    "price": "Price, lowest first",
    "course": "Course by course",
}

bp = Blueprint("catalog", __name__, url_prefix="/catalog")


@bp.get("")
def index() -> str | Response:
    if request.args.get("show") == "bought" and _is_student():
        return redirect(url_for("catalog.mine"))  # where this list was before
    return _lessons()


@bp.get("/mine")
def mine() -> str | Response:
    """What a student bought."""
    return _lessons() if _is_student() else redirect(url_for("catalog.index"))


def _lessons() -> str:
    headers.shows_pictures()
    query = _query()
    _count_search(query.q)
    user = auth.current_user()
    page = catalog.page(user, query)
    return render_template(
        "catalog/index.html",
        query=query,
        catalogue=page,
        going_on=catalog.going_on(user) if query.plain else [],
        newer=_step(page.newer, "before"),
        older=_step(page.older, "after"),
        courses=catalog.titles(),
        instructors=catalog.instructors(),
        sorts=SORTS,
        student=_is_student(),
        courses_found=0 if query.bought else catalog.count_courses(query.q),
        most=catalog.MAX_COUNTED,
        link=_link,
    )


@bp.get("/courses")
def courses() -> str:
    headers.shows_pictures()
    q = request.args.get("q", "")[:200]
    _count_search(q)
    found = catalog.courses(q)
    return render_template(
        "catalog/courses.html",
        q=q,
        catalogue=found,
        all_shown=len(found.entries) < catalog.MAX_COURSES,
        lessons_found=catalog.count_lessons(auth.current_user(), q),
        most=catalog.MAX_COUNTED,
    )


@bp.get("/courses/<uuid:course_id>")
def course(course_id: uuid.UUID) -> str:
    headers.shows_pictures()
    user = auth.current_user()
    found, inside = catalog.course(user, course_id)
    entries, player = catalog.entries(user, inside), _player(found)
    return render_template(
        "catalog/course.html",
        course=found,
        entries=entries,
        parts=catalog.parts(entries, course_id),
        player=player,
        env_key=config.current().mux_env_key,
    )


@bp.get("/<uuid:lesson_id>")
def lesson(lesson_id: uuid.UUID) -> str:
    headers.shows_pictures()
    user = auth.current_user()
    found = catalog.lesson(user, lesson_id)
    entry, beside = catalog.with_its_course(user, found)
    preview = found.course if not entry.plays else None
    return render_template(
        "catalog/lesson.html",
        lesson=found,
        entry=entry,
        player=_player(found) if entry.plays else None,
        preview=_player(preview) if preview is not None else None,
        on_sale=permissions.visible_to_students(found),
        beside=beside,
        student=user.role == "student",
        edits=permissions.owns(user, found),
        files=files.of_lesson(found) if entry.plays else [],
        transcript=transcripts.of_lesson(found) if entry.plays else None,
        env_key=config.current().mux_env_key,
    )


@bp.get("/<uuid:lesson_id>/files/<uuid:file_id>")
def download_file(lesson_id: uuid.UUID, file_id: uuid.UUID) -> Response:
    """A file of the lesson, for all who may play it."""
    return downloads.answer(files.to_download(auth.current_user(), lesson_id, file_id))


@bp.post("/<uuid:lesson_id>/done")
def mark_done(lesson_id: uuid.UUID) -> Response:
    """The student says that the lesson is done, or that it is not."""
    with transaction(auth.current_actor()):
        done.mark(auth.current_user(), lesson_id, done=request.form.get("done") == "1")
    return redirect(url_for("catalog.lesson", lesson_id=lesson_id))


@bp.post("/<uuid:lesson_id>/purchase")
def buy(lesson_id: uuid.UUID) -> Response:
    agreed = request.form.get("price_cents", "")
    with transaction(auth.current_actor()):
        purchase, new = purchases.buy(
            auth.current_user(),
            lesson_id,
            agreed_cents=int(agreed) if agreed.isdecimal() and len(agreed) < 10 else None,
        )
    flash("Purchased. Enjoy the lesson." if new else "You have this lesson already.", "success")
    return redirect(url_for("catalog.lesson", lesson_id=purchase.lesson_id))


def _player(owner: Owner) -> Player | None:
    """What the player is told, if this plays; the page then gets the Content-Security-Policy that the player needs."""
    found = shown_player(owner)
    if found is not None:
        headers.reports_views()
    return found


def _count_search(words: str) -> None:
    """A search is dear to answer, so each user may make only so many."""
    if words:
        with transaction(auth.current_actor()):
            rate_limits.read_list(auth.current_user().id)


def _is_student() -> bool:
    return auth.current_user().role == "student"


def _is_mine() -> bool:
    return request.endpoint == "catalog.mine"


def _query() -> Query:
    args = request.args
    sort = _sort(args.get("sort", ""))
    after, before = args.get("after", "")[:80], args.get("before", "")[:80]
    return Query(
        q=args.get("q", "")[:200],
        course_id=as_id(args.get("course_id")),
        free=args.get("show") == "free" and not _is_mine(),
        bought=_is_mine(),
        instructor_id=as_id(args.get("instructor_id")),
        to_do=args.get("to_do") == "1" and _is_student(),
        sort=sort,
        cursor=None
        if sort != "newest"
        else (Cursor.read(after) if after else Cursor.read(before, back=True)),
        after=args.get("after", ""),
        before=args.get("before", ""),
        number=address_numbers.page(catalog.MAX_FOUND_PAGES),
    )


def _sort(wanted: str) -> Sort:
    return wanted if wanted in SORTS else "newest"


def _step(step: Cursor | int | str | None, name: str) -> str:
    """The address of the page beside this one; a search counts its pages."""
    if step is None:
        return ""
    return _link(page=step) if isinstance(step, int) else _link(**{name: str(step)})


def _link(**changes: Any) -> str:
    """This list with other choices; what is not named stays, and the list starts at its first page."""
    query = _query()
    show = "free" if query.free else None
    chosen: dict[str, Any] = {
        "q": query.q or None,
        "course_id": query.course_id,
        "instructor_id": query.instructor_id,
        "to_do": "1" if query.to_do else None,
        "sort": query.sort if query.sort != "newest" else None,
        "show": show,
        **changes,
    }
    endpoint = "catalog.mine" if query.bought else "catalog.index"
    return url_for(endpoint, **{name: value for name, value in chosen.items() if value})
