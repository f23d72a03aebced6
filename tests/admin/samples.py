"""What the tests of the panel's lists share: one of everything, a viewer, and what a list and its file hold."""

import csv
import io
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from lessonadmin.admin.framework.table import TableView
from lessonadmin.db import CLI, db, transaction
from lessonadmin.domain.audit import audit_log
from lessonadmin.domain.models import AssetDeletion, AuditLog, Batch
from tests import factories
from tests.factories import (
    keep,
    make_course,
    make_event,
    make_lesson,
    make_playing_lesson,
    make_purchase,
    make_tracking,
    make_user,
    signed_in,
)
from tests.pages import page_of

LISTS = ("lesson", "course", "tracking", "event", "deletion", "batch", "purchase", "person", "user", "audit")
WITHOUT_FILES = ("person",)  # a list of everyone is for admins to take away


def browser(role: str = "admin") -> FlaskClient:
    return signed_in(make_user(role=role))


def one_of_each() -> dict[str, Any]:
    """One of everything, related to each other; the ids by slug."""
    instructor = make_user(name="Ada Lovelace", email="ada@school.example")
    student = make_user(role="student", email="stu@school.example")
    course = make_course(instructor=instructor, title="Drawing for all")
    lesson = make_playing_lesson(
        creator=instructor, title="Circles and lines", course_id=course.id, price_cents=900
    )
    row = make_tracking(make_lesson(creator=instructor, title="Squares"), filename="squares.mp4")
    event = make_event(target_type="lesson", target_id=lesson.id, object_id="asset-x", outcome="applied")
    deletion = keep(
        AssetDeletion(
            mux_asset_id="asset-gone",
            reason="replaced",
            target_type="lesson",
            target_id=lesson.id,
            requested_by=instructor.id,
        )
    )
    batch = keep(
        Batch(action="publish", total=3, done=3, status="done", reason="asked", created_by=instructor.id)
    )
    purchase = make_purchase(lesson, student)
    with factories.in_context(), transaction(CLI):
        audit_log.record("lesson.updated", lesson, before={"title": "x"}, after={"title": "y"})
    with factories.in_context():
        change = db.session.scalars(select(AuditLog).where(AuditLog.action == "lesson.updated")).one()
        db.session.expunge(change)
    return {
        "lesson": lesson, "course": course, "tracking": row, "event": event, "deletion": deletion, "batch": batch,
        "purchase": purchase, "person": instructor, "user": instructor, "audit": change,
    }  # fmt: skip


def views(app: Flask) -> dict[str, TableView]:
    return {view.slug: view for view in app.extensions["admin"][0]._views if isinstance(view, TableView)}


def titles(browser: FlaskClient, address: str) -> list[str]:
    page = page_of(browser.get(address))
    boxes = [attrs for attrs in page.all("input") if attrs.get("name") == "rowid"]
    return [(attrs["aria-label"] or "").removeprefix("Select ") for attrs in boxes]


def link(browser: FlaskClient, address: str, rel: str) -> str:
    found = page_of(browser.get(address)).all("a", rel=rel)
    return (found[0]["href"] or "") if found else ""


def exported(browser: FlaskClient, slug: str, query: str = "") -> list[dict[str, str]]:
    """The rows of a list's file, by the headings of its columns."""
    answer = browser.get(f"/admin/{slug}/export/csv/?{query}")
    assert answer.mimetype == "text/csv", answer.status
    return list(csv.DictReader(io.StringIO(answer.text)))
