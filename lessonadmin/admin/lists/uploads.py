"""The lists of uploads, of Mux's events, and of promises to delete at Mux, each with a page a row."""

import json
import uuid
from collections.abc import Sequence
from typing import Any

from flask import flash, g, redirect, request, url_for
from flask_admin import expose
from sqlalchemy import ColumnElement, false, or_, select
from sqlalchemy.orm import defer, joinedload

from lessonadmin import auth, mux
from lessonadmin.admin.framework import cells, filters, mux_links
from lessonadmin.admin.framework.bulk_actions import ActsOnRows
from lessonadmin.admin.framework.cells import cell
from lessonadmin.admin.framework.table import SavedView, TableView
from lessonadmin.db import db
from lessonadmin.domain.batches.actions import retry_deletions
from lessonadmin.domain.errors import Missing, Problem
from lessonadmin.domain.models import AssetDeletion, Course, Lesson, MuxEvent, Tracking, User
from lessonadmin.domain.models.events import OUTCOMES
from lessonadmin.domain.models.videos import TRACKING_STATUSES
from lessonadmin.domain.videos import conditions, held_files, wording
from lessonadmin.domain.webhooks.handlers import ASSET_TYPES, UPLOAD_TYPES
from lessonadmin.text.ids import as_id
from lessonadmin.web import redirects

STATUSES = tuple((name, name.capitalize()) for name in TRACKING_STATUSES)
OUTCOME_WORDS = tuple((name, name.replace("_", " ").capitalize()) for name in OUTCOMES)
ERRORS = tuple((name, name.replace("_", " ").capitalize()) for name in wording.WHAT_FAILED)


def _target(_view: Any, _context: Any, row: Any, _name: str) -> Any:
    """The lesson or course that a row is about, by the name that `prepare` has found."""
    title = g.titles.get((row.target_type, row.target_id))
    if row.target_id is None:
        return cell("words", "")
    words = title or f"a {row.target_type} that is gone"
    return cell("linked", words, cells.link_to(row.target_type, row.target_id) if title else None)


def remember_titles(rows: Sequence[Any]) -> None:
    """The titles of all lessons and courses that these rows are about, with two queries at most."""
    g.titles = {}
    for kind, model in (("lesson", Lesson), ("course", Course)):
        ids = {row.target_id for row in rows if row.target_type == kind and row.target_id}
        found = db.session.execute(select(model.id, model.title).where(model.id.in_(ids))) if ids else ()
        g.titles |= {(kind, row[0]): row[1] for row in found}


class TrackingView(ActsOnRows, TableView):
    room, icon, target = "tracking", "track", "tracking"
    offers = frozenset({"details_view", "action_view", "export"})
    search_hint = "Upload, asset, playback or temporary id"
    details_template = "admin/row/tracking.html"
    column_list = ("filename", "lesson", "status", "upload_id", "mux_asset_id", "created_at", "updated_at")  # fmt: skip
    column_labels = {
        "filename": "File",
        "lesson": "Of",
        "status": "State",
        "upload_id": "Upload id",
        "mux_asset_id": "Asset id",
        "mux_playback_id": "Playback id",
        "temp_asset_id": "Temporary id",
        "error_message": "Error",
        "created_at": "Began",
        "updated_at": "Last news",
    }
    column_sortable_list = ("created_at", "updated_at")
    column_formatters = {
        "filename": lambda v, _c, row, _n: cell("titled", row.filename or "Without a name", cells.page_of(v, row), None, row.aside),
        "lesson": lambda _v, _c, row, _n: cell("linked", row.lesson.title if row.lesson else row.course.title if row.course else "", cells.link_to(row.target_type, row.target_id)),
        "status": lambda _v, _c, row, _n: cell("tracking_state", row.status, row.error_message or (row.error_type or "").replace("_", " ") or row.last_look_error or ""),
        "upload_id": lambda _v, _c, row, _n: cell("mux_id", row.upload_id, "upload id"),
        "mux_asset_id": lambda _v, _c, row, _n: cell("mux_id", row.mux_asset_id, "asset id"),
    }  # fmt: skip
    column_export_list = (
        "id", "lesson_id", "course_id", "owner_id", "status", "filename", "upload_id", "temp_asset_id", "mux_asset_id", "mux_playback_id",
        "playback_policy", "error_type", "error_message", "attempts", "next_check_at", "superseded_at", "created_at", "updated_at",
    )  # fmt: skip
    column_filters = (
        *filters.choice("State", Tracking.status, STATUSES),
        *filters.person("Owner", Tracking.owner_id),
        *filters.flag("Stuck", conditions.stuck_uploads),
        *filters.only("Error type", Tracking.error_type, ERRORS),
        *filters.flag("Temporary id", lambda: Tracking.temp_asset_id.is_not(None)),
        *filters.only("Playback policy", Tracking.playback_policy, (("public", "Public"), ("signed", "Signed"))),
        *filters.identified("Lesson", Tracking.lesson_id),
        *filters.identified("Course", Tracking.course_id),
        *filters.day("Began", Tracking.created_at),
        *filters.day("Last news", Tracking.updated_at),
    )  # fmt: skip
    saved_views = (
        SavedView("stuck", "Stuck", conditions.stuck_uploads),
        SavedView("failed-today", "Failed today", conditions.failed_uploads_today),
        SavedView("temporary-ids", "Temporary ids", lambda: Tracking.temp_asset_id.is_not(None)),
        SavedView("held", "Held", held_files.held),
    )

    def _loading(self, relation: Any) -> Any:
        return joinedload(relation).load_only(Lesson.title)

    def listed(self) -> Any:
        return self.get_query().options(joinedload(Tracking.course).load_only(Course.title))

    def get_query(self) -> Any:
        return super().get_query().options(joinedload(Tracking.course).load_only(Course.title))

    def found(self, text: str) -> ColumnElement[bool]:
        columns = (
            Tracking.upload_id,
            Tracking.mux_asset_id,
            Tracking.mux_playback_id,
            Tracking.temp_asset_id,
        )
        ids: set[uuid.UUID] = set()
        for column in columns:  # one index each: an OR over four would make the planner walk the table
            ids.update(db.session.scalars(select(Tracking.id).where(column == text).limit(100)))
        wanted = as_id(text)
        if wanted is not None:
            return or_(Tracking.id == wanted, Tracking.lesson_id == wanted, Tracking.course_id == wanted)
        return Tracking.id.in_(ids) if ids else false()

    def name_of(self, row: Any) -> str:
        return f"{row.filename or 'upload'} {row.upload_id or ''}".strip()

    @expose("/details/")  # type: ignore[untyped-decorator]
    def details_view(self) -> Any:
        row = self.get_one(request.args.get("id", ""))
        if row is None:
            raise Missing
        began = db.session.get(User, row.started_by) if row.started_by is not None else None
        return self.render(
            self.details_template, row=row, began=began, mux_url=mux_links.asset(row.mux_asset_id)
        )


class EventView(ActsOnRows, TableView):
    room, icon, target = "event", "event", "event"
    offers = frozenset({"details_view", "action_view", "export"})
    search_hint = "Event, object, upload or asset id"
    details_template = "admin/row/event.html"
    column_list = ("type", "target_id", "outcome", "attempts", "error", "received_at")
    column_labels = {
        "type": "Event",
        "target_id": "About",
        "received_at": "Received",
        "mux_event_id": "Id at Mux",
        "error": "What went wrong",
    }
    column_sortable_list = ("received_at",)
    column_formatters = {
        "type": lambda v, _c, row, _n: cell("titled", row.type, cells.page_of(v, row), None),
        "target_id": _target,
        "outcome": lambda _v, _c, row, _n: cell("outcome", row.outcome),
        "error": lambda _v, _c, row, _n: cell("words", row.error, True),
    }
    column_export_list = (
        "id", "mux_event_id", "type", "object_id", "upload_id", "asset_id", "target_type", "target_id", "outcome", "attempts", "error",
        "occurred_at", "received_at", "processed_at",
    )  # fmt: skip
    column_filters = (
        *filters.choice("Outcome", MuxEvent.outcome, OUTCOME_WORDS),
        *filters.only(
            "Type", MuxEvent.type, tuple((name, name) for name in sorted({*ASSET_TYPES, *UPLOAD_TYPES}))
        ),
        *filters.identified("About", MuxEvent.target_id),
        *filters.text("Object", MuxEvent.object_id),
        *filters.day("Received", MuxEvent.received_at),
    )
    saved_views = (
        SavedView("failed", "Failed", conditions.failed_events),
        SavedView("unmatched", "Unmatched", lambda: MuxEvent.outcome == "unmatched"),
        SavedView("waiting", "Waiting", lambda: MuxEvent.outcome.is_(None)),
    )

    def listed(self) -> Any:
        return self.get_query().options(defer(MuxEvent.payload))

    def prepare(self, rows: Sequence[Any]) -> None:
        remember_titles(rows)

    def found(self, text: str) -> ColumnElement[bool]:
        wanted = as_id(text)
        ids = set(
            db.session.scalars(
                select(MuxEvent.id).where(
                    MuxEvent.mux_event_id == text if wanted is None else or_(MuxEvent.mux_event_id == text, MuxEvent.id == wanted)
                )
            )
        )  # fmt: skip
        if ids:
            return MuxEvent.id.in_(ids)
        if wanted is not None:
            return MuxEvent.target_id == wanted
        return or_(MuxEvent.object_id == text, MuxEvent.upload_id == text, MuxEvent.asset_id == text)

    def name_of(self, row: Any) -> str:
        return f"{row.type} {row.mux_event_id}"

    @expose("/details/")  # type: ignore[untyped-decorator]
    def details_view(self) -> Any:
        row = self.get_one(request.args.get("id", ""))
        if row is None:
            raise Missing
        remember_titles([row])
        payload = json.dumps(row.payload, indent=2, ensure_ascii=False, sort_keys=False, default=str)
        title = g.titles.get((row.target_type, row.target_id))
        return self.render(self.details_template, row=row, payload=payload, about=title)


class DeletionView(TableView):
    room, icon = "deletion", "trash"
    search_hint = "Asset id, lesson or course id"
    details_template = "admin/row/deletion.html"
    column_list = ("mux_asset_id", "target_id", "done_at", "reason", "requested_by", "requested_at", "due_at", "last_error")  # fmt: skip
    column_labels = {
        "mux_asset_id": "Asset id",
        "target_id": "Of",
        "requested_by": "Wanted by",
        "requested_at": "Since",
        "due_at": "Due",
        "attempts": "Tries",
        "last_error": "What went wrong",
        "done_at": "State",
    }
    column_sortable_list = ("requested_at",)
    column_formatters = {
        "mux_asset_id": lambda v, _c, row, _n: cell("titled", row.mux_asset_id, cells.page_of(v, row), None),
        "target_id": _target,
        "reason": lambda _v, _c, row, _n: row.reason or "–",
        "requested_by": lambda _v, _c, row, _n: cell("words", g.people.get(row.requested_by, "")),
        "due_at": lambda _v, _c, row, _n: cell("moment", None if row.done_at else row.due_at),
        "last_error": lambda _v, _c, row, _n: cell("words", row.last_error, True),
        "done_at": lambda _v, _c, row, _n: cell("deletion_state", row),
    }  # fmt: skip
    column_export_list = ("id", "mux_asset_id", "target_type", "target_id", "reason", "requested_by", "requested_at", "due_at", "attempts", "last_error", "done_at")  # fmt: skip
    column_formatters_export = {"requested_by": lambda _v, _c, row, _n: g.people.get(row.requested_by, "")}
    column_filters = (
        *filters.flag("Done", lambda: AssetDeletion.done_at.is_not(None)),
        *filters.identified("About", AssetDeletion.target_id),
        *filters.day("Since", AssetDeletion.requested_at),
    )
    saved_views = (
        SavedView("pending", "Pending", conditions.pending_deletions),
        SavedView("failing", "Failing", conditions.troubled_deletions),
    )

    def prepare(self, rows: Sequence[Any]) -> None:
        remember_titles(rows)
        remember_people([row.requested_by for row in rows])

    def found(self, text: str) -> ColumnElement[bool]:
        wanted = as_id(text)
        if wanted is not None:
            return or_(AssetDeletion.id == wanted, AssetDeletion.target_id == wanted)
        return AssetDeletion.mux_asset_id == text

    @expose("/details/")  # type: ignore[untyped-decorator]
    def details_view(self) -> Any:
        row = self.get_one(request.args.get("id", ""))
        if row is None:
            raise Missing
        self.prepare([row])
        title = g.titles.get((row.target_type, row.target_id))
        return self.render(self.details_template, row=row, about=title, by=g.people.get(row.requested_by, ""), mux_url=mux_links.asset(row.mux_asset_id))  # fmt: skip

    @expose("/retry", methods=("POST",))  # type: ignore[untyped-decorator]
    def retry_view(self) -> Any:
        row_id = as_id(request.form.get("id", ""))
        try:
            if row_id is None:
                raise Missing
            gone = retry_deletions.try_now(row_id, actor=auth.current_actor())
        except Missing:
            raise
        except Problem as problem:
            flash(problem.message, "warning")
        except mux.MuxError as error:
            flash(f"Mux did not do it: {error.message} It is tried again by itself.", "error")
        else:
            flash("It is gone at Mux." if gone else "Mux has not removed it yet; it is tried again by itself.", "success" if gone else "warning")  # fmt: skip
        return redirect(redirects.asked("url") or url_for(".index_view"))


def remember_people(ids: Sequence[uuid.UUID | None]) -> None:
    """The addresses of everybody whom these rows name, with one query."""
    wanted = {one for one in ids if one is not None}
    rows = db.session.execute(select(User.id, User.email).where(User.id.in_(wanted))) if wanted else ()
    g.people = {row[0]: row[1] for row in rows}
