"""Lists that are only read: purchases and the audit trail. Nobody changes a row of either."""

from collections.abc import Sequence
from typing import Any

from flask import g
from sqlalchemy import ColumnElement, false, or_
from sqlalchemy.orm import joinedload

from lessonadmin.admin.framework import cells, filters
from lessonadmin.admin.framework.cells import cell
from lessonadmin.admin.framework.table import TableView
from lessonadmin.admin.lists.uploads import remember_people, remember_titles
from lessonadmin.domain.audit.words import AUDIT_WORDS, actor_words, details_of
from lessonadmin.domain.models import AuditLog, Lesson, Purchase, User
from lessonadmin.domain.models.audit import ACTOR_TYPES
from lessonadmin.domain.prices import money, price_text
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
    f"{room}.exported": f"Took a CSV file of {things}"
    for room, things in (
        ("user", "people"), ("purchase", "purchases"), ("lesson", "lessons"), ("course", "courses"), ("tracking", "uploads"),
        ("event", "events"), ("deletion", "deletions"), ("batch", "bulk actions"), ("audit", "the audit list"),
    )
}  # fmt: skip
WORDS = AUDIT_WORDS | OTHER_WORDS | EXPORTS


class PurchaseView(TableView):
    room, icon = "purchase", "receipt"
    offers = frozenset({"export"})  # a row says all that there is: it has no page
    search_hint = "E-mail of the buyer, lesson id"
    column_list = ("lesson", "user", "price_cents", "created_at")
    column_labels = {"user": "Buyer", "price_cents": "Paid", "created_at": "Bought"}
    column_sortable_list = ("created_at",)
    column_formatters = {
        "lesson": lambda _v, _c, row, _n: cell("linked", row.lesson.title, cells.link_to("lesson", row.lesson_id)),
        "user": lambda _v, _c, row, _n: row.user.email,
        "price_cents": lambda _v, _c, row, _n: money(row.price_cents),
    }  # fmt: skip
    column_export_list = ("id", "lesson", "lesson_id", "user", "price_cents", "created_at")
    column_formatters_export = {
        "lesson": lambda _v, _c, row, _n: row.lesson.title,
        "user": lambda _v, _c, row, _n: row.user.email,
        "price_cents": lambda _v, _c, row, _n: price_text(row.price_cents),
    }
    column_filters = (
        *filters.identified("Lesson", Purchase.lesson_id),
        *filters.person("Buyer", Purchase.user_id),
        *filters.day("Bought", Purchase.created_at),
    )

    def _loading(self, relation: Any) -> Any:
        fields = (Lesson.title,) if relation.key == "lesson" else (User.email, User.name)
        return joinedload(relation).load_only(*fields)

    def found(self, text: str) -> ColumnElement[bool]:
        wanted = as_id(text)
        if wanted is not None:
            return or_(Purchase.id == wanted, Purchase.lesson_id == wanted, Purchase.user_id == wanted)
        people = filters.people(text)
        return Purchase.user_id.in_(people) if people else false()


def _named(row: Any) -> str:
    """What an audit row is about: its title or address while it is there, else its kind and the beginning of its id."""
    if row.target_id is None:
        return ""
    name = g.titles.get((row.target_type, row.target_id)) or g.people.get(row.target_id)
    return name or f"{row.target_type} {str(row.target_id)[:8]}…"


class AuditView(TableView):
    room, icon = "audit", "book"
    offers = frozenset({"export"})  # a row says all that there is: it has no page
    search_hint = "Id of what was changed, e-mail of who did it"
    column_list = ("action", "actor_id", "target_id", "detail", "at")
    column_labels = {"action": "What", "actor_id": "Who", "target_id": "On", "detail": "Details", "at": "When"}  # fmt: skip
    column_sortable_list = ("at",)
    column_formatters = {
        "action": lambda _v, _c, row, _n: cell("titled_plain", WORDS.get(row.action, row.action), row.action),
        "actor_id": lambda _v, _c, row, _n: actor_words(row.actor_type, g.people.get(row.actor_id)),
        "target_id": lambda _v, _c, row, _n: cell("linked", _named(row), cells.link_to(row.target_type, row.target_id)),
        "detail": lambda _v, _c, row, _n: cell("words", details_of(row.detail)),
    }  # fmt: skip
    column_export_list = ("id", "at", "actor_type", "actor_id", "action", "target_type", "target_id", "detail")  # fmt: skip
    column_formatters_export = {
        "actor_id": lambda _v, _c, row, _n: g.people.get(row.actor_id) or row.actor_id or "",
        "detail": lambda _v, _c, row, _n: details_of(row.detail),
    }
    column_filters = (
        *filters.only("What", AuditLog.action, tuple((name, words) for name, words in WORDS.items())),
        *filters.person("Who", AuditLog.actor_id),
        *filters.only("By", AuditLog.actor_type, tuple((name, name) for name in ACTOR_TYPES)),
        *filters.identified("Target id", AuditLog.target_id),
        *filters.day("When", AuditLog.at),
    )

    def prepare(self, rows: Sequence[Any]) -> None:
        remember_people([one for row in rows for one in (row.actor_id, row.target_id if row.target_type == "user" else None)])  # fmt: skip
        remember_titles(rows)

    def found(self, text: str) -> ColumnElement[bool]:
        wanted = as_id(text)
        if wanted is not None:
            return or_(AuditLog.id == wanted, AuditLog.target_id == wanted)
        people = filters.people(text)
        return AuditLog.actor_id.in_(people) if people else false()
