"""Bulk actions that are running or have run: the list, and a page for each with its progress, rows and buttons."""

import uuid
from collections.abc import Callable, Sequence
from typing import Any

from flask import g, make_response, redirect, request, url_for
from flask_admin import expose
from sqlalchemy import ColumnElement, false

from lessonadmin import auth
from lessonadmin.admin.framework import cells, filters
from lessonadmin.admin.framework.base import tell
from lessonadmin.admin.framework.cells import cell
from lessonadmin.admin.framework.table import SavedView, TableView
from lessonadmin.admin.lists.uploads import remember_people
from lessonadmin.db import transaction
from lessonadmin.domain.batches import batches, registry, undo
from lessonadmin.domain.errors import Missing
from lessonadmin.domain.models import Batch
from lessonadmin.domain.models.batches import BATCH_STATUSES, ITEM_STATUSES
from lessonadmin.text.ids import as_id
from lessonadmin.web import fragments
from lessonadmin.web.formats import plural

FRAGMENT = "batch"
MOVING_MILLISECONDS = 1_000
ROWS_A_PAGE = 50
ACTION_NAMES = tuple(dict.fromkeys((one.name, one.label) for one in registry.ALL))
LABELS = {(one.target, one.name): one.label for one in registry.ALL}


class BatchView(TableView):
    room, icon = "batch", "batch"
    search_hint = "Id of a bulk action, e-mail of who began it"
    column_list = ("action", "status", "done", "reason", "created_by", "created_at", "finished_at")
    column_labels = {
        "status": "State",
        "done": "Progress",
        "created_by": "By",
        "created_at": "Began",
        "finished_at": "Ended",
    }
    column_sortable_list = ("created_at",)
    column_formatters = {
        "action": lambda v, _c, row, _n: cell("titled", f"{LABELS.get((row.target_type, row.action), row.action)} {plural(row.total, row.target_type if row.target_type != 'tracking' else 'upload')}", cells.page_of(v, row), None, "undoes another" if row.undoes_id else ""),
        "status": lambda _v, _c, row, _n: cell("batch_state", row.status),
        "done": lambda _v, _c, row, _n: cell("progress", row.done + row.failed + row.skipped, row.total, 100 if not row.total else int(100 * (row.done + row.failed + row.skipped) / row.total)),
        "reason": lambda _v, _c, row, _n: cell("words", row.reason),
        "created_by": lambda _v, _c, row, _n: cell("words", g.people.get(row.created_by, "")),
    }  # fmt: skip
    column_export_list = ("id", "action", "target_type", "status", "total", "done", "failed", "skipped", "reason", "created_by", "created_at", "finished_at")  # fmt: skip
    column_formatters_export = {"created_by": lambda _v, _c, row, _n: g.people.get(row.created_by, "")}
    column_filters = (
        *filters.choice("State", Batch.status, tuple((name, name.capitalize()) for name in BATCH_STATUSES)),
        *filters.only("Action", Batch.action, ACTION_NAMES),
        *filters.person("By", Batch.created_by),
        *filters.day("Began", Batch.created_at),
    )
    saved_views = (
        SavedView("running", "Running", lambda: Batch.status.in_(("open", "running"))),
        SavedView("stopped", "Stopped", lambda: Batch.status == "stopped"),
    )

    def prepare(self, rows: Sequence[Any]) -> None:
        remember_people([row.created_by for row in rows])

    def found(self, text: str) -> ColumnElement[bool]:
        wanted = as_id(text)
        if wanted is not None:
            return Batch.id == wanted
        people = filters.people(text)
        return Batch.created_by.in_(people) if people else false()

    @expose("/details/")  # type: ignore[untyped-decorator]  # Flask-Admin's types are partial
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
        undone = undo.count_undoable(batch_id) if seen.finished and undo.can_undo(batch) else None
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
            "undone": undone if undone and undone[0] else None,
            "moving": moving,
            "next_ms": MOVING_MILLISECONDS if moving else "",
            "link_to": cells.link_to,
            "address": lambda **more: url_for(".details_view", id=batch_id, **more),
            "keep": keep,
            "next_page": url_for(".details_view", id=batch_id, after=rows[ROWS_A_PAGE - 1].item_id, **keep) if more else "",
        }  # fmt: skip

    # Its course

    @expose("/stop", methods=("POST",))  # type: ignore[untyped-decorator]
    def stop_view(self) -> Any:
        return _done(batches.stop, "Stopped. Rows under way are finished, no further one is begun.")

    @expose("/resume", methods=("POST",))  # type: ignore[untyped-decorator]
    def resume_view(self) -> Any:
        return _done(batches.resume, "It goes on.")

    @expose("/retry", methods=("POST",))  # type: ignore[untyped-decorator]
    def retry_view(self) -> Any:
        return _done(batches.retry_failed, "The failed rows are tried again.")

    @expose("/retry-row", methods=("POST",))  # type: ignore[untyped-decorator]
    def retry_row_view(self) -> Any:
        item_id = _id(request.form.get("item", ""))
        return _done(lambda _batch_id: batches.retry_item(item_id), "This row is tried again.")

    @expose("/undo", methods=("POST",))  # type: ignore[untyped-decorator]
    def undo_view(self) -> Any:
        made: list[uuid.UUID] = []

        def begin(batch_id: uuid.UUID) -> None:
            made.append(undo.undo(batch_id, reason=request.form.get("reason", "").strip()).id)

        answer = _done(begin, "It is being undone, row by row, where nobody changed anything since.")
        return redirect(url_for(".details_view", id=made[0])) if made else answer


def _id(text: str) -> uuid.UUID:
    found = as_id(text)
    if found is None:
        raise Missing
    return found


def _done(do: Callable[[uuid.UUID], Any], said: str) -> Any:
    """Do it for whoever is signed in, and back to the page with a word about it."""
    batch_id = _id(request.form.get("id", ""))

    def act() -> None:
        with transaction(auth.current_actor()):
            do(batch_id)

    tell(act, said)
    return redirect(url_for(".details_view", id=batch_id))
