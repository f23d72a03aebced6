"""A whole Mux for domain and HTTP tests: the simulator of this test process, and what it would have told Lessonadmin.

`mux_sim` is a fixture. Its webhooks are not sent over HTTP: a test takes them (`mux_sim.waiting()`) and delivers them in the
order, and as often, as it likes. With `mux_sim.deliver()` everything that Mux has to say arrives once, in order.
"""

import json
import uuid
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from lessonadmin import config, mux
from lessonadmin.db import Actor, db
from lessonadmin.domain.models import AuditLog, Course, Lesson, MuxEvent, Notification, Tracking
from lessonadmin.domain.uploads import direct_upload
from lessonadmin.domain.webhooks import applier
from lessonadmin.domain.webhooks.waiting_events import Incoming, Store
from muxsim.client import Control
from muxsim.server import Simulator
from tests.settings import overridden

TOKENS = [("web-token", "web-secret", "high"), ("worker-token", "worker-secret", "low")]


@cache
def _store(url: str) -> Store:
    return Store(url)


def store(payload: dict[str, Any]) -> uuid.UUID:
    """Store one event, as web does before it answers; the id of its row."""
    body = json.dumps(payload).encode()
    event_id, _ = mux.read_id_and_type(body)
    incoming = Incoming(event_id, "test", body)
    waiting = _store(config.current().database_url)
    waiting.wait(waiting.put(incoming))
    return incoming.id


def give(payload: dict[str, Any]) -> str:
    """Store one event and apply it; what became of it."""
    row_id = store(payload)
    applier.apply_now(row_id)
    row = db.session.get(MuxEvent, row_id, populate_existing=True)
    outcome = str(row.outcome) if row is not None else "duplicate"
    db.session.rollback()
    return outcome


class MuxSim:
    """Mux as a test sees it, and shorthand for what people do."""

    def __init__(self, simulator: Simulator) -> None:
        self.url = simulator.url
        self.control = Control(simulator.url)
        self.heard = 0

    # what people do

    def upload(
        self, owner: Lesson | Course, *, name: str = "talk.mp4", size: int | None = None
    ) -> direct_upload.IssuedUpload:
        """Ask for an upload URL, as the owner."""
        actor = Actor.user(owner.owner_id)
        return direct_upload.start(owner, direct_upload.File(name=name, size=size), actor=actor)

    def uploaded(self, owner: Lesson | Course) -> str:
        """An upload whose file is in; its upload id."""
        ticket = self.upload(owner)
        self.control.complete_upload(ticket.upload_id)
        self.control.flush_events()
        return ticket.upload_id

    # what Mux says

    def waiting(self) -> list[dict[str, Any]]:
        """The payloads of events that were not taken yet, oldest first."""
        found = self.control.events(self.heard)
        if found:
            self.heard = found[-1]["seq"]
        return [{k: v for k, v in one.items() if k not in ("seq", "lane", "deliveries")} for one in found]

    def give(self, payload: dict[str, Any]) -> str:
        """Deliver one event; what became of it."""
        return give(payload)

    def deliver(self) -> list[str]:
        """Everything that Mux has to say, once, in order."""
        self.control.flush_events()
        return [self.give(payload) for payload in self.waiting()]

    def forget(self) -> None:
        """Everything that Mux has to say is lost on the way."""
        self.control.flush_events()
        self.waiting()

    def lost(self, lessons: list[Lesson]) -> list[uuid.UUID]:
        """Their videos are ready at Mux, and no webhook told it; the ids of the lessons."""
        for lesson in lessons:
            self.uploaded(lesson)
        self.forget()
        return [lesson.id for lesson in lessons]

    def calls(self, operation: str | None = None) -> list[dict[str, Any]]:
        return self.control.calls(target="api", operation=operation)

    # what stands in the database

    def lesson(self, lesson: Lesson) -> Lesson:
        db.session.rollback()
        return db.session.get_one(Lesson, lesson.id, populate_existing=True)

    def course(self, course: Course) -> Course:
        db.session.rollback()
        return db.session.get_one(Course, course.id, populate_existing=True)

    def uploads(self, owner: Lesson | Course) -> list[Tracking]:
        column = Tracking.lesson_id if isinstance(owner, Lesson) else Tracking.course_id
        db.session.rollback()
        query = select(Tracking).where(column == owner.id).order_by(Tracking.created_at)
        return list(db.session.scalars(query.execution_options(populate_existing=True)))

    def actions(self, target_id: uuid.UUID) -> list[str]:
        """The audit trail of one thing, oldest first."""
        query = (
            select(AuditLog.action).where(AuditLog.target_id == target_id).order_by(AuditLog.at, AuditLog.id)
        )
        return list(db.session.scalars(query))

    def notices(self, user_id: uuid.UUID) -> list[str]:
        query = select(Notification.kind).where(Notification.user_id == user_id).order_by(Notification.id)
        return list(db.session.scalars(query))

    def events(self) -> list[MuxEvent]:
        db.session.rollback()
        return list(db.session.scalars(select(MuxEvent).order_by(MuxEvent.id)))


@pytest.fixture(scope="session")
def running_mux() -> Iterator[Simulator]:
    with Simulator(tokens=TOKENS, processing_seconds=0.0, rate_limits=False) as simulator:
        yield simulator


@pytest.fixture
def mux_sim(app: Flask, session: object, running_mux: Simulator) -> Iterator[MuxSim]:
    """An empty Mux, and settings that point at it."""
    running_mux.reset()
    url = running_mux.url
    with overridden(mux_api_url=url, mux_stream_url=url, mux_image_url=url):
        yield MuxSim(running_mux)
