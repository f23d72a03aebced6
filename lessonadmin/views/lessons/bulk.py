"""Bulk actions of an instructor: what one would do, the run, and a page with its progress, its rows and its undo.

The list of lessons, or the trash, posts the action and the ticked rows, or its own query. First that answers what would become of each row;
the same post with the key of that page runs it. A price or a course is asked for before. Staff have the panel: they are led to its page of the same bulk action.
"""

import functools
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import abort, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from lessonadmin import auth
from lessonadmin.db import new_id, transaction
from lessonadmin.domain.batches import (
    batches,
    own_lessons,
    preview,
    registry,
    results,
    scheduling,
    titles,
    undo,
)
from lessonadmin.domain.batches.actions import move_lessons, set_price
from lessonadmin.domain.batches.own_lessons import Press
from lessonadmin.domain.batches.registry import Action
from lessonadmin.domain.batches.targets import Source
from lessonadmin.domain.errors import Conflict, Invalid
from lessonadmin.domain.lessons import course_lists, worklist
from lessonadmin.domain.models import Batch
from lessonadmin.domain.models.batches import ITEM_STATUSES
from lessonadmin.domain.prices import money
from lessonadmin.text.ids import as_id
from lessonadmin.views.lessons import overview
from lessonadmin.views.lessons.blueprint import bp
from lessonadmin.web import fragments, redirects

FRAGMENT = "batch"
MOVING_MILLISECONDS = 1_000
ROWS_A_PAGE = 50
MAX_KEY_LENGTH = 64


@dataclass(frozen=True)
class Choice:
    """Which lessons: those that were ticked, or all that match the query of the list."""

    source: Source
    ids: tuple[uuid.UUID, ...] = ()
    query: str | None = None


@bp.post("/bulk")
def bulk() -> Response:
    user = auth.current_user()
    bound = own_lessons.bound(user)
    action = _action(request.form.get("action", ""))
    choice = _choice()
    if choice is None:
        return _back("Select at least one lesson first.")
    try:
        options = _options(action)
    except Invalid as problem:
        return _ask(action, choice, problem)
    if options is None:
        return _ask(action, choice)
    key = request.form.get("once", "")
    if not 0 < len(key) <= MAX_KEY_LENGTH:
        return _preview(action, choice, options)
    press = Press(user.id, key)
    try:
        batch_id = scheduling.start(
            press, action, choice.source, actor=auth.current_actor(), options=options | bound
        )
    except Conflict as problem:
        return _back(problem.message)
    return redirect(url_for(".bulk_shown", batch_id=batch_id))


def _action(name: str) -> Action:
    offered = (*registry.of_owners("lessons"), *registry.of_owners("trash"))
    found = next((one for one in offered if one.name == name), None)
    if found is None:
        abort(400, f"There is no action “{name[:60]}” for lessons, so nothing was done.")
    return found


def _choice() -> Choice | None:
    if request.form.get("scope") == "filter":
        query = request.form.get("query", "")
        wanted = overview.query_of(query)
        return Choice(worklist.matching(auth.current_user(), wanted), query=query)
    ids = tuple(dict.fromkeys(filter(None, map(as_id, request.form.getlist("rowid")))))
    return Choice(ids, ids) if ids else None


def _back(words: str) -> Response:
    flash(words, "warning")
    return redirect(redirects.asked("url") or url_for(".index"))


def _options(action: Action) -> dict[str, object] | None:
    """What the action was given by the form; None while that is still to be asked for. Raises Invalid for what is wrong."""
    if action.chosen is None:
        return {}
    text = request.form.get(action.asks)
    if text is None or "again" in request.form:
        return None
    return action.chosen(auth.current_user(), text)


def _said(action: Action, options: Mapping[str, object]) -> str:
    """The new price or the course, for people; of a course that is not there any more nothing."""
    if action.asks == "price":
        return f"New price: {money(int(str(options[set_price.PRICE])))}"
    if action.asks == "course_id":
        courses = dict(course_lists.offered(auth.current_user().id, None))
        return f"Course: {courses.get(str(options[move_lessons.COURSE] or ''), '(not there any more)')}"
    return ""


def _ask(action: Action, choice: Choice, problem: Invalid | None = None) -> Response:
    owner = auth.current_user().id
    seen = preview.preview(action, choice.source, owner=owner)
    if seen.is_empty:
        return _back(results.NOTHING_LEFT)
    page = render_template(
        "lessons/bulk/ask.html",
        action=action,
        choice=choice,
        asked=seen.asked,
        typed=request.form.get(action.asks, "")[:MAX_KEY_LENGTH],
        wrong=problem.fields if problem is not None else {},
        courses=course_lists.offered(owner, None) if action.asks == "course_id" else [],
        back=redirects.asked("url") or url_for(".index"),
    )
    return make_response(page, 200 if problem is None else 400)


def _preview(action: Action, choice: Choice, options: Mapping[str, object]) -> Response:
    owner = auth.current_user().id
    seen = preview.preview(action, choice.source, owner=owner, options=options)
    if seen.is_empty:
        return _back(results.NOTHING_LEFT)
    few = seen.asked <= scheduling.MAX_AT_ONCE
    limit = scheduling.MAX_AT_ONCE if few else 0
    lines = preview.lines(action, choice.source, owner=owner, limit=limit, options=options)
    return make_response(
        render_template(
            "lessons/bulk/preview.html",
            action=action,
            choice=choice,
            seen=seen,
            lines=lines,
            now=own_lessons.now(owner, [line.id for line in lines]),
            said=_said(action, options),
            typed=request.form.get(action.asks, ""),
            once=new_id().hex,
            most_at_once=scheduling.MAX_AT_ONCE,
            back=redirects.asked("url") or url_for(".index"),
        )
    )


# One that was begun


@bp.get("/bulk/<uuid:batch_id>")
def bulk_shown(batch_id: uuid.UUID) -> Response:
    if auth.current_user().is_staff:
        return redirect(url_for("admin_batch.details_view", id=batch_id))
    values = _seen(own_lessons.batch_of(auth.current_user(), batch_id))
    if fragments.wanted():
        return fragments.answer(render_template("lessons/bulk/state.html", **values), name=FRAGMENT)
    return make_response(render_template("lessons/bulk/show.html", **values))


def _seen(batch: Batch) -> dict[str, Any]:
    # Read once, and before the rows: what moves on meanwhile is asked for again, what is done by now never is.
    seen = batches.progress(batch.id)
    status = request.args.get("rows")
    status = status if status in ITEM_STATUSES else None
    after = as_id(request.args.get("after", ""))
    rows = batches.items(batch.id, status=status, after=after, limit=ROWS_A_PAGE + 1)
    more, rows = len(rows) > ROWS_A_PAGE, rows[:ROWS_A_PAGE]
    action = batches.action_of(batch)
    moving = seen.status in ("open", "running")
    keep: dict[str, Any] = {"rows": status} if status else {}
    address = functools.partial(url_for, ".bulk_shown", batch_id=batch.id)
    return {
        "batch": batch,
        "seen": seen,
        "action": action,
        "said": _said(action, batch.options),
        "shows": _shown_by(batch),
        "title": titles.title_of(batch),
        "counted": functools.partial(titles.counted, batch.target_type),
        "its_undo": undo.latest_undos([batch.id]).get(batch.id),
        "undone": undo.count_undoable(batch.id) if seen.finished and undo.can_undo(batch) else (0, 0),
        "rows": rows,
        "now": own_lessons.now(auth.current_user().id, [row.target_id for row in rows]),
        "status": status,
        "after": after,
        "moving": moving,
        "next_ms": MOVING_MILLISECONDS if moving else "",
        "address": address,
        "here": address(**keep) if not after else address(after=after, **keep),
        "next_page": address(after=rows[-1].item_id, **keep) if more else "",
        "keep": keep,
    }


def _shown_by(batch: Batch) -> str:
    """What a row shows of a lesson as it is now: what the bulk action changes, or what its undo gives back."""
    undone = batches.by_ids({batch.undoes_id}) if batch.undoes_id is not None else {}
    return batches.action_of(next(iter(undone.values()), batch)).asks


@bp.post("/bulk/<uuid:batch_id>/stop")
def bulk_stop(batch_id: uuid.UUID) -> Response:
    return _changed(
        batch_id, batches.stop, "Stopped. What is under way is finished, and nothing further is begun."
    )


@bp.post("/bulk/<uuid:batch_id>/resume")
def bulk_resume(batch_id: uuid.UUID) -> Response:
    return _changed(batch_id, batches.resume, "It goes on.")


@bp.post("/bulk/<uuid:batch_id>/retry")
def bulk_retry(batch_id: uuid.UUID) -> Response:
    return _changed(batch_id, batches.retry_failed, "The failed rows are tried again.")


@bp.post("/bulk/<uuid:batch_id>/undo")
def bulk_undo(batch_id: uuid.UUID) -> Response:
    own_lessons.batch_of(auth.current_user(), batch_id)
    try:
        report = scheduling.undo(batch_id, actor=auth.current_actor())
    except Conflict as problem:
        flash(problem.message, "error")
        return redirect(url_for(".bulk_shown", batch_id=batch_id))
    return redirect(url_for(".bulk_shown", batch_id=report.batch_id))


def _changed(batch_id: uuid.UUID, act: Callable[[uuid.UUID], object], said: str) -> Response:
    own_lessons.batch_of(auth.current_user(), batch_id)
    try:
        with transaction(auth.current_actor()):
            act(batch_id)
    except Conflict as problem:
        flash(problem.message, "error")
    else:
        flash(said, "success")
    return redirect(url_for(".bulk_shown", batch_id=batch_id))
