"""The list of Mux's events, and the page of one."""

import json
from collections.abc import Sequence
from typing import Any, ClassVar

from sqlalchemy import ColumnElement, or_
from sqlalchemy.orm import defer

from lessonadmin.admin.framework import cells, filters
from lessonadmin.admin.framework.bulk_actions import ActsOnRows
from lessonadmin.admin.framework.cells import cell, of_row, page_link
from lessonadmin.admin.framework.routes import expose
from lessonadmin.admin.framework.table import SavedView, TableView
from lessonadmin.domain.models import MuxEvent
from lessonadmin.domain.models.events import OUTCOMES
from lessonadmin.domain.support import lookup
from lessonadmin.domain.support.names import Names, names_of
from lessonadmin.domain.videos import conditions
from lessonadmin.domain.webhooks.handlers import ASSET_TYPES, UPLOAD_TYPES
from lessonadmin.mux.events import SECRET_KEYS
from lessonadmin.mux.safe_json import HIDDEN
from lessonadmin.text.ids import as_id
from lessonadmin.web import states

OUTCOME_WORDS = states.options("event", OUTCOMES)


class EventView(ActsOnRows, TableView):
    slug, icon, target = "event", "event", "event"
    offers = frozenset({"details_view", "action_view", "export"})
    search_hint = "Event or object ID"
    details_template = "admin/row/event.html"
    column_list = ("type", "outcome", "attempts", "error", "received_at")
    nouns = ("event", "events")
    on_phones: ClassVar = {"outcome": "table__state", "error": "table__text", "received_at": "table__time"}
    column_labels = {
        "type": "Event",
        "target_id": "About",
        "received_at": "Received",
        "mux_event_id": "Id at Mux",
        "error": "Error",
    }
    column_sortable_list = ("received_at",)
    usual_order = "received_at"
    column_formatters = {
        "type": page_link(lambda row: row.type, lambda row, names: [cells.target(row, names)]),
        "outcome": of_row(lambda row: cell("outcome", row.outcome)),
        "error": of_row(lambda row: cell("words", row.error, True)),
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

    def prepare(self, rows: Sequence[Any]) -> Names:
        return names_of(rows)

    def found(self, text: str) -> ColumnElement[bool]:
        wanted = as_id(text)
        ids = lookup.event_ids(text)
        if ids:
            return MuxEvent.id.in_(ids)
        if wanted is not None:
            return MuxEvent.target_id == wanted
        return or_(MuxEvent.object_id == text, MuxEvent.upload_id == text, MuxEvent.asset_id == text)

    def name_of(self, row: Any) -> str:
        return f"{row.type} {row.mux_event_id}"

    @expose("/details/")
    def details_view(self) -> Any:
        row = self.row_asked_for()
        payload = json.dumps(row.payload, indent=2, ensure_ascii=False, sort_keys=False, default=str)
        title = names_of([row]).title(row)
        return self.render(
            self.details_template,
            row=row,
            payload=payload,
            about=title,
            hidden=HIDDEN,
            secret_keys=sorted(SECRET_KEYS),
        )
