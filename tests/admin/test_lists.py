"""Every list of the panel, over HTTP: whole pages, whatever is sorted, filtered, searched or asked for; few queries."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from lessonadmin.db import CLI, transaction
from lessonadmin.domain import journal
from lessonadmin.domain.models import AssetDeletion, Batch
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
from tests.queries import counted

ROOMS = ("lesson", "course", "tracking", "event", "deletion", "batch", "purchase", "user", "audit")
MOST_QUERIES = 15


def browser(role: str = "admin") -> FlaskClient:
    return signed_in(make_user(role=role))


def full_house() -> dict[str, Any]:
    """One of everything, related to each other; the ids by room."""
    teacher = make_user(name="Ada Lovelace", email="ada@school.example")
    student = make_user(role="student", email="stu@school.example")
    course = make_course(instructor=teacher, title="Drawing for all")
    lesson = make_playing_lesson(
        creator=teacher, title="Circles and lines", course_id=course.id, price_cents=900
    )
    row = make_tracking(make_lesson(creator=teacher, title="Squares"), filename="squares.mp4")
    event = make_event(target_type="lesson", target_id=lesson.id, object_id="asset-x", outcome="applied")
    deletion = keep(
        AssetDeletion(
            mux_asset_id="asset-gone",
            reason="replaced",
            target_type="lesson",
            target_id=lesson.id,
            requested_by=teacher.id,
        )
    )
    batch = keep(
        Batch(action="publish", total=3, done=3, status="done", reason="asked", created_by=teacher.id)
    )
    purchase = make_purchase(lesson, student)
    with factories.in_context(), transaction(CLI):
        journal.record("lesson.updated", lesson, before={"title": "x"}, after={"title": "y"})
    return {
        "lesson": lesson, "course": course, "tracking": row, "event": event, "deletion": deletion, "batch": batch,
        "purchase": purchase, "user": teacher, "audit": None,
    }  # fmt: skip


WORDS = {
    "lesson": "Circles and lines", "course": "Drawing for all", "tracking": "squares.mp4", "event": "video.asset.ready",
    "deletion": "asset-gone", "batch": "asked", "purchase": "stu@school.example", "user": "ada@school.example", "audit": "Changed the lesson",
}  # fmt: skip


@pytest.mark.parametrize("room", ROOMS)
def test_a_list_is_a_whole_page_with_few_queries(app: Flask, room: str) -> None:
    full_house()
    admin = browser()
    with counted() as sent:
        answer = admin.get(f"/admin/{room}/")
    assert answer.status_code == 200, answer.text
    page = page_of(answer)
    assert WORDS[room] in page.text()
    assert len(sent) <= MOST_QUERIES, len(sent)


@pytest.mark.parametrize("room", [room for room in ROOMS if room not in ("purchase", "audit")])
def test_a_row_has_a_page(app: Flask, room: str) -> None:
    row = full_house()[room]
    admin = browser()
    with counted() as sent:
        answer = admin.get(f"/admin/{room}/details/?id={row.id}")
    assert answer.status_code == 200, answer.text
    page_of(answer)
    assert len(sent) <= MOST_QUERIES, "\n".join(sent)
