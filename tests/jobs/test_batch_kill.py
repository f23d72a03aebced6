"""A worker process is really killed (SIGKILL) at row 50 of 100: the rerun does the other 50, and none twice."""

import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from devstack.places import ROOT
from lessonadmin.db import CLI, Actor, db, transaction
from lessonadmin.domain.batches import batches, own_lessons, registry, runner
from lessonadmin.domain.models import AuditLog, BatchItem, Lesson, User
from tests.factories import make_lesson, make_user
from tests.mux_sim import MuxSim

# Works on one batch as a worker would, and falls silent at one row, in the middle of its transaction.
WORKER = """
import sys, time, uuid
from lessonadmin import create_app
from lessonadmin.domain.batches import runner
from lessonadmin.domain.batches.actions import publish_lessons, recheck
batch_id, row = uuid.UUID(sys.argv[1]), int(sys.argv[2])
seen = 0
def stopping(true):
    def work(*args, **more):
        global seen
        seen += 1
        if seen == row:
            print("here", flush=True)
            time.sleep(600)
        return true(*args, **more)
    return work
publish_lessons.publish = stopping(publish_lessons.publish)
recheck.recheck = stopping(recheck.recheck)
with create_app().app_context():
    runner.run_some(batch_id, seconds=600)
"""


@contextmanager
def killed_worker(settings: dict[str, str], batch_id: uuid.UUID, *, row: int) -> Iterator[None]:
    """A process that works on the batch until it reaches this row, and is killed there."""
    environment = {**os.environ, **settings}
    process = subprocess.Popen(
        [sys.executable, "-c", WORKER, str(batch_id), str(row)],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "here\n"
        process.send_signal(signal.SIGKILL)
        assert process.wait(10) == -signal.SIGKILL
        yield
    finally:
        process.kill()
        process.wait(10)
        if process.stdout is not None:
            process.stdout.close()


def audit_count(action: str) -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(AuditLog).where(AuditLog.action == action)) or 0


@pytest.fixture
def staff(session: Session) -> Actor:
    return Actor.user(make_user(role="support").id)


def ready_drafts(count: int, creator: User | None = None) -> list[uuid.UUID]:
    with transaction(CLI):
        creator = creator or make_user()
        columns = {"video_processing_status": "ready", "publish_on_ready": False}
        return [
            make_lesson(creator=creator, mux_asset_id=f"a{n}", mux_playback_id=f"p{n}", **columns).id
            for n in range(count)
        ]


def test_killed_at_row_fifty(settings_environment: dict[str, str], staff: Actor) -> None:
    ids = ready_drafts(100)
    with transaction(staff):
        batch_id = batches.create(registry.find("lesson", "publish"), ids, enqueue_job=False).id
    with killed_worker(settings_environment, batch_id, row=51):
        assert batches.progress(batch_id).done == audit_count("lesson.published") == 50
        assert runner.run_some(batch_id, seconds=30).count == 50
    shown = batches.progress(batch_id)
    assert (shown.done, shown.status) == (100, "done")
    assert audit_count("lesson.published") == 100


def test_killed_in_the_bulk_action_of_an_instructor(
    settings_environment: dict[str, str], session: Session
) -> None:
    """The rerun has the rights of the instructor, as they are by then: a lesson that is another's meanwhile is left alone."""
    instructor = make_user()
    ids, actor = ready_drafts(60, instructor), Actor.user(instructor.id)
    with transaction(actor):
        options = own_lessons.bound(instructor)
        batch_id = batches.create(
            registry.find("lesson", "publish"), ids, options=options, enqueue_job=False
        ).id
    with killed_worker(settings_environment, batch_id, row=51):
        assert batches.progress(batch_id).done == audit_count("lesson.published") == 50
        other = make_user()
        with transaction(CLI):
            waiting = select(BatchItem.target_id).where(BatchItem.status == "open").limit(1)
            given = db.session.get_one(Lesson, db.session.scalars(waiting).one())
            given.creator_id = other.id
        assert runner.run_some(batch_id, seconds=30).count == 10
    shown = batches.progress(batch_id)
    assert (shown.done, shown.left, shown.status) == (59, 0, "done")
    assert audit_count("lesson.published") == 59
    assert db.session.get_one(Lesson, given.id, populate_existing=True).status == "draft"


def test_killed_while_it_asks_mux(
    settings_environment: dict[str, str], mux_sim: MuxSim, staff: Actor
) -> None:
    """A row that is in a worker's hands stays there until its lease runs out; then another worker does it."""
    owners = [make_lesson() for _ in range(3)]
    for owner in owners:
        mux_sim.uploaded(owner)
    mux_sim.forget()
    with transaction(staff):
        batch_id = batches.create(
            registry.find("lesson", "recheck"), [one.id for one in owners], enqueue_job=False
        ).id
    with killed_worker(settings_environment | {"MUX_API_URL": mux_sim.url}, batch_id, row=2):
        assert batches.progress(batch_id).done == 1
        assert runner.run_some(batch_id, seconds=10).count == 1
        assert batches.progress(batch_id).left == 1
        db.session.execute(update(BatchItem).values(due_at=func.clock_timestamp()))
        db.session.execute(text("UPDATE mux_budget SET tokens = 18"))
        db.session.commit()
        assert runner.run_some(batch_id, seconds=10).count == 1
    assert batches.progress(batch_id).status == "done"
    assert audit_count("video.ready") == audit_count("lesson.published") == 3
