"""The list of purchases. It is only read."""

from typing import Any, ClassVar

from sqlalchemy import ColumnElement, false, or_
from sqlalchemy.orm import joinedload

from lessonadmin.admin.framework import cells, filters
from lessonadmin.admin.framework.cells import cell, of_row
from lessonadmin.admin.framework.table import TableView
from lessonadmin.domain.models import Lesson, Purchase, User
from lessonadmin.domain.prices import currency, money, price_text
from lessonadmin.domain.support import lookup
from lessonadmin.domain.support.names import Names
from lessonadmin.text.ids import as_id


def _lesson(row: Any) -> Any:
    """What was bought, and by whom."""
    buyer = cells.account(row.user_id, Names(emails={row.user_id: row.user.email}))
    return cell("titled", row.lesson.title, cells.link_to("lesson", row.lesson_id), None, [buyer])


class PurchaseView(TableView):
    slug, icon = "purchase", "receipt"
    offers = frozenset({"export"})  # a row says all that there is: it has no page
    search_hint = "E-mail or lesson ID"
    column_list = ("lesson", "price_cents", "created_at")
    nouns = ("purchase", "purchases")
    column_select_related_list = (Purchase.lesson, Purchase.user)
    on_phones: ClassVar = {"price_cents": "table__state", "created_at": "table__time"}
    column_labels = {"user": "Buyer", "price_cents": "Paid", "created_at": "Bought"}
    column_sortable_list = ("created_at",)
    column_formatters = {
        "lesson": of_row(_lesson),
        "price_cents": of_row(lambda row: cell("linked", money(row.price_cents), None)),
    }
    column_export_list = ("id", "lesson", "lesson_id", "user", "price_cents", "currency", "created_at")
    column_formatters_export = {
        "lesson": of_row(lambda row: row.lesson.title),
        "user": of_row(lambda row: row.user.email),
        "price_cents": of_row(lambda row: price_text(row.price_cents)),
        "currency": of_row(lambda row: currency()),
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
        people = lookup.account_ids(text)
        return Purchase.user_id.in_(people) if people else false()
