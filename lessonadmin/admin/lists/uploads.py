"""The list of uploads, and the page of one."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from flask import url_for
from sqlalchemy import ColumnElement, false, or_
from sqlalchemy.orm import joinedload

from lessonadmin.admin.framework import cells, filters, mux_links
from lessonadmin.admin.framework.bulk_actions import ActsOnRows
from lessonadmin.admin.framework.cells import cell, of_row, page_link, with_details
from lessonadmin.admin.framework.routes import expose
from lessonadmin.admin.framework.table import SavedView, TableView
from lessonadmin.admin.lists.videos import CAUSES, ERRORS, POLICIES, read_cause
from lessonadmin.domain import attention
from lessonadmin.domain.accounts import users
from lessonadmin.domain.batches import preview
from lessonadmin.domain.models import Course, Lesson, Tracking
from lessonadmin.domain.models.videos import TRACKING_STATUSES
from lessonadmin.domain.support import lookup
from lessonadmin.domain.videos import conditions, wording
from lessonadmin.text.ids import as_id
from lessonadmin.web import states

STATUSES = states.options("upload", TRACKING_STATUSES)


def _owner(row: Any) -> Any:
    """The lesson or course that an upload is for."""
    owner = row.lesson or row.course
    if owner is None:
        return cell("linked", f"a {row.target_type} in the trash", url_for("admin_trash.index"))
    return cell("linked", owner.title, cells.link_to(row.target_type, row.target_id))


def _state(row: Any, needing: Mapping[uuid.UUID, str]) -> Any:
    past = wording.why_failed_in_short(row.error_type) if row.status == "error" else ""
    return cell("tracking_state", row.status, needing.get(row.id, past))


class TrackingView(ActsOnRows, TableView):
    slug, icon, target = "tracking", "track", "tracking"
    offers = frozenset({"details_view", "action_view", "export"})
    search_hint = "Upload or asset ID"
    details_template = "admin/row/tracking.html"
    column_list = ("filename", "status", "upload_id", "mux_asset_id", "created_at", "updated_at")
    nouns = ("upload", "uploads")
    column_select_related_list = (Tracking.lesson,)
    on_phones: ClassVar = {"status": "table__state", "updated_at": "table__time"}
    column_labels = {
        "filename": "File",
        "lesson": "Of",
        "status": "State",
        "upload_id": "Upload id",
        "mux_asset_id": "Asset id",
        "mux_playback_id": "Playback id",
        "temp_asset_id": "Temporary id",
        "error_message": "Error",
        "created_at": "Started",
        "updated_at": "Updated",
    }
    column_sortable_list = ("created_at", "updated_at")
    usual_order = "created_at"
    column_formatters = {
        "filename": page_link(
            lambda row: row.filename or "Without a name", lambda row, _: [_owner(row), row.aside]
        ),
        "status": with_details(_state),
        "upload_id": of_row(lambda row: cell("mux_id", row.upload_id, "upload id")),
        "mux_asset_id": of_row(lambda row: cell("mux_id", row.mux_asset_id, "asset id")),
    }
    column_export_list = (
        "id", "lesson_id", "course_id", "owner_id", "status", "filename", "upload_id", "temp_asset_id", "mux_asset_id", "mux_playback_id",
        "playback_policy", "error_type", "error_message", "attempts", "next_check_at", "superseded_at", "created_at", "updated_at",
    )  # fmt: skip
    column_filters = (
        *filters.choice("State", Tracking.status, STATUSES),
        *filters.person("Owner", Tracking.owner_id),
        *filters.flag("Needs attention", attention.uploads, counted_as=lambda most: attention.upload_ids(most=most), by_each=attention.uploads_by_each),
        filters.Where("Cause", "is", lambda cause: attention.UPLOAD_RULES[read_cause(cause)](), column=None, options=CAUSES, read=read_cause),
        *filters.flag("Stuck", conditions.stuck_uploads),
        *filters.only("Error type", Tracking.error_type, ERRORS),
        *filters.flag("Temporary id", lambda: Tracking.temp_asset_id.is_not(None)),
        *filters.only("Playback policy", Tracking.playback_policy, POLICIES),
        *filters.identified("Lesson", Tracking.lesson_id),
        *filters.identified("Course", Tracking.course_id),
        *filters.day("Started", Tracking.created_at),
        *filters.day("Updated", Tracking.updated_at),
    )  # fmt: skip
    saved_views = (
        SavedView(
            "needs-attention",
            "Needs attention",
            attention.uploads,
            counted_as=lambda most: attention.upload_ids(most=most),
            by_each=attention.uploads_by_each,
        ),
        SavedView("stuck", "Stuck", conditions.stuck_uploads),
        SavedView("failed", "Failed", attention.UPLOAD_RULES["failed"]),
        SavedView("temporary-ids", "Temporary ids", lambda: Tracking.temp_asset_id.is_not(None)),
        SavedView("held", "Held", attention.held_uploads),
    )

    def prepare(self, rows: Sequence[Any]) -> Mapping[uuid.UUID, str]:
        return attention.why_uploads(rows)

    def _loading(self, relation: Any) -> Any:
        return joinedload(relation).load_only(Lesson.title)

    def listed(self) -> Any:
        return self.get_query().options(joinedload(Tracking.course).load_only(Course.title))

    def get_query(self) -> Any:
        return super().get_query().options(joinedload(Tracking.course).load_only(Course.title))

    def found(self, text: str) -> ColumnElement[bool]:
        wanted = as_id(text)
        if wanted is not None:
            return or_(Tracking.id == wanted, Tracking.lesson_id == wanted, Tracking.course_id == wanted)
        ids = lookup.upload_ids(text)
        return Tracking.id.in_(ids) if ids else false()

    def name_of(self, row: Any) -> str:
        return f"{row.filename or 'upload'} {row.upload_id or ''}".strip()

    @expose("/details/")
    def details_view(self) -> Any:
        row = self.row_asked_for()
        began = users.find_by_id(row.started_by)
        return self.render(
            self.details_template,
            row=row,
            began=began,
            offered=preview.useful("tracking", row.id),
            mux_url=mux_links.asset(row.mux_asset_id),
        )
