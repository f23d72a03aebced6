"""The list of purchases, the page of one, and what support does with them: give a lesson, revoke a purchase, restore it."""

from collections.abc import Callable
from typing import Any, ClassVar

from flask import request, url_for
from sqlalchemy import ColumnElement, and_, false, or_
from sqlalchemy.orm import joinedload
from werkzeug.wrappers import Response

from lessonadmin.admin.framework import cells, filters
from lessonadmin.admin.framework.base import act_and_return
from lessonadmin.admin.framework.cells import cell, of_row, page_link
from lessonadmin.admin.framework.filters import Where
from lessonadmin.admin.framework.routes import expose
from lessonadmin.admin.framework.table import SavedView, TableView
from lessonadmin.domain.accounts import users
from lessonadmin.domain.errors import Invalid, Missing
from lessonadmin.domain.lessons import purchases
from lessonadmin.domain.models import Lesson, Purchase, User
from lessonadmin.domain.prices import currency, money, price_text
from lessonadmin.domain.support import lookup, pasted
from lessonadmin.domain.support.names import Names, names_of
from lessonadmin.text.ids import as_id
from lessonadmin.web import redirects
from lessonadmin.web.states import options

STATES: dict[str, Callable[[], ColumnElement[bool]]] = {
    "bought": lambda: and_(Purchase.is_in_force, Purchase.given_by.is_(None)),
    "given": lambda: and_(Purchase.is_in_force, Purchase.given_by.is_not(None)),
    "revoked": lambda: ~Purchase.is_in_force,
}


def _buyer(row: Any, _details: Any) -> list[Any]:
    return [cells.account(row.user_id, Names(emails={row.user_id: row.user.email}))]


class PurchaseView(TableView):
    slug, icon = "purchase", "receipt"
    search_hint = "E-mail or lesson ID"
    details_template = "admin/row/purchase.html"
    column_list = ("lesson", "state", "price_cents", "created_at")
    nouns = ("purchase", "purchases")
    column_select_related_list = (Purchase.lesson, Purchase.user)
    on_phones: ClassVar = {
        "state": "table__state",
        "price_cents": "table__state",
        "created_at": "table__time",
    }
    column_labels = {"user": "Buyer", "price_cents": "Paid", "created_at": "Bought"}
    column_sortable_list = ("created_at",)
    column_formatters = {
        "lesson": page_link(lambda row: row.title, _buyer),
        "state": of_row(lambda row: cell("purchase_state", row.state)),
        "price_cents": of_row(lambda row: cell("linked", money(row.price_cents), None)),
    }
    column_export_list = ("id", "lesson", "lesson_id", "user", "state", "price_cents", "currency", "created_at", "revoked_at", "revoke_reason", "give_reason")  # fmt: skip
    column_formatters_export = {
        "lesson": of_row(lambda row: row.title),
        "user": of_row(lambda row: row.user.email),
        "price_cents": of_row(lambda row: price_text(row.price_cents)),
        "currency": of_row(lambda row: currency()),
    }
    column_filters = (
        *filters.identified("Lesson", Purchase.lesson_id),
        *filters.person("Buyer", Purchase.user_id),
        Where(
            "State",
            "is",
            lambda value: STATES[value](),
            column=None,
            options=options("purchase", STATES),
            read=lambda value: value if value in STATES else "bought",
        ),
        *filters.day("Bought", Purchase.created_at),
    )
    saved_views = (
        SavedView("given", "Given", STATES["given"]),
        SavedView("revoked", "Revoked", STATES["revoked"]),
    )

    def _loading(self, relation: Any) -> Any:
        fields = (Lesson.title,) if relation.key == "lesson" else (User.email, User.name)
        return joinedload(relation).load_only(*fields)

    def found(self, text: str) -> ColumnElement[bool]:
        wanted = as_id(text)
        if wanted is not None:
            return or_(Purchase.id == wanted, Purchase.lesson_id == wanted, Purchase.user_id == wanted)
        people = lookup.account_ids(text)
        return Purchase.user_id.in_(people) if people else false()

    def name_of(self, row: Any) -> str:
        return str(row.title)

    @expose("/details/")
    def details_view(self) -> Any:
        row = self.row_asked_for()
        names = names_of(users=[row.given_by, row.revoked_by])
        return self.render(
            self.details_template,
            row=row,
            given_by=names.email(row.given_by),
            revoked_by=names.email(row.revoked_by),
        )

    @expose("/revoke", methods=("POST",))
    def revoke_view(self) -> Response:
        return self._done(purchases.revoke, "The purchase is revoked, and the student is notified.")

    @expose("/restore", methods=("POST",))
    def restore_view(self) -> Response:
        return self._done(purchases.restore, "The purchase is restored, and the student is notified.")

    @expose("/give", methods=("POST",))
    def give_view(self) -> Response:
        """From the page of a lesson, which asks for the student, or of a person, which asks for the lesson."""

        def act() -> None:
            lesson_id = lesson_named(request.form.get("lesson", ""))
            student = users.find_by_email(request.form.get("email", ""))
            if student is None:
                raise Invalid.field("email", "No account has this e-mail address.")
            purchases.give(lesson_id, student.id)

        return self._answer(act, "The lesson is given, and the student is notified.", url_for(".index_view"))

    def _done(self, act: Callable[[Any], Any], said: str) -> Response:
        row = self.get_one(request.form.get("id", ""))
        if row is None:
            raise Missing
        return self._answer(lambda: act(row.id), said, url_for(".details_view", id=row.id))

    @staticmethod
    def _answer(act: Callable[[], Any], said: str, back_to: str) -> Response:
        reason = request.form.get("reason", "").strip() or None
        return act_and_return(act, said, back_to=redirects.asked("url") or back_to, reason=reason)


def lesson_named(text: str) -> Any:
    """The id of a lesson, typed or out of the address of one of its pages."""
    text = text.strip()
    for candidate in (text, *pasted.ids_in_address(text)):
        found = as_id(candidate)
        if found is not None:
            return found
    raise Invalid.field("lesson", "Paste the ID of the lesson or the address of its page.")
