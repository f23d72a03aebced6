"""Views of the panel for tests only: one that exports and acts, one that offers nothing, both over real tables.

And who looks at them, and the lessons that they show.
"""

import uuid

from flask import Flask, Response, redirect, request
from flask.testing import FlaskClient
from flask_admin.actions import action
from flask_admin.contrib.sqla.filters import FilterEqual, FilterInList

from lessonadmin.admin.framework.base import PanelView
from lessonadmin.db import db
from lessonadmin.domain.models import Lesson, User
from tests.factories import make_course, make_lesson, make_user, signed_in

STATES = (("draft", "Draft"), ("published", "Published"))
LIST = "/admin/specimen/"


class Specimen(PanelView):
    slug, icon = "specimen", "lesson"
    offers = frozenset({"action_view", "export"})
    acts_on_filter = True
    column_list = ("title", "creator", "course", "status", "price_cents", "publish_on_ready", "created_at")
    column_sortable_list = ("title", "price_cents", "created_at")
    column_searchable_list = ("title",)
    column_filters = (
        FilterEqual(Lesson.status, "Status", options=STATES),
        FilterInList(Lesson.status, "Status", options=STATES),
        "price_cents",
        "created_at",
        "publish_on_ready",
        "id",
    )
    action_order = ("publish", "clear")

    @action("clear", "Clear", "The videos go.")  # type: ignore[untyped-decorator]
    def clear(self, ids: list[str]) -> Response:
        return redirect(f"/cleared/{len(ids)}")  # type: ignore[return-value]

    @action("publish", "Publish")  # type: ignore[untyped-decorator]
    def publish(self, ids: list[str]) -> Response:
        return redirect(f"/published/{len(ids)}?scope={request.form.get('scope')}&{request.form['query']}")  # type: ignore[return-value]


class Closed(PanelView):
    slug = "closed"
    column_list = ("email",)


def add_to(application: Flask) -> None:
    """Put both into the panel of an application that has served nothing yet."""
    panel = application.extensions["admin"][0]
    panel.add_view(Specimen(Lesson, db, name="Specimens", category="Test"))
    panel.add_view(Closed(User, db, name="Closed"))


def in_panel(panel: Flask, role: str) -> FlaskClient:
    """A user of this role, signed in to an application that has these views."""
    browser = panel.test_client()
    with (
        signed_in(make_user(role=role)).session_transaction() as made,
        browser.session_transaction() as cookie,
    ):
        cookie["secret"] = made["secret"]
    return browser


def make_three() -> list[Lesson]:
    """Three lessons, with keys in this order."""
    instructor = make_user(name="Ada")
    course = make_course(instructor=instructor, title="Drawing")
    rows: list[dict[str, object]] = [
        {"title": "Circles", "price_cents": 500, "status": "published", "course": course},
        {"title": "Lines", "price_cents": 100},
        {"title": "Squares 100%", "price_cents": 300},
    ]
    return [
        make_lesson(creator=instructor, id=uuid.UUID(int=number), **row)
        for number, row in enumerate(rows, start=1)
    ]
