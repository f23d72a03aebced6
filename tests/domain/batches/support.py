"""Set-up of the tests of batches: draft lessons, a batch, a killed worker, leases that ran out."""

import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, text, update

from lessonadmin import queue
from lessonadmin.db import CLI, Actor, db, transaction
from lessonadmin.domain.batches import batches, leases, registry, runner
from lessonadmin.domain.batches.actions import publish_lessons
from lessonadmin.domain.maintenance import sweep
from lessonadmin.domain.models import AuditLog, Batch, BatchItem, Heartbeat, Lesson
from tests.factories import make_user

PUBLISH = registry.find("lesson", "publish")


UNPUBLISH = registry.find("lesson", "unpublish")


RECHECK = registry.find("lesson", "recheck")


def drafts(count: int) -> list[uuid.UUID]:
    """Lessons whose video is ready, written by one statement."""
    creator = make_user()
    with transaction(CLI):
        return list(
            db.session.scalars(
                text(
                    "INSERT INTO lessons (creator_id, title, publish_on_ready, video_processing_status,"
                    " mux_asset_id, mux_playback_id)"
                    " SELECT :creator, 'Lesson ' || n, false, 'ready', 'asset' || n, 'play' || n"
                    " FROM generate_series(1, :count) n RETURNING id"
                ),
                {"creator": creator.id, "count": count},
            )
        )


def begin(action: registry.Action, source: Any, actor: Actor, **more: Any) -> uuid.UUID:
    with transaction(actor):
        return batches.create(action, source, **more).id


def finish(batch_id: uuid.UUID, seconds: float = 30) -> None:
    ran = runner.run_some(batch_id, seconds=seconds)
    assert not ran.more


def audit_count(action: str) -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(AuditLog).where(AuditLog.action == action)) or 0


def true_counts(batch_id: uuid.UUID) -> dict[str, int]:
    """What the rows say, whatever the counters claim."""
    db.session.rollback()
    return dict(
        db.session.execute(
            select(BatchItem.status, func.count())
            .where(BatchItem.batch_id == batch_id)
            .group_by(BatchItem.status)
        ).all()  # type: ignore[arg-type]
    )


def items_of(batch_id: uuid.UUID) -> list[uuid.UUID]:
    found = db.session.scalars(
        select(BatchItem.id).where(BatchItem.batch_id == batch_id).order_by(BatchItem.id)
    ).all()
    db.session.rollback()
    return list(found)


def in_threads(app: Flask, count: int, work: Callable[[int], Any]) -> list[Any]:
    """Run in that many threads at once, each with a context and a connection of its own."""
    results: list[Any] = [None] * count
    errors: list[BaseException] = []
    together = threading.Barrier(count)

    def run(number: int) -> None:
        try:
            with app.app_context():
                together.wait(10)
                results[number] = work(number)
                db.session.remove()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not errors, errors
    return results


class Killed(BaseException):
    """As if the process ended here: nothing catches it, nothing is tidied up."""


@contextmanager
def killed_at(monkeypatch: pytest.MonkeyPatch, row: int) -> Iterator[None]:
    """The worker dies in the middle of its work on the n-th row."""
    true, seen = publish_lessons.publish, [0]

    def publish(lesson_id: uuid.UUID) -> Any:
        seen[0] += 1
        if seen[0] == row:
            raise Killed
        return true(lesson_id)

    with monkeypatch.context() as patch:
        patch.setattr(publish_lessons, "publish", publish)
        with pytest.raises(Killed):
            yield


def hours_pass(hours: int = 12) -> None:
    """As if no sweep had looked at any batch for so long."""
    passed = timedelta(hours=hours)
    earlier = {"created_at": Batch.created_at - passed, "running_since": Batch.running_since - passed}
    db.session.execute(update(Batch).values(earlier))
    db.session.commit()


def run_for_ten_seconds(batch_id: uuid.UUID, rows: int) -> None:
    """Carry out so many rows of a batch, as if that had taken ten seconds."""
    alive = iter([True] * (rows // 50) + [False])
    assert runner.run_some(batch_id, seconds=30, alive=lambda: next(alive)).count == rows
    db.session.execute(update(Batch).values(running_seconds=10.0))
    db.session.commit()


def claimed(batch_id: uuid.UUID) -> leases.Lease:
    lease = leases.claim(items_of(batch_id)[0])
    db.session.commit()
    assert lease is not None
    return lease


def let_leases_run_out() -> None:
    db.session.execute(update(BatchItem).values(due_at=func.clock_timestamp()))
    db.session.commit()


def batch_leases_expire() -> None:
    age_batch_leases(seconds=600)


def age_batch_leases(*, seconds: int) -> None:
    """Nothing was heard of them for so long."""
    then = func.clock_timestamp() - timedelta(seconds=seconds)
    db.session.execute(update(Heartbeat).where(Heartbeat.name.startswith("batch:")).values(at=then))
    db.session.commit()


def batch_leases() -> list[str]:
    db.session.rollback()
    return list(db.session.scalars(select(Heartbeat.name).where(Heartbeat.name.startswith("batch:"))))


def swept() -> int:
    """What a sweep did for bulk actions."""
    summary = sweep.sweep()
    assert summary.failed == {}
    return summary.figures["batches"]


def in_queue() -> list[Any]:
    return list(queue.queue("bulk").jobs)


def status_of(lesson_id: uuid.UUID) -> str:
    return db.session.get_one(Lesson, lesson_id, populate_existing=True).status
