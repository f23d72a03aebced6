"""The list of deletions that Lessonadmin owes Mux, the page of one, and a button that tries it now."""

from collections.abc import Sequence
from typing import Any, ClassVar

from flask import flash, redirect, request, url_for
from sqlalchemy import ColumnElement, or_

from lessonadmin import auth, mux
from lessonadmin.admin.framework import cells, filters, mux_links
from lessonadmin.admin.framework.cells import cell, of_row, page_link, with_details
from lessonadmin.admin.framework.routes import expose
from lessonadmin.admin.framework.table import SavedView, TableView
from lessonadmin.domain.errors import Missing, Problem
from lessonadmin.domain.models import AssetDeletion
from lessonadmin.domain.support import retry_deletion
from lessonadmin.domain.support.names import Names, names_of
from lessonadmin.domain.videos import conditions
from lessonadmin.text.ids import as_id
from lessonadmin.web import redirects


def _reason(row: Any, names: Names) -> Any:
    """Why, and at whose request."""
    return cell("noted", row.reason or "–", cells.account(row.requested_by, names))


class DeletionView(TableView):
    slug, icon = "deletion", "trash"
    search_hint = "Asset or lesson ID"
    details_template = "admin/row/deletion.html"
    column_list = ("mux_asset_id", "done_at", "reason", "requested_at", "due_at", "last_error")
    nouns = ("deletion", "deletions")
    on_phones: ClassVar = {
        "done_at": "table__state",
        "last_error": "table__text",
        "requested_at": "table__time",
    }
    column_labels = {
        "mux_asset_id": "Asset id",
        "target_id": "Of",
        "requested_by": "Requested by",
        "requested_at": "Since",
        "due_at": "Due",
        "attempts": "Tries",
        "last_error": "Error",
        "done_at": "State",
    }
    column_sortable_list = ("requested_at",)
    column_formatters = {
        "mux_asset_id": page_link(
            lambda row: row.mux_asset_id, lambda row, names: [cells.target(row, names)]
        ),
        "reason": with_details(_reason),
        "due_at": of_row(lambda row: cell("moment", None if row.done_at else row.due_at)),
        "last_error": of_row(lambda row: cell("words", row.last_error, True)),
        "done_at": of_row(lambda row: cell("deletion_state", row)),
    }
    column_export_list = ("id", "mux_asset_id", "target_type", "target_id", "reason", "requested_by", "requested_at", "due_at", "attempts", "last_error", "done_at")  # fmt: skip
    column_formatters_export = {
        "requested_by": with_details(lambda row, names: names.email(row.requested_by))
    }
    column_filters = (
        *filters.flag("Done", lambda: AssetDeletion.done_at.is_not(None)),
        *filters.identified("About", AssetDeletion.target_id),
        *filters.day("Since", AssetDeletion.requested_at),
    )
    saved_views = (
        SavedView("pending", "Pending", conditions.pending_deletions),
        SavedView("failing", "Failing", conditions.troubled_deletions),
    )

    def prepare(self, rows: Sequence[Any]) -> Names:
        return names_of(rows, users=[row.requested_by for row in rows])

    def found(self, text: str) -> ColumnElement[bool]:
        wanted = as_id(text)
        if wanted is not None:
            return or_(AssetDeletion.id == wanted, AssetDeletion.target_id == wanted)
        return AssetDeletion.mux_asset_id == text

    @expose("/details/")
    def details_view(self) -> Any:
        row = self.row_asked_for()
        names = self.prepare([row])
        return self.render(
            self.details_template,
            row=row,
            about=names.title(row),
            by=names.email(row.requested_by),
            mux_url=mux_links.asset(row.mux_asset_id),
        )

    @expose("/retry", methods=("POST",))
    def retry_view(self) -> Any:
        row_id = as_id(request.form.get("id", ""))
        try:
            if row_id is None:
                raise Missing
            gone = retry_deletion.try_now(row_id, actor=auth.current_actor())
        except Missing:
            raise
        except Problem as problem:
            flash(problem.message, "warning")
        except mux.MuxError as error:
            flash(f"Mux did not delete it: {error.message} It is tried again automatically.", "error")
        else:
            flash("Deleted at Mux." if gone else "Mux has not deleted it yet; it is tried again automatically.", "success" if gone else "warning")  # fmt: skip
        return redirect(redirects.asked("url") or url_for(".index_view"))
