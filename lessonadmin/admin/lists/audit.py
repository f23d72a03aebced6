"""The audit trail as a list. It is only read."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, false, or_

from lessonadmin.admin.framework import cells, filters
from lessonadmin.admin.framework.cells import cell, of_row, with_details
from lessonadmin.admin.framework.table import TableView
from lessonadmin.domain.audit.words import AUDIT_WORDS, actor_words, details_of
from lessonadmin.domain.models import AuditLog
from lessonadmin.domain.models.audit import ACTOR_TYPES
from lessonadmin.domain.support import lookup
from lessonadmin.domain.support.names import Names, names_of
from lessonadmin.text.ids import as_id

OTHER_WORDS = {
    "batch.created": "Began a bulk action",
    "batch.stopped": "Stopped a bulk action",
    "batch.resumed": "Let a bulk action go on",
    "batch.retried": "Tried failed rows again",
    "event.replayed": "Replayed an event",
    "deletion.retried": "Tried a deletion now",
    "deletion.ended": "Ended a deletion: the asset is used",
    "job.retried": "Tried a failed job again",
    "job.deleted": "Forgot a failed job",
    "user.created": "Made an account",
    "user.disabled": "Disabled an account",
    "user.enabled": "Enabled an account",
    "user.role_changed": "Changed a role",
    "user.password_reset": "Reset a password",
    "user.password_changed": "Changed a password",
    "user.handed_over": "Handed everything to another teacher",
    "user.token_created": "Made a bearer token",
    "user.token_revoked": "Revoked a bearer token",
    "user.mail_chosen": "Chose about mail",
    "user.signed_in": "Signed in",
    "user.signed_out": "Signed out",
    "user.sessions_ended": "Ended sessions",
    "rows.removed": "Old rows were removed",
}
EXPORTS = {
    f"{slug}.exported": f"Took a CSV file of {things}"
    for slug, things in (
        ("user", "people"), ("purchase", "purchases"), ("lesson", "lessons"), ("course", "courses"), ("tracking", "uploads"),
        ("event", "events"), ("deletion", "deletions"), ("batch", "bulk actions"), ("audit", "the audit list"),
    )
}  # fmt: skip
WORDS = AUDIT_WORDS | OTHER_WORDS | EXPORTS


def _target_name(row: Any, names: Names) -> str:
    """What an audit row is about: its title or address while it is there, else its kind and the beginning of its id."""
    if row.target_id is None:
        return ""
    name = names.title(row) or names.email(row.target_id)
    return name or f"{row.target_type} {str(row.target_id)[:8]}…"


def _target(row: Any, names: Names) -> Any:
    return cell("linked", _target_name(row, names), cells.link_to(row.target_type, row.target_id))


def _actor(row: Any, names: Names) -> str:
    return actor_words(row.actor_type, names.email(row.actor_id) or None)


class AuditView(TableView):
    slug, icon = "audit", "book"
    offers = frozenset({"export"})  # a row says all that there is: it has no page
    search_hint = "Id of what was changed, e-mail of who did it"
    column_list = ("action", "actor_id", "target_id", "detail", "at")
    column_labels = {"action": "What", "actor_id": "Who", "target_id": "On", "detail": "Details", "at": "When"}  # fmt: skip
    column_sortable_list = ("at",)
    column_formatters = {
        "action": of_row(lambda row: cell("titled_plain", WORDS.get(row.action, row.action), row.action)),
        "actor_id": with_details(_actor),
        "target_id": with_details(_target),
        "detail": of_row(lambda row: cell("words", details_of(row.detail))),
    }
    column_export_list = ("id", "at", "actor_type", "actor_id", "action", "target_type", "target_id", "detail")  # fmt: skip
    column_formatters_export = {
        "actor_id": with_details(lambda row, names: names.email(row.actor_id) or row.actor_id or ""),
        "detail": of_row(lambda row: details_of(row.detail)),
    }
    column_filters = (
        *filters.only("What", AuditLog.action, tuple((name, words) for name, words in WORDS.items())),
        *filters.person("Who", AuditLog.actor_id),
        *filters.only("By", AuditLog.actor_type, tuple((name, name) for name in ACTOR_TYPES)),
        *filters.identified("Target id", AuditLog.target_id),
        *filters.day("When", AuditLog.at),
    )

    def prepare(self, rows: Sequence[Any]) -> Names:
        targets = [row.target_id for row in rows if row.target_type == "user"]
        return names_of(rows, users=[*(row.actor_id for row in rows), *targets])

    def found(self, text: str) -> ColumnElement[bool]:
        wanted = as_id(text)
        if wanted is not None:
            return or_(AuditLog.id == wanted, AuditLog.target_id == wanted)
        people = lookup.account_ids(text)
        return AuditLog.actor_id.in_(people) if people else false()
