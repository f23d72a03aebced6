"""The audit log: the list, and the page of one entry. It is only read. Which entries support sees is decided in `permissions`."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from flask import url_for
from sqlalchemy import ColumnElement, false, or_

from lessonadmin import auth
from lessonadmin.admin.framework import cells, filters
from lessonadmin.admin.framework.cells import cell, page_link, with_details
from lessonadmin.admin.framework.routes import expose
from lessonadmin.admin.framework.table import TableView
from lessonadmin.domain import permissions
from lessonadmin.domain.audit import words
from lessonadmin.domain.audit.words import AUDIT_WORDS, actor_words, details_of
from lessonadmin.domain.models import AuditLog
from lessonadmin.domain.models.audit import ACTOR_TYPES
from lessonadmin.domain.support import lookup
from lessonadmin.domain.support.names import Names, names_of
from lessonadmin.text.ids import as_id, shortened

OTHER_WORDS = {
    "batch.created": "Started a bulk action",
    "batch.stopped": "Stopped a bulk action",
    "batch.resumed": "Resumed a bulk action",
    "batch.retried": "Tried failed rows again",
    "event.replayed": "Replayed an event",
    "deletion.retried": "Tried a deletion now",
    "deletion.ended": "Ended a deletion: the asset is used",
    "sync_check.fix_requested": "Requested a fix of mismatches",
    "job.retried": "Tried a failed job again",
    "job.deleted": "Deleted a failed job",
    "user.created": "Created an account",
    "user.disabled": "Disabled an account",
    "user.enabled": "Enabled an account",
    "user.role_changed": "Changed a role",
    "user.password_reset": "Reset a password",
    "user.password_changed": "Changed a password",
    "user.handed_over": "Transferred content to another instructor",
    "user.token_created": "Created an API token",
    "user.token_revoked": "Revoked an API token",
    "user.mail_chosen": "Chose about mail",
    "user.notices_chosen": "Chose about notifications",
    "user.signed_in": "Signed in",
    "user.signed_out": "Signed out",
    "user.sessions_ended": "Ended sessions",
    "user.sign_in_unlocked": "Unlocked sign-in",
    "user.invited": "Invited a person",
    "user.invitation_withdrawn": "Withdrew an invitation",
    "user.invitation_accepted": "Accepted an invitation",
    "user.password_link_asked": "Asked for a link to a new password",
    "user.password_link_made": "Created a link to a new password",
    "user.renamed": "Changed the name of an account",
    "user.email_change_asked": "Asked for another address",
    "user.email_change_cancelled": "Cancelled the change of an address",
    "user.email_changed": "Changed the address of an account",
    "user.data_downloaded": "Downloaded their data",
    "user.deleted": "Deleted an account",
    "rows.removed": "Old rows were removed",
}
EXPORTS = {
    f"{slug}.exported": f"Exported a CSV file of {things}"
    for slug, things in (
        ("user", "people"), ("purchase", "purchases"), ("lesson", "lessons"), ("course", "courses"), ("tracking", "uploads"),
        ("event", "events"), ("deletion", "deletions"), ("batch", "bulk actions"), ("audit", "the audit log"),
        ("figures", "figures"),
    )
}  # fmt: skip
WORDS = AUDIT_WORDS | OTHER_WORDS | EXPORTS


def _detail(row: Any) -> Mapping[str, Any]:
    return permissions.audit_detail_for(auth.current_user(), row.detail)


def _words(row: Any) -> str:
    return WORDS.get(row.action, str(row.action))


def _target_name(row: Any, names: Names) -> str:
    """What an audit row is about: its title or address while it is there, else its kind and the beginning of its id."""
    if row.target_id is None:
        return ""
    name = names.title(row) or names.email(row.target_id)
    return name or f"{row.target_type} {str(row.target_id)[:8]}…"


def _target(row: Any, names: Names) -> Any:
    name = _target_name(row, names)
    return cell("linked", name, cells.link_to(row.target_type, row.target_id)) if name else ""


def _actor(row: Any, names: Names) -> Any:
    words = actor_words(row.actor_type, names.email(row.actor_id) or None)
    return cells.account(row.actor_id, names) or cell("linked", words, None)


def _details(row: Any, names: Names) -> str:
    return details_of(words.naming(_detail(row), names.emails))


class AuditView(TableView):
    slug, icon = "audit", "book"
    offers = frozenset({"details_view", "export"})
    search_hint = "ID or e-mail"
    column_list = ("action", "actor_id", "detail", "at")
    nouns = ("entry", "entries")
    on_phones: ClassVar = {"actor_id": "table__state", "detail": "table__text", "at": "table__time"}
    column_labels = {"action": "What", "actor_id": "Who", "target_id": "On", "detail": "Details", "at": "When"}  # fmt: skip
    column_sortable_list = ("at",)
    column_formatters = {
        "action": page_link(_words, lambda row, names: [_target(row, names)]),
        "actor_id": with_details(_actor),
        "detail": with_details(lambda row, names: cell("words", shortened(_details(row, names)))),
    }
    column_export_list = ("id", "at", "actor_type", "actor_id", "action", "target_type", "target_id", "detail")  # fmt: skip
    column_formatters_export = {
        "actor_id": with_details(lambda row, names: names.email(row.actor_id) or row.actor_id or ""),
        "detail": with_details(_details),
    }
    column_filters = (
        *filters.only("What", AuditLog.action, tuple((name, words) for name, words in WORDS.items())),
        *filters.person("Who", AuditLog.actor_id),
        *filters.only("By", AuditLog.actor_type, tuple((name, name) for name in ACTOR_TYPES)),
        *filters.identified("Target id", AuditLog.target_id),
        *filters.day("When", AuditLog.at),
    )

    def get_query(self) -> Any:
        return super().get_query().filter(*permissions.audit_rows_for(auth.current_user()))

    def _conditions(self, search: str | None, filters: Any) -> list[ColumnElement[bool]]:
        shown = permissions.audit_rows_for(auth.current_user())
        return [*super()._conditions(search, filters), *shown]

    def prepare(self, rows: Sequence[Any]) -> Names:
        targets = [row.target_id for row in rows if row.target_type == "user"]
        named = [user_id for row in rows for user_id in words.people_in(row.detail)]
        return names_of(rows, users=[*(row.actor_id for row in rows), *targets, *named])

    def found(self, text: str) -> ColumnElement[bool]:
        wanted = as_id(text)
        if wanted is not None:
            return or_(AuditLog.id == wanted, AuditLog.target_id == wanted)
        people = lookup.account_ids(text)
        return AuditLog.actor_id.in_(people) if people else false()

    @expose("/details/")
    def details_view(self) -> Any:
        row = self.row_asked_for()
        names = self.prepare([row])
        detail = words.naming(_detail(row), names.emails)
        return self.render(
            "admin/audit/details.html",
            row=row,
            words=_words(row),
            actor=_actor(row, names),
            target=_target(row, names),
            changes=words.changes_of(detail),
            rest=[(label, [_linked(value) for value in values]) for label, values in words.rest_of(detail)],
        )


def _linked(value: str) -> Any:
    """An id leads to what it belongs to, by way of the search."""
    href = url_for("admin_search.index", q=value) if as_id(value) is not None else None
    return cell("whole", value, href)
