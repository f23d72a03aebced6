"""While Mux is asked no transaction is open, and several people asking at once leave one state."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from lessonadmin.db import db
from lessonadmin.domain.models import AuditLog, Lesson, Tracking
from lessonadmin.mux import transport
from muxsim.client import Control
from tests import factories
from tests.views.api.conftest import People


@pytest.fixture
def open_transactions(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """For every call to Mux from now on: was a transaction open?"""
    seen: list[bool] = []
    send = transport.send

    def watched(priority: transport.Priority, call: Callable[[Any], Any]) -> transport.Answer:
        seen.append(db.session().in_transaction())
        return send(priority, call)

    monkeypatch.setattr(transport, "send", watched)
    return seen


def test_no_transaction_waits_for_mux(people: People, sim: Control, open_transactions: list[bool]) -> None:
    lesson = factories.make_lesson(creator=people.instructor.user)
    named = {"lesson_id": str(lesson.id)}
    upload = people.instructor.post("/mux/upload-url", named | {"filename": "a.mp4"}).get_json()["upload_id"]
    people.instructor.post("/mux/track-upload", named | {"upload_id": "unknown"})
    with factories.in_context():
        db.session.execute(update(Tracking).values(created_at=datetime.now(UTC) - timedelta(hours=2)))
        db.session.commit()
    people.instructor.post(f"/lessons/{lesson.id}/publish")
    people.instructor.get("/mux/check-upload-status", lesson_id=lesson.id)
    people.instructor.post("/mux/cancel-upload", {"upload_id": upload})
    (asset_id,) = sim.seed_assets(1, policy="public")
    playback_id = sim.asset(asset_id)["playback_ids"][0]["id"]
    body = named | {"mux_asset_id": asset_id, "mux_playback_id": playback_id}
    assert people.support.post("/mux/update-asset", body).status_code == 200
    assert open_transactions == [False] * 6


def at_once(count: int, do: Callable[[], int]) -> list[int]:
    with ThreadPoolExecutor(count) as pool:
        return [asked.result() for asked in [pool.submit(do) for _ in range(count)]]


def test_a_button_pressed_several_times_leaves_one_upload_on_its_way(
    people: People, sim: Control, session: Session
) -> None:
    lesson = factories.make_lesson(creator=people.instructor.user)
    body, instructor = {"lesson_id": str(lesson.id), "filename": "a.mp4"}, people.instructor
    assert at_once(4, lambda: instructor.post("/mux/upload-url", body).status_code) == [201] * 4
    rows = session.scalars(select(Tracking)).all()
    assert len(rows) == len({row.upload_id for row in rows}) == 4
    assert len([row for row in rows if row.superseded_at is None]) == 1


def test_several_questions_at_once_publish_once(people: People, sim: Control, session: Session) -> None:
    lesson = factories.make_lesson(creator=people.instructor.user)
    body, instructor = {"lesson_id": str(lesson.id), "filename": "a.mp4"}, people.instructor
    sim.upload_file(instructor.post("/mux/upload-url", body).get_json()["upload_id"])
    path = "/mux/check-upload-status"
    assert at_once(4, lambda: instructor.get(path, lesson_id=lesson.id).status_code) == [200] * 4
    seen = session.get_one(Lesson, lesson.id, populate_existing=True)
    assert (seen.status, seen.video_processing_status) == ("published", "ready")
    actions = list(session.scalars(select(AuditLog.action)))
    assert actions.count("lesson.published") == actions.count("video.ready") == 1
