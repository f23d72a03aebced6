"""Bulk actions that are running or have run: the list, and a page for each with its progress, rows and buttons."""

import functools
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from flask import flash, make_response, redirect, request, url_for
from sqlalchemy import ColumnElement, false
from werkzeug.wrappers import Response

from lessonadmin import auth
from lessonadmin.admin.framework import cells, filters
from lessonadmin.admin.framework.base import act_and_return
from lessonadmin.admin.framework.bulk_actions import say
from lessonadmin.admin.framework.cells import cell, of_row, with_details
from lessonadmin.admin.framework.routes import expose
from lessonadmin.admin.framework.table import SavedView, TableView
from lessonadmin.domain.batches import batches, registry, scheduling, titles, undo
from lessonadmin.domain.errors import Conflict, Missing
from lessonadmin.domain.models import Batch
from lessonadmin.domain.models.batches import BATCH_STATUSES, ITEM_STATUSES
from lessonadmin.domain.support import lookup
from lessonadmin.domain.support.names import Names, names_of
from lessonadmin.text.ids import as_id
from lessonadmin.web import fragments, redirects, states

FRAGMENT = "batch"
MOVING_MILLISECONDS = 1_000
ROWS_A_PAGE = 50
ACTION_NAMES = tuple(dict.fromkeys((one.name, one.label) for one in registry.ALL))


@dataclass(frozen=True)
class Details:
    """What the list shows of each bulk action besides its own row."""

    names: Names
    titles: Mapping[uuid.UUID, str]
    undos: Mapping[uuid.UUID, Batch]


def _state(row: Batch, undo_batch: Batch | None) -> str:
    """The state as its badge says it: one that was undone says so."""
    if undo_batch is None or undo_batch.status != "done" or not undo_batch.done:
        return row.status
    return "undone" if undo_batch.done == row.done else "partly_undone"


def _progress(row: Any) -> Any:
    finished = row.done + row.failed + row.skipped
    return cell("progress", finished, row.total, 100 if not row.total else int(100 * finished / row.total))


def _title_link(view: Any, context: Any, row: Any, _name: str) -> Any:
    """Its title leads to its page; below it stands who started it."""
    details: Details = context["data"].details
    by = cells.account(row.created_by, details.names)
    return cell("titled", details.titles[row.id], cells.page_of(view, row), None, [by] if by else ())


class BatchView(TableView):
    slug, icon = "batch", "batch"
    empty_hint = "Select rows in Lessons, Courses, Uploads or Events and choose an action there."
    search_hint = "ID or e-mail"
    column_list = ("action", "status", "done", "reason", "created_at", "finished_at")
    nouns = ("bulk action", "bulk actions")
    on_phones: ClassVar = {
        "status": "table__state",
        "done": "table__state",
        "reason": "table__text",
        "created_at": "table__time",
    }
    column_labels = {
        "status": "State",
        "done": "Progress",
        "created_by": "By",
        "created_at": "Started",
        "finished_at": "Finished",
    }
    column_sortable_list = ("created_at",)
    column_formatters = {
        "action": _title_link,
        "status": with_details(
            lambda row, details: cell("batch_state", _state(row, details.undos.get(row.id)))
        ),
        "done": of_row(_progress),
        "reason": of_row(lambda row: cell("words", row.reason)),
    }
    column_export_list = ("id", "action", "target_type", "status", "total", "done", "failed", "skipped", "reason", "created_by", "created_at", "finished_at")  # fmt: skip
    column_formatters_export = {
        "created_by": with_details(lambda row, details: details.names.email(row.created_by))
    }
    column_filters = (
        *filters.choice("State", Batch.status, states.options("batch", BATCH_STATUSES)),
        *filters.only("Action", Batch.action, ACTION_NAMES),
        *filters.person("By", Batch.created_by),
        *filters.day("Started", Batch.created_at),
    )
    saved_views = (
        SavedView("running", "Running", lambda: Batch.status.in_(("open", "running"))),
        SavedView("stopped", "Stopped", lambda: Batch.status == "stopped"),
    )

    def prepare(self, rows: Sequence[Any]) -> Details:
        return Details(
            names_of(users=[row.created_by for row in rows]),
            titles.titles(rows),
            undo.latest_undos([row.id for row in rows]),
        )

    def found(self, text: str) -> ColumnElement[bool]:
        wanted = as_id(text)
        if wanted is not None:
            return Batch.id == wanted
        people = lookup.account_ids(text)
        return Batch.created_by.in_(people) if people else false()

    @expose("/details/")
    def details_view(self) -> Any:
        values = self._seen(_id(request.args.get("id", "")))
        if fragments.wanted():
            return fragments.answer(str(self.render("admin/batch/state.html", **values)), name=FRAGMENT)
        return make_response(str(self.render("admin/batch/details.html", **values)))

    def _seen(self, batch_id: uuid.UUID) -> dict[str, Any]:
        batch = batches.get(batch_id)
        # Read once, and before the rows: what moves on meanwhile is asked for again, what is done by now never is.
        seen = batches.progress(batch_id)
        status = request.args.get("rows")
        status = status if status in ITEM_STATUSES else None
        after = as_id(request.args.get("after", ""))
        rows = batches.items(batch_id, status=status, after=after, limit=ROWS_A_PAGE + 1)
        action = batches.action_of(batch)
        undoable = seen.finished and undo.can_undo(batch)
        undone = undo.count_undoable(batch_id) if undoable else None
        its_undo = undo.latest_undos([batch_id]).get(batch_id)
        more = len(rows) > ROWS_A_PAGE
        moving = seen.status in ("open", "running")
        keep: dict[str, Any] = {"rows": status} if status else {}
        return {
            "batch": batch,
            "seen": seen,
            "action": action,
            "author": batches.author_of(batch),
            "rows": rows[:ROWS_A_PAGE],
            "status": status,
            "after": after,
            "title": titles.title_of(batch),
            "noun": titles.NOUNS[action.target],
            "counted": functools.partial(titles.counted, action.target),
            "undoes": titles.title_of(batches.get(batch.undoes_id)) if batch.undoes_id else "",
            "its_undo": its_undo,
            "state": _state(batch, its_undo),
            "undone": undone if undone and undone[0] else None,
            "not_recorded": undoable and not undo.was_recorded(batch_id),
            "moving": moving,
            "next_ms": MOVING_MILLISECONDS if moving else "",
            "link_to": cells.link_to,
            "address": lambda **more: url_for(".details_view", id=batch_id, **more),
            "keep": keep,
            "next_page": url_for(".details_view", id=batch_id, after=rows[ROWS_A_PAGE - 1].item_id, **keep) if more else "",
        }  # fmt: skip

    # Its course

    @expose("/stop", methods=("POST",))
    def stop_view(self) -> Any:
        return _done(batches.stop, "Stopped. What is under way is finished, and nothing further is begun.")

    @expose("/resume", methods=("POST",))
    def resume_view(self) -> Any:
        return _done(batches.resume, "It goes on.")

    @expose("/retry", methods=("POST",))
    def retry_view(self) -> Any:
        return _done(batches.retry_failed, "The failed rows are tried again.")

    @expose("/retry-row", methods=("POST",))
    def retry_row_view(self) -> Any:
        item_id = _id(request.form.get("item", ""))
        return _done(lambda _batch_id: batches.retry_item(item_id), "This row is tried again.")

    @expose("/undo", methods=("POST",))
    def undo_view(self) -> Any:
        batch_id = _id(request.form.get("id", ""))
        here, back = url_for(".details_view", id=batch_id), redirects.asked("url")
        actor = auth.current_actor(reason=request.form.get("reason", "").strip() or None)
        try:
            report = scheduling.undo(batch_id, actor=actor)
        except Conflict as problem:
            flash(problem.message, "error")
            return redirect(back or here)
        if report.items:
            say(titles.title_of(batches.get(report.batch_id)), report)
        else:
            flash("Undo started.", "success")
        return redirect((back if report.items else None) or url_for(".details_view", id=report.batch_id))


def _id(text: str) -> uuid.UUID:
    found = as_id(text)
    if found is None:
        raise Missing
    return found


def _done(act: Callable[[uuid.UUID], Any], said: str) -> Response:
    """Act on the bulk action that the form names, and back to its page."""
    batch_id = _id(request.form.get("id", ""))
    return act_and_return(lambda: act(batch_id), said, back_to=url_for(".details_view", id=batch_id))
