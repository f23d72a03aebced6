"""The list of purchases. It is only read."""

from typing import Any

from sqlalchemy import ColumnElement, false, or_
from sqlalchemy.orm import joinedload

from lessonadmin.admin.framework import cells, filters
from lessonadmin.admin.framework.cells import cell, of_row
from lessonadmin.admin.framework.table import TableView
from lessonadmin.domain.models import Lesson, Purchase, User
from lessonadmin.domain.prices import currency, money, price_text
from lessonadmin.domain.support import lookup
from lessonadmin.text.ids import as_id


def _lesson(row: Any) -> Any:
    return cell("linked", row.lesson.title, cells.link_to("lesson", row.lesson_id))


class PurchaseView(TableView):
    slug, icon = "purchase", "receipt"
    offers = frozenset({"export"})  # a row says all that there is: it has no page
    search_hint = "E-mail of the buyer, lesson id"
    column_list = ("lesson", "user", "price_cents", "created_at")
    column_labels = {"user": "Buyer", "price_cents": "Paid", "created_at": "Bought"}
    column_sortable_list = ("created_at",)
    column_formatters = {
        "lesson": of_row(_lesson),
        "user": of_row(lambda row: row.user.email),
        "price_cents": of_row(lambda row: money(row.price_cents)),
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
